"""The table of states: every cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from allthepoints.base.secret import Secret
from allthepoints.irc.events import SessionEvent
from allthepoints.irc.session import Session, SessionOptions, WrongState
from allthepoints.irc.states import TRANSITIONS, Cause, State, after

WELCOME = b":tmi.twitch.tv 001 me :Welcome, GLHF!\r\n"
REFUSAL = b":tmi.twitch.tv NOTICE * :Login authentication failed\r\n"


def _session(state: State) -> Session:
    session = Session("me", Secret("T0"), 0.0, SessionOptions(max_line=100))
    if state is State.CONNECTING:
        return session
    session.connected(0.0)
    if state is State.REGISTERING:
        return session
    session.receive(WELCOME, 0.0)
    if state is State.READY:
        return session
    session.quit(0.0)
    if state is State.QUITTING:
        return session
    session.receive_eof(0.0)
    return session


def _connect(session: Session) -> list[SessionEvent]:
    try:
        session.connected(1.0)
    except WrongState:
        assert session.state is not State.CONNECTING
    return []


def _silence(session: Session) -> list[SessionEvent]:
    if session.state is not State.READY:
        return []
    return [*session.tick(session.deadline() or 0.0), *session.tick(session.deadline() or 0.0)]


def _lateness(session: Session) -> list[SessionEvent]:
    if session.state is State.READY:  # there the deadline is a PING's
        return []
    return session.tick(session.deadline() or 0.0)


def _quit(session: Session) -> list[SessionEvent]:
    session.quit(1.0)
    return []


CAUSES: dict[Cause, Callable[[Session], list[SessionEvent]]] = {
    Cause.CONNECTED: _connect,
    Cause.WELCOMED: lambda session: session.receive(WELCOME, 1.0),
    Cause.REFUSED: lambda session: session.receive(REFUSAL, 1.0),
    Cause.LATE: _lateness,
    Cause.SILENT: _silence,
    Cause.OVERFLOW: lambda session: session.receive(b"x" * 101, 1.0),
    Cause.CLOSED: lambda session: session.receive_eof(1.0),
    Cause.QUIT: _quit,
}


@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("state", State)
def test_every_cell(state: State, cause: Cause) -> None:
    session = _session(state)
    assert session.state is state
    CAUSES[cause](session)
    assert session.state is (after(state, cause) or state)


def test_every_state_can_be_reached_and_ends() -> None:
    reached = {State.CONNECTING}
    for _ in State:
        reached |= {target for state in reached for target in TRANSITIONS[state].values()}
    assert reached == set(State)
    assert all(State.ENDED in row.values() for state, row in TRANSITIONS.items() if state is not State.ENDED)
    assert not TRANSITIONS[State.ENDED]
