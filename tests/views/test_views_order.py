"""The order of channels, which is the same in every face."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from allthepoints.base.types import Login, UserId
from allthepoints.core.place import Census, Mark
from allthepoints.ports import ChannelRow
from allthepoints.service.snapshot import Snapshot
from allthepoints.views.channels import in_order, rank
from allthepoints.views.report import Report
from allthepoints.views.terminal.now import EVERYTHING, NowPage
from allthepoints.views.terminal.seen import Seen
from allthepoints.views.web.pages.known import Known
from allthepoints.views.web.pages.now import row_of, rows_of, sorted_by

NOW = 1_795_640_400.0

WHATEVER = (True, None, False)

GROUPS: tuple[tuple[str, tuple[bool | None, ...]], ...] = (
    (Mark.REFUSED, (True, None)),
    (Mark.ASKED, WHATEVER),
    (Mark.LEAVING, WHATEVER),
    (Mark.PRESENT, WHATEVER),
    (Mark.WAITING, WHATEVER),
    (Mark.ABSENT, (True,)),
    (Mark.REFUSED, (False,)),
    (Mark.ABSENT, (None,)),
    (Mark.ABSENT, (False,)),
)
"""A state, and the values of `live` with which it is one group: closed first, offline last."""

PLACES = (("zoe", 0), ("bea", 7), ("ann", None), ("ben", None))
"""Within a group: by place, those without one after the others and by name."""


def row(number: int, login: str, state: str, live: bool | None, place: int | None) -> ChannelRow:
    return ChannelRow(UserId(str(number)), Login(login), login.title(), live, state, place=place)


def of_group(at: int, state: str, lives: Sequence[bool | None]) -> list[ChannelRow]:
    """All rows of a group, in their order: whether it is live orders none of them."""
    rows = [(f"{login}{n}", live, place) for login, place in PLACES for n, live in enumerate(lives)]
    return [row(100 * at + n, login, str(state), live, place) for n, (login, live, place) in enumerate(rows)]


TABLE = [one for at, (state, lives) in enumerate(GROUPS) for one in of_group(at, state, lives)]


def terminal(rows: Sequence[ChannelRow]) -> list[UserId]:
    """As the terminal's Now shows them."""
    page = NowPage()
    page.filter = EVERYTHING
    report = Report(True, NOW, None, {}, tuple(rows), ())
    return [one.id for one in page.shown(Seen(NOW, report))]


def web(rows: Sequence[ChannelRow]) -> list[UserId]:
    """As the dashboard's Now is sent."""
    snapshot = Snapshot(NOW, None, True, Census(1, 0, 0, 0, 0), {one.id: one for one in rows}, (), None)
    return [one.id for one in sorted_by(rows_of(snapshot, Known(), NOW), "state")]


def pushed(rows: Sequence[ChannelRow]) -> list[UserId]:
    """As the dashboard's script sorts them when one came anew: by what stands in each row."""
    sent = [(one := row_of(row, Known(), NOW), one.keys()) for row in rows]
    return [one.id for one, keys in sorted(sent, key=lambda it: (float(it[1]["state"]), str(it[1]["name"])))]


def test_every_state_is_in_the_table() -> None:
    assert {state for state, _ in GROUPS} == set(Mark)
    groups = [{rank(one)[0] for one in of_group(at, *group)} for at, group in enumerate(GROUPS)]
    assert groups == [{at} for at in range(len(GROUPS))]


@given(st.permutations(TABLE))
def test_the_order_is_the_same_in_every_face(rows: list[ChannelRow]) -> None:
    expected = [one.id for one in TABLE]
    assert [one.id for one in in_order(rows)] == expected
    assert terminal(rows) == expected
    assert web(rows) == expected
    assert pushed(rows) == expected


def test_a_state_of_a_later_version_stands_with_those_that_are_not_in() -> None:
    for live in (True, None, False):
        assert rank(row(1, "a", "hovering", live, 3)) == rank(row(1, "a", "absent", live, 3))
