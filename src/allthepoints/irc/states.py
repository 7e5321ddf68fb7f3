"""The states of a chat session, all transitions in one table.

Theory. A session lives once: from the decision to connect to its end, and never again. It is CONNECTING until the
transport is up (TCP and TLS), REGISTERING until the server's 001, READY while rooms can be joined, QUITTING once QUIT
is written, ENDED at last. One deadline covers CONNECTING and REGISTERING together, because a server that accepts and
then says nothing is as useless as one that does not accept.

Silence is not a state: in READY a PING of ours may be out or not, and everything else is the same.

A cause that is not in a state's row changes nothing there: a loss that is told twice, a second 001, a late timer.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where a session is."""

    CONNECTING = "connecting"
    REGISTERING = "registering"
    READY = "ready"
    QUITTING = "quitting"
    ENDED = "ended"


class Cause(StrEnum):
    """What moves it."""

    CONNECTED = "transport is up"
    WELCOMED = "001"
    REFUSED = "login refused"
    LATE = "deadline passed"
    SILENT = "no answer to PING"
    OVERFLOW = "line without end"
    CLOSED = "server closed"
    QUIT = "we quit"


TRANSITIONS: Mapping[State, Mapping[Cause, State]] = {
    State.CONNECTING: {
        Cause.CONNECTED: State.REGISTERING,
        Cause.LATE: State.ENDED,
        Cause.CLOSED: State.ENDED,
        Cause.QUIT: State.ENDED,
    },
    State.REGISTERING: {
        Cause.WELCOMED: State.READY,
        Cause.REFUSED: State.ENDED,
        Cause.LATE: State.ENDED,
        Cause.OVERFLOW: State.ENDED,
        Cause.CLOSED: State.ENDED,
        Cause.QUIT: State.QUITTING,
    },
    State.READY: {
        Cause.SILENT: State.ENDED,
        Cause.OVERFLOW: State.ENDED,
        Cause.CLOSED: State.ENDED,
        Cause.QUIT: State.QUITTING,
    },
    State.QUITTING: {
        Cause.LATE: State.ENDED,
        Cause.OVERFLOW: State.ENDED,
        Cause.CLOSED: State.ENDED,
    },
    State.ENDED: {},
}


def after(state: State, cause: Cause) -> State | None:
    """The next state, or None where `cause` changes nothing."""
    return TRANSITIONS[state].get(cause)


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    edges: dict[tuple[State, State], list[str]] = {}
    for state, row in TRANSITIONS.items():
        for cause, target in row.items():
            edges.setdefault((state, target), []).append(cause)
    lines = [f"    {state} --> {target}: {', '.join(causes)}" for (state, target), causes in edges.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {State.CONNECTING}", *lines, f"    {State.ENDED} --> [*]"])
