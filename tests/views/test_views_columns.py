from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from allthepoints.base.types import Login, UserId
from allthepoints.ports import ChannelRow
from allthepoints.views.channels import channel_lines, in_order, matters
from allthepoints.views.columns import Column, fit, table

COLUMNS = (Column("state", keep=3), Column("name", keep=2, flexible=True), Column("n", keep=1, right=True))


def test_as_wide_as_it_wants() -> None:
    lines = table(COLUMNS, [("on", "alpha", "5"), ("off", "a much longer name", "12,345")], None)
    assert lines == [
        "state  name                     n",
        "on     alpha                    5",
        "off    a much longer name  12,345",
    ]


def test_wide_characters_are_measured() -> None:
    lines = table(COLUMNS, [("on", "アルファ", "5"), ("on", "ab", "6")], None)
    assert {cell_len(line) for line in lines} == {18}


def test_the_flexible_column_shrinks_then_columns_go() -> None:
    rows = [("on", "a much longer name", "12,345")]
    assert table(COLUMNS, rows, 30)[1] == "on     a much longer…   12,345"
    assert table(COLUMNS, rows, 24)[1] == "on     a much longer na…"
    assert table(COLUMNS, rows, 10)[1] == "on"
    assert table(COLUMNS, rows, 1)[1] == "…"


def test_empty_columns_are_left_out() -> None:
    assert table(COLUMNS, [("on", "", "")], None) == ["state", "on"]
    assert table(COLUMNS, [], 80) == []


@given(st.text(max_size=30), st.integers(0, 40))
def test_fit_never_exceeds(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) <= width or cell_len(text) <= width


@given(st.lists(st.tuples(*[st.text("aé휴🌊 ", max_size=30)] * 3), min_size=1, max_size=5), st.integers(1, 60))
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, str, str]], width: int) -> None:
    assert all(cell_len(line) <= width for line in table(COLUMNS, rows, width))


NOW = 1_795_640_400.0


def row(login: str, state: str, live: bool | None, place: int | None = None, **more: str | float) -> ChannelRow:
    return ChannelRow(UserId(login), Login(login), login.title(), live, state, place=place, **more)  # type: ignore[arg-type]


def test_channels_in_the_order_of_what_matters() -> None:
    rows = [
        row("zed", "absent", False),
        row("beta", "waiting", True, 2, reason="no_slot"),
        row("gamma", "refused", True, reason="banned"),
        row("delta", "present", True, 1),
        row("alpha", "present", True, 0),
        row("rerun", "absent", True, reason="rerun"),
    ]
    assert [r.login for r in in_order(rows)] == ["gamma", "alpha", "delta", "beta", "rerun", "zed"]
    assert [r.login for r in rows if not matters(r)] == ["zed"]
    texts = [line.text for line in channel_lines(in_order(rows), NOW, width=None)]
    assert texts == [
        "state      channel  about",
        "✕ refused  Gamma    you are banned from this chat",
        "● present  Alpha",
        "● present  Delta",
        "○ waiting  Beta     every room is taken",
        "– absent   Rerun    it is a re-run, which earns nothing",
        "– offline  Zed",
    ]


def test_fc_11_more_than_fit_are_counted() -> None:
    rows = [row(f"c{at:03}", "present", True, at) for at in range(90)]
    lines = channel_lines(rows, NOW, width=80, height=20)
    assert len(lines) == 20
    assert lines[-1].text == "and 72 more"


def test_ascii_signs() -> None:
    lines = channel_lines([row("alpha", "present", True)], NOW, width=None, ascii_only=True)
    assert lines[1].text == "* present  Alpha"
    assert lines[1].state == "present"


def test_what_a_channel_pays_by_the_hour_is_told_where_we_are() -> None:
    for state, told in (("present", True), ("refused", False), ("absent", False)):
        lines = channel_lines([replace(row("alpha", state, True), rate_per_hour=27.0)], NOW, width=None)
        assert ("27/h" in lines[1].text) is told
