"""What the person wants, and the tuning numbers, each with its reason. A value: a changed config is another Policy."""

from __future__ import annotations

from dataclasses import dataclass, field

from allthepoints.base.backoff import Backoff
from allthepoints.base.types import Login

ACCOUNT_ROOMS = 100
"""Rooms an account may be in (Twitch, since 2024-05-16)."""

JOIN_LIMIT = 20
LOGIN_LIMIT = 20
"""JOIN attempts and logins that Twitch allows an account in WINDOW seconds; every channel of a comma list counts."""

WINDOW = 10.0

WINDOW_MARGIN = 0.5
"""Seconds added to the window: the server's clock and ours do not measure the same instant."""

JOIN_IN_FLIGHT = 15.0
"""A JOIN spends its budget when it is acknowledged, at most this long after it was written: a stalled network must not
squeeze two of our windows into one of the server's. As long as `ask_timeout`, for until then it may be on its way."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Something wanted of a channel's store. `item`: its id or its exact name.

    `auto`: buy it without asking, `count` times in all, for at most `max_cost`, spending at most `per_day` points on
    this wish in 24 hours (None: no limit of its own) and never below `keep` points.
    """

    channel: Login
    item: str
    auto: bool = False
    max_cost: int | None = None
    per_day: int | None = None
    keep: int = 0
    count: int = 1


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything `plan` may ask about what is wanted. Durations in seconds."""

    followed: bool = True
    include: tuple[Login, ...] = ()
    exclude: frozenset[Login] = frozenset()
    priority: tuple[Login, ...] = ()
    paused: frozenset[Login] = frozenset()
    max_rooms: int = 90

    poll_live: float = 30.0
    offline_after: float = 180.0
    """Get Streams drops live channels for a poll or two, and flaps in a stream's first minute."""
    poll_follows: float = 3600.0
    check_sign_in: float = 3600.0
    """Twitch wants /validate at start and hourly."""

    rooms_per_connection: int = 50
    """Two half-full connections: a dead socket costs half."""
    ask_timeout: float = 15.0
    """Acks take under a second; 15 s is past every delay clients report for a healthy connection."""
    ask_tries: int = 3
    leave_timeout: float = 10.0
    stable_after: float = 60.0
    """A connection that lived this long was a success: its loss is a first failure, not a further one."""
    forced_part_is_ban: bool = True
    """Twitch puts out whom it bans, and says so only by a PART. False: try once more and let the NOTICE tell."""

    presence: bool = True
    """False: nobody is asked who is live and no chat is entered: a command needs StreamElements alone."""
    poll_balance: float = 300.0
    poll_store: float = 900.0
    flat_after: float = 1800.0
    """Confirmed, live presence without a rise after which something is wrong: at least three payments are missing."""
    wishes: tuple[Wish, ...] = ()

    reconnect: Backoff = field(default_factory=lambda: Backoff(first=1.0, cap=120.0, floor=0.25))
    redial: Backoff = field(default_factory=lambda: Backoff(first=1.0, cap=15.0, floor=0.25))
    """Where nobody was reached: such a try costs no server anything, and most networks are back within minutes."""
    redials: int = 80
    """Failures in a row after which that is as seldom as any other try: a night without a network is not told by the
    thousand rows."""
    reread: Backoff = field(default_factory=lambda: Backoff(first=4.0, cap=120.0, floor=1.0))
