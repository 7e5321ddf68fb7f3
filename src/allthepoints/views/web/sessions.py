"""Who is logged in, and who may try: sessions in memory, and a throttle that nobody can fill.

Theory. A session is a random name in a cookie; here only its digest is kept, so that even a picture of this memory
logs nobody in. They end with the process, with the password that they were begun with, after a week without a visit,
and after a month in any case. Tries are counted for each address, and for all together: the second keeps a thousand
addresses from guessing faster than one, and is a rate and not a lock, so that guessers cannot keep the person out for
longer than they go on.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import secrets
from collections import OrderedDict
from dataclasses import dataclass

from allthepoints.base.budget import Window
from allthepoints.base.clock import Clock
from allthepoints.views.web.password import Password

DAY = 86_400.0
IDLE = 7 * DAY
LONGEST = 30 * DAY

MOST_SESSIONS = 100
MOST_ADDRESSES = 1_000
"""What was longest not heard of is forgotten first."""

TRIES = Window(5, 900.0)
"""Wrong passwords from one address."""

ALL_TRIES = Window(20, 60.0)
"""Tries from everywhere, right or wrong."""


@dataclass(frozen=True, slots=True)
class TooMany:
    """Not looked at; after `wait` seconds it will be."""

    wait: float


@dataclass(slots=True)
class _Session:
    began_at: float
    seen_at: float
    stamp: object


class Door:
    """Lets in who knows the password; everybody, as long as there is none and none is `needed`."""

    def __init__(self, password: Password, clock: Clock, needed: bool = True) -> None:
        self._password = password
        self._needed = needed
        self._clock = clock
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._tries: OrderedDict[str, Window] = OrderedDict()
        self._all = ALL_TRIES
        self._one = asyncio.Lock()
        self._basic: tuple[object, str] | None = None
        """The stamp of the password, and the digest of the last header that had it."""

    def locked(self) -> bool:
        """Whether one has to log in. The first password locks it at once."""
        return self._needed or self._password.stands()

    def knows(self, token: str) -> bool:
        """Whether a session of this name goes on."""
        if not token or len(token) > 100:
            return False
        key, now = _digest(token), self._clock.now()
        session = self._sessions.get(key)
        if session is None:
            return False
        over = now - session.seen_at > IDLE or now - session.began_at > LONGEST
        if over or session.stamp != self._password.stamp():
            del self._sessions[key]
            return False
        session.seen_at = now
        self._sessions.move_to_end(key)
        return True

    async def log_in(self, password: str, address: str) -> str | TooMany | None:
        """The name of a new session; None for a wrong password. Raises FaultError."""
        right = await self._try(password, address)
        if right is not True:
            return right or None
        token, now = secrets.token_urlsafe(32), self._clock.now()
        self._sessions[_digest(token)] = _Session(now, now, self._password.stamp())
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return token

    async def admits(self, password: str, address: str) -> bool | TooMany:
        """The same without a session: for programs, which send the password each time."""
        proof = (self._password.stamp(), _digest(password))
        if self._basic is not None and secrets.compare_digest(self._basic[1], proof[1]) and self._basic[0] == proof[0]:
            return True
        answer = await self._try(password, address)
        if answer is True:
            self._basic = proof
        return answer

    def log_out(self, token: str) -> None:
        """End a session."""
        self._sessions.pop(_digest(token), None)

    async def _try(self, password: str, address: str) -> bool | TooMany:
        key = _network(address)
        async with self._one:  # one at a time: each takes 32 MiB
            now = self._clock.now()
            mine = self._tries.get(key, TRIES)
            wait = max(mine.free_at(now), self._all.free_at(now)) - now
            if wait > 0:
                return TooMany(wait)
            # Counted before it is looked at: whoever hangs up has tried too.
            self._all = self._all.spend(now)
            self._count(key, mine.spend(now))
            right = await asyncio.to_thread(self._password.is_right, password)
            if right:
                self._tries.pop(key, None)
            return right

    def _count(self, key: str, window: Window) -> None:
        self._tries[key] = window
        self._tries.move_to_end(key)
        while len(self._tries) > MOST_ADDRESSES:
            self._tries.popitem(last=False)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _network(address: str) -> str:
    """Whom an address stands for: of IPv6 one household has a whole /64."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "?"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
    return str(found)
