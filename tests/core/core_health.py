"""What tests of warnings stand on: a state of which nothing is to be told, and changes to it by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core_room import BETA, ID, T, state

from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core.model import Account, Stream, StreamKind, Why
from allthepoints.core.observed import Observed, Read, RoomCap, SignIn
from allthepoints.core.presence import State
from allthepoints.core.refusals import Refusal

BOTH: dict[str, object] = {"channels.8.live": True, "channels.8.present_since": T - 40, "live": {ID, BETA}}
"""The other channel is live as well, and we are in its chat."""

GONE, NOBODY, OTHER = Login("gone"), Login("nobody"), Login("other")
LOST: dict[str, object] = {"sign_in.state": SignIn.LOST, "sign_in.since": T - 5}
REFUSED: dict[str, object] = {"sign_in.chat_refusals": 2, "sign_in.refused_since": T - 9}
CUT: dict[str, object] = {"connections": {}, "disconnected_since": T - 30}
FAILS = Read(pending=True, failures=3, failing_since=T - 20, error="502 Bad Gateway")
LATER = Read(failures=3, failing_since=T - 40, not_before=T - 9.9, error="no answer")
CAP = RoomCap(40, T + 60, T - 8)
BANNED = Refusal(Why.BANNED, T - 8, "You are banned.", StreamId("s7"), None)
SUSPENDED = Refusal(Why.SUSPENDED, T - 6, "It is gone.", StreamId("s8"), None)
FORMER = Refusal(Why.SUSPENDED, T - 9, "It was gone.", StreamId("another"), None)
MUTE = Refusal(Why.UNANSWERED, T - 7, "", StreamId("s7"), T + 1)


def well(changed: Mapping[str, object]) -> Observed:
    """We are signed in and in the chat of alpha, which is live; beta was live and is followed too. `changed`: what is
    otherwise, each by where it is: `sign_in.since`, `channels.7.refusal`."""
    o = state(State.PRESENT)
    o.account, o.may_read_follows, o.stale = Account(UserId("1"), Login("me")), True, False
    for channel, seconds in ((ID, 3000.0), (BETA, 2000.0)):
        known = o.channels[channel]
        known.followed, known.live = 0, channel == ID
        known.stream = Stream(StreamId(f"s{channel}"), known.ref, StreamKind.LIVE, "", T - seconds)
    o.addresses[Login("beta")] = o.names[Login("beta")] = BETA
    o.live = {ID}
    for place, value in changed.items():
        *path, last = place.split(".")
        holder: Any = o
        for name in path:
            holder = holder[name] if isinstance(holder, dict) else getattr(holder, name)
        if isinstance(holder, dict):
            holder[last] = value
        else:
            setattr(holder, last, value)
    return o
