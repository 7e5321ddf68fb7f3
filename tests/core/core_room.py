"""One channel and our room of it, in a state of which a test says one thing."""

from __future__ import annotations

from typing import Any

from allthepoints.base.types import Login, UserId
from allthepoints.core.model import ChannelRef
from allthepoints.core.observed import Channel, Connection, Observed, Phase, Room, SignIn
from allthepoints.core.policy import WINDOW, WINDOW_MARGIN, Policy
from allthepoints.core.presence import State

T = 1_700_000_000.0
ID, BETA, ALPHA = UserId("7"), UserId("8"), Login("alpha")
POLICY = Policy()
OWED = T + 60.0
HORIZON = WINDOW + WINDOW_MARGIN


def state(stands: State | None = None, written: float | None = T, **room: Any) -> Observed:
    """A channel, and our room of it on connection 1, which stands for ten minutes."""
    o = Observed(addresses={ALPHA: ID}, names={ALPHA: ID}, last_conn=1)
    o.channels = {ID: Channel(ChannelRef(ID, ALPHA, "Alpha")), BETA: Channel(ChannelRef(BETA, Login("beta"), "Beta"))}
    o.connections[1] = Connection(1, Phase.READY, T - 600)
    o.sign_in.state = SignIn.GOOD
    if stands is not None:
        o.rooms[1, ALPHA] = Room(1, ALPHA, ID, stands, written, **room)
        if stands is State.PRESENT:
            o.rooms[1, ALPHA].proven, o.channels[ID].present_since = True, T - 50
    return o


def shown(o: Observed) -> State | None:
    room = o.rooms.get((1, ALPHA))
    return None if room is None else room.state
