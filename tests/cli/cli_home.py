"""What commands say, and what a service left behind for them to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from allthepoints.base.types import JSON, Login, UserId
from allthepoints.core import records as r
from allthepoints.core.model import ChannelRef, Why
from allthepoints.ports import ChannelRow

AT = 1_795_640_400.0
"""2026-11-25T21:00:00Z: when the recorded things happened."""


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


Atp = Callable[..., Result]


ROWS = (
    ChannelRow(UserId("1"), Login("alpha"), "Alpha", True, "present", None, AT - 600, AT - 3600, 0, "climbing 🌊"),
    ChannelRow(UserId("2"), Login("beta"), "ベータ", True, "refused", "banned", AT - 60, AT - 90, None, "art"),
    ChannelRow(UserId("3"), Login("gamma"), "Gamma", False, "absent", "offline", AT - 5),
)

SERVICE: dict[str, JSON] = {
    "account": {"user_id": "9", "login": "me"},
    "chat": {"connections": 1, "wanted": 1, "present": 1, "waiting": 0, "refused": 1},
    "warnings": [
        {
            "code": "channels_refused",
            "severity": "info",
            "title": "Some chats are closed to you",
            "text": "1 live channel will not have this account in the chat.",
            "since": AT - 60,
        }
    ],
}

RECORDS: tuple[r.Record, ...] = (
    r.ChannelKnown(AT - 9, ChannelRef(UserId("1"), Login("alpha"), "Alpha"), 0),
    r.ChannelKnown(AT - 9, ChannelRef(UserId("2"), Login("beta"), "ベータ"), 1),
    r.ChannelKnown(AT - 9, ChannelRef(UserId("3"), Login("gamma"), "Gamma"), None),
    r.Event(AT - 9, r.EventKind.STARTED),
    r.Event(AT - 8, r.EventKind.LIVE, UserId("1"), {"stream": "s1", "started_at": AT - 3600}),
    r.Event(AT - 7, r.EventKind.PRESENT, UserId("1")),
    r.RefusalSet(AT - 6, UserId("2"), Why.BANNED, "", None, None),
    r.Event(AT - 6, r.EventKind.REFUSED, UserId("2"), {"why": "banned", "text": ""}),
)
