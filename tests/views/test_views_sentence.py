from dataclasses import replace

import pytest

from allthepoints.base.types import Login, UserId
from allthepoints.ports import ChannelRow
from allthepoints.views.sentence import Glance, Trouble, sentence, trouble_lines

NOW = 10_000.0


def rows(*states: tuple[str, bool | None]) -> list[ChannelRow]:
    return [
        ChannelRow(UserId(str(at)), Login(f"c{at}"), f"C{at}", live, state) for at, (state, live) in enumerate(states)
    ]


def trouble(code: str, severity: str = "error", since: float = NOW - 1200) -> Trouble:
    return Trouble(code, severity, "Something is odd", "It means this. Do that.", since)


PRESENT, ASKED, WAITING = ("present", True), ("asked", True), ("waiting", True)
REFUSED, OFFLINE, UNKNOWN, RERUN = ("refused", True), ("absent", False), ("absent", None), ("absent", True)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([PRESENT] * 14, "In 14 of 14 live chats."),
        ([PRESENT], "In 1 of 1 live chat."),
        ([PRESENT] * 12 + [REFUSED, WAITING, OFFLINE], "In 12 of 14 live chats; 1 waiting, 1 closed to you."),
        ([PRESENT] * 90 + [WAITING] * 50, "In 90 of 140 live chats; 50 waiting."),
        ([ASKED, ASKED], "In 0 of 2 live chats; 2 asked."),
        ([("present", None), PRESENT], "In 2 of 2 live chats."),
        ([OFFLINE] * 212, "None of your 212 channels is live."),
        ([OFFLINE], "Your channel is not live."),
        ([("refused", False), OFFLINE], "None of your 2 channels is live."),
        ([RERUN, OFFLINE], "None of your 2 channels is live."),
        ([UNKNOWN, OFFLINE], "Asking which of 2 channels are live."),
        ([], "No channel yet: whom you follow is read first; name others with `allthepoints channels add NAME`."),
    ],
)
def test_am_i_in(states: list[tuple[str, bool | None]], expected: str) -> None:
    assert sentence(Glance.of(rows(*states), ()), NOW) == expected


def test_before_the_account_is_known() -> None:
    assert sentence(Glance.of((), (), account=False), NOW) == "Checking the sign-in."


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("sign_in_needed", "Signed out by Twitch 20 min ago. Run `allthepoints login`."),
        ("chat_disconnected", "Not connected to the chat, for 20 min. Look whether this machine has a network."),
        (
            "chat_refuses_token",
            "The chat refuses your sign-in, for 20 min. Run `allthepoints logout`, then `allthepoints login`.",
        ),
        (
            "storage_failing",
            "In 1 of 1 live chat. Nothing can be written down, for 20 min: free some space in the data directory.",
        ),
        (
            "config_rejected",
            "In 1 of 1 live chat. The changed config is not in use: run `allthepoints config check`.",
        ),
        ("from_a_later_version", "In 1 of 1 live chat. Something is odd, for 20 min."),
    ],
)
def test_trouble_that_stops_the_points_is_told_instead(code: str, expected: str) -> None:
    assert sentence(Glance.of(rows(PRESENT), (trouble(code),)), NOW) == expected


def test_lesser_trouble_stays_out_of_the_sentence() -> None:
    lesser = (trouble("helix_failing", "warning"), trouble("waiting_for_rooms", "info"))
    assert sentence(Glance.of(rows(PRESENT), lesser), NOW) == "In 1 of 1 live chat."


def test_never_signed_in() -> None:
    glance = Glance.of((), (trouble("sign_in_needed"),), account=False)
    assert sentence(glance, NOW) == "Not signed in to Twitch. Run `allthepoints login`."


def test_troubles_in_full() -> None:
    odd = Trouble("x", "warning", "Odd\x1b[2J", "Line\nbreak.", NOW - 60)
    assert trouble_lines([odd], NOW) == ["warning: Odd[2J (for 1 min). Line break."]


@pytest.mark.parametrize(
    ("verdicts", "wishes", "expected"),
    [
        (("unknown", "unknown"), 0, ""),
        (("earning",) * 12 + ("early",) * 2, 3, " Earning in 12; 2 joined minutes ago. 3 wishes within reach."),
        (
            ("earning", "flat", "not_offered", "unknown"),
            1,
            " Earning in 1; nothing comes in 1; no points in 1; 1 not known yet. 1 wish within reach.",
        ),
        (("early",), 0, " 1 joined minutes ago."),
        (("flat",), 0, " Nothing comes in 1."),
        (("unknown",), 1, " 1 wish within reach."),
        (("earning", "of_a_later_version"), 0, " Earning in 1."),
    ],
)
def test_am_i_earning_and_what_can_i_get(verdicts: tuple[str, ...], wishes: int, expected: str) -> None:
    present = [replace(row, verdict=word) for row, word in zip(rows(*[PRESENT] * len(verdicts)), verdicts, strict=True)]
    total = len(present)
    said = sentence(Glance.of(present, (), wishes=wishes), NOW)
    assert said == f"In {total} of {total} live chat{'s' if total > 1 else ''}.{expected}"


def test_only_chats_that_you_are_in_can_earn() -> None:
    waiting = [replace(row, verdict="earning") for row in rows(WAITING)]
    assert sentence(Glance.of(waiting, ()), NOW) == "In 0 of 1 live chat; 1 waiting."
