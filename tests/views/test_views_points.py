from dataclasses import replace
from datetime import UTC

import pytest
from rich.cells import cell_len

from allthepoints.base.types import Login, UserId
from allthepoints.core.loyalty import Loyalty
from allthepoints.views.points import Points, Stay, detail_lines, points_lines, summed

NOW = 1_795_640_400.0  # 2026-11-25T21:00:00Z
BARS = (None, *[0] * 8, 5, 10, 20)
ALPHA = Points(
    UserId("1"),
    Login("alpha"),
    "Alpha",
    "acorns",
    points=1845,
    alltime=615,
    rank=212,
    watch_minutes=1290,
    earned_today=35,
    earned_7d=240,
    earned_30d=1000,
    earned_total=1805,
    rate_per_hour=30.0,
    verdict="earning",
    seen_at=NOW - 120,
    earned_at=NOW - 420,
    bars=BARS,
    loyalty=Loyalty("acorns", amount=5, interval=600.0),
    stay=Stay(NOW - 3600, 3600.0, 30, 25),
)
BETA = Points(
    UserId("2"), Login("beta"), "ベータ", "", 12_000, verdict="flat", causes=("never_typed", "hide_gambling"),
    bars=(0,) * 12, seen_at=NOW - 60, earned_at=None,
)  # fmt: skip
GAMMA = Points(UserId("3"), Login("gamma"), "Gamma", verdict="not_offered", causes=("no_streamelements",))


def test_the_table() -> None:
    assert points_lines([GAMMA, ALPHA, BETA], NOW, None, UTC) == [
        "channel        points  currency  today  rate  verdict        earned  24 h",
        "ベータ (beta)  12,000                         = flat                 ▁▁▁▁▁▁▁▁▁▁▁▁",
        "Alpha           1,845  acorns      +35  30/h  ↑ earning      20:53    ▁▁▁▁▁▁▁▁▃▅█",
        "Gamma                                         ∅ not offered",
    ]


def test_the_table_in_ascii() -> None:
    lines = points_lines([ALPHA], NOW, None, UTC, ascii_only=True)
    assert lines[1] == "Alpha     1,845  acorns      +35  30/h  ^ earning  20:53    ________:=#"


@pytest.mark.parametrize("width", [80, 60, 40, 24])
def test_it_fits(width: int) -> None:
    rows = [ALPHA, BETA, GAMMA, replace(ALPHA, display="チャンネル" * 5, currency="w" * 30, points=2**31 - 1)]
    lines = points_lines(rows, NOW, width, UTC)
    assert len(lines) == 5
    assert all(cell_len(line) <= width for line in lines)


def test_what_all_came_to() -> None:
    assert summed([ALPHA, BETA, GAMMA]) == "+35 today, in 1 of 3 channels."
    assert summed([BETA]) == "Nothing was earned yet today, in 1 channel."


def test_one_channel_in_full() -> None:
    assert [line.text for line in detail_lines(ALPHA, NOW, 80, UTC)] == [
        "Alpha",
        "  points     1,845 acorns (read 2 min ago)",
        "  all time   615 by watching, rank 212, 21 h 30 min watched",
        "  earned     +35 today, +240 in 7 days, +1,000 in 30 days, +1,805 in all; last 7",
        "             min ago",
        "  last 24 h  | ▁▁▁▁▁▁▁▁▃▅█|",
        "  pays       5 acorns every 10 min (30/h)",
        "  rate       30/h, as it really came",
        "  session    +30 of 25 expected, in 1 h in the chat",
        "  verdict    ↑ earning",
    ]


def test_fc_50_where_nothing_comes_each_cause_says_what_to_do() -> None:
    lines = [line.text for line in detail_lines(BETA, NOW, 80, UTC)]
    assert lines[6:] == [
        "Why no points come, the likeliest first:",
        "  1. StreamElements wants a viewer to have signed in there and typed in the chat",
        "     once. This program never types. Write one message in this chat by hand, in",
        "     your browser: that cures it for good.",
        "  2. Twitch's preference \"hide gambling\" keeps StreamElements' points away from",
        "     an account. Turn it off in Twitch's settings, under content display",
        "     preferences.",
    ]
    assert "12,000 points (read 1 min ago)" in lines[1]
    assert [line.text for line in detail_lines(GAMMA, NOW, None, UTC)] == [
        "Gamma",
        "  points     not read yet",
        "  earned     0 today, 0 in 7 days, 0 in 30 days, 0 in all",
        "  verdict    ∅ not offered",
        "",
        "Why no points come:",
        "  1. StreamElements has no such channel.",
    ]


def test_a_cause_of_a_later_version_is_shown_readably() -> None:
    lines = detail_lines(replace(GAMMA, causes=("of_a_later_version",), verdict="early"), NOW, None, UTC)
    assert [line.text for line in lines][-2:] == ["Too early to tell:", "  1. of a later version."]
