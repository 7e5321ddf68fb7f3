"""The table of being in a room: every cell."""

from __future__ import annotations

import pytest

from allthepoints.core.presence import TABLE, Input, State, step

# ask, leave, joined, parted, echoed, refused, expired
CELLS = {
    "absent": "asked absent present absent absent absent absent",
    "asked": "asked leaving present absent asked absent absent",
    "present": "present leaving present absent present absent present",
    "leaving": "leaving leaving leaving absent absent absent absent",
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("happened", Input)
def test_every_cell(state: State, happened: Input) -> None:
    expected = CELLS[state].split()[list(Input).index(happened)]
    assert step(state, happened) == expected


def test_only_the_servers_word_makes_present() -> None:
    into = {
        (before, happened) for before, row in TABLE.items() for happened, after in row.items() if after is State.PRESENT
    }
    assert {happened for before, happened in into if before is not State.PRESENT} == {Input.JOINED}
