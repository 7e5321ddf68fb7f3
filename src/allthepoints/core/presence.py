"""Being in a room: all states and all transitions in one table.

Theory. A room is one channel's chat as seen by one connection. What we did (ASK, LEAVE) and what the server said
(JOINED, PARTED, REFUSED) are apart: only the server's word makes a room PRESENT or ends it, and every pair of state
and input has an answer, because lines come late, twice and out of order. Two cases deserve a thought:

- A PART echo that answers an older PART of ours must not end a newer JOIN (we left and came back at once). The caller
  knows whether a PART echo is owed; an owed echo is the input ECHOED, an unowed one is PARTED: the server put us out.
- JOINED without having asked is believed: the server has us in the room, whatever we think. If the room is not wanted,
  the plan leaves it.

    ABSENT --ASK--> ASKED --JOINED--> PRESENT --LEAVE--> LEAVING --ECHOED/PARTED/EXPIRED--> ABSENT
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where we stand with a room."""

    ABSENT = "absent"
    ASKED = "asked"
    PRESENT = "present"
    LEAVING = "leaving"


class Input(StrEnum):
    """What can happen to a room."""

    ASK = "ask"
    """We decided to JOIN."""
    LEAVE = "leave"
    """We decided to PART."""
    JOINED = "joined"
    """The server says that we are in."""
    PARTED = "parted"
    """The server says that we are out, and we had not asked for it."""
    ECHOED = "echoed"
    """The server answers our PART."""
    REFUSED = "refused"
    """The server says that we may not be in."""
    EXPIRED = "expired"
    """No answer in time."""


S, I = State, Input  # noqa: E741 -- the table is to be read at a glance

TABLE: dict[State, dict[Input, State]] = {
    S.ABSENT: {
        I.ASK: S.ASKED,
        I.LEAVE: S.ABSENT,
        I.JOINED: S.PRESENT,
        I.PARTED: S.ABSENT,
        I.ECHOED: S.ABSENT,
        I.REFUSED: S.ABSENT,
        I.EXPIRED: S.ABSENT,
    },
    S.ASKED: {
        I.ASK: S.ASKED,
        I.LEAVE: S.LEAVING,
        I.JOINED: S.PRESENT,
        I.PARTED: S.ABSENT,
        I.ECHOED: S.ASKED,
        I.REFUSED: S.ABSENT,
        I.EXPIRED: S.ABSENT,
    },
    S.PRESENT: {
        I.ASK: S.PRESENT,
        I.LEAVE: S.LEAVING,
        I.JOINED: S.PRESENT,
        I.PARTED: S.ABSENT,
        I.ECHOED: S.PRESENT,
        I.REFUSED: S.ABSENT,
        I.EXPIRED: S.PRESENT,
    },
    S.LEAVING: {
        I.ASK: S.LEAVING,
        I.LEAVE: S.LEAVING,
        I.JOINED: S.LEAVING,
        I.PARTED: S.ABSENT,
        I.ECHOED: S.ABSENT,
        I.REFUSED: S.ABSENT,
        I.EXPIRED: S.ABSENT,
    },
}


def step(state: State, happened: Input) -> State:
    """The state after `happened`."""
    return TABLE[state][happened]


def diagram() -> str:
    """The table as a Mermaid state diagram; inputs that change nothing are left out."""
    lines = ["stateDiagram-v2", f"    [*] --> {S.ABSENT}"]
    for state, answers in TABLE.items():
        for after in S:
            if inputs := [happened.value for happened, then in answers.items() if then is after and then is not state]:
                lines.append(f"    {state} --> {after}: {', '.join(inputs)}")
    return "\n".join(lines)
