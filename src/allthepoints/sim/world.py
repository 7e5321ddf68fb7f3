"""What is true in the sandbox's Twitch: who exists, who streams, who follows whom, and who sits in which chat. Pure.

Theory. Truth is kept as intervals: a channel's streams, and for each (channel, account) the times at which the account
sat in the chat. They are only ever appended to. Everything that is counted (`tally`) or paid (`points`) is derived from
them when it is asked for, so no counter can drift from what happened.

Identity is the id. A login is an address: it can move to another id, and the old one answers no more. Times are epoch
seconds and arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from allthepoints.base.clock import Chance

Span = tuple[float, float | None]
"""From when to when; None: still going on."""


@dataclass(slots=True)
class Stream:
    """One broadcast. `shown_at` and `hidden_at`: when Helix' cache notices its start and its end."""

    id: str
    kind: str
    """What it is: "live" or a repetition ("rerun", "playlist", "watch_party", "premiere")."""
    helix_type: str
    """What Get Streams calls it; some repetitions pass as "live" and show only by a tag."""
    title: str
    tags: tuple[str, ...]
    viewers: int
    started_at: float
    shown_at: float
    ended_at: float | None = None
    hidden_at: float | None = None

    def shown(self, now: float) -> bool:
        return self.shown_at <= now and (self.hidden_at is None or now < self.hidden_at)


@dataclass(slots=True)
class User:
    """A Twitch user: an account, a channel and a chat room in one. `streams` in order, the last may be on air."""

    id: str
    login: str
    display_name: str
    created_at: float
    suspended: str = ""
    """"" or the msg-id with which a JOIN is refused: msg_channel_suspended, tos_ban."""
    deleted: bool = False
    banned: set[str] = field(default_factory=set)
    barred: dict[str, str] = field(default_factory=dict)
    """Who may not enter for another reason than a ban, and the msg-id that says so."""
    moderators: set[str] = field(default_factory=set)
    streams: list[Stream] = field(default_factory=list)

    @property
    def exists(self) -> bool:
        """Whether Helix names it."""
        return not self.deleted and not self.suspended

    @property
    def on_air(self) -> Stream | None:
        return self.streams[-1] if self.streams and self.streams[-1].ended_at is None else None


class World:
    """The state. `online_lag` and `offline_lag`: bounds of how late Helix notices (seconds), drawn per stream."""

    def __init__(self, chance: Chance, online_lag: tuple[float, float], offline_lag: tuple[float, float]) -> None:
        self.users: dict[str, User] = {}
        self.online_lag = online_lag
        self.offline_lag = offline_lag
        self.follows: dict[str, dict[str, float]] = {}
        """Follower id -> followed id -> since when."""
        self.sat: dict[tuple[str, str], list[Span]] = {}
        """(channel id, account id) -> when the account was in the chat, by any of its connections."""
        self._chance = chance
        self._by_login: dict[str, str] = {}
        self._airing: dict[str, User] = {}
        self._seats: dict[tuple[str, str], set[int]] = {}
        self._rooms: dict[str, set[str]] = {}
        self._held: dict[str, dict[str, float]] = {}
        self._stream_number = 40_000_000_000

    # -- who exists ------------------------------------------------------------------------------------------------
    def add(self, user: User) -> User:
        """A new user. Raises ValueError when the id or the login is taken."""
        if user.id in self.users or user.login in self._by_login:
            raise ValueError(f"id {user.id} or login {user.login} is taken")
        self.users[user.id] = user
        self._by_login[user.login] = user.id
        return user

    def by_login(self, login: str) -> User | None:
        """Who has this login now; suspended ones too, deleted ones not."""
        return self.users.get(self._by_login.get(login.lower(), ""))

    def find(self, name: str) -> User:
        """The user with this id or login. Raises LookupError."""
        found = self.users.get(name) or self.by_login(name.removeprefix("#"))
        if found is None:
            raise LookupError(f"no user {name!r} in this sandbox")
        return found

    def follow(self, follower: str, followed: str, since: float) -> None:
        self.follows.setdefault(follower, {})[followed] = since

    def rename(self, user: User, login: str) -> None:
        """The old login answers no more. Raises ValueError when the new one is taken."""
        if login in self._by_login:
            raise ValueError(f"login {login} is taken")
        del self._by_login[user.login]
        user.login, user.display_name = login, login
        self._by_login[login] = user.id

    def delete(self, user: User, now: float) -> None:
        self.go_offline(user, now)
        user.deleted = True
        self._by_login.pop(user.login, None)
        for followed in self.follows.values():
            followed.pop(user.id, None)

    # -- who streams -----------------------------------------------------------------------------------------------
    def go_live(
        self,
        user: User,
        now: float,
        *,
        kind: str = "live",
        helix_type: str | None = None,
        title: str = "",
        tags: tuple[str, ...] = (),
        started_at: float | None = None,
    ) -> Stream:
        """A new stream; one that was on air ends. `started_at` in the past: it was on before the sandbox started."""
        self.go_offline(user, now)
        self._stream_number += 1
        started = now if started_at is None else started_at
        stream = Stream(
            id=str(self._stream_number),
            kind=kind,
            helix_type=kind if helix_type is None else helix_type,
            title=title or f"{user.display_name} is live",
            tags=tags,
            viewers=int(20 * 50 ** self._chance.draw()),
            started_at=started,
            shown_at=started + self._between(self.online_lag),
        )
        user.streams.append(stream)
        self._airing[user.id] = user
        return stream

    def go_offline(self, user: User, now: float) -> None:
        if (stream := user.on_air) is not None:
            stream.ended_at = now
            stream.hidden_at = now + self._between(self.offline_lag)

    def shown(self, now: float) -> Iterator[tuple[User, Stream]]:
        """What Get Streams lists now: behind the truth by the cache's lag, each channel at most once."""
        for user in list(self._airing.values()):
            current = _shown(user.streams, now)
            if current is not None and user.exists:
                yield user, current
            elif user.on_air is None and all((stream.hidden_at or 0.0) <= now for stream in user.streams[-2:]):
                del self._airing[user.id]

    def _between(self, bounds: tuple[float, float]) -> float:
        low, high = bounds
        return low + (high - low) * self._chance.draw()

    # -- who sits where --------------------------------------------------------------------------------------------
    def enter(self, seat: int, user_id: str, channel_id: str, now: float) -> bool:
        """Connection number `seat` of an account is in a room; True if the account was not there before."""
        key = (channel_id, user_id)
        seats = self._seats.setdefault(key, set())
        first = not seats
        seats.add(seat)
        self._held.get(user_id, {}).pop(channel_id, None)
        if first:
            self.sat.setdefault(key, []).append((now, None))
            self._rooms.setdefault(user_id, set()).add(channel_id)
        return first

    def leave(self, seat: int, user_id: str, channel_id: str, now: float, hold: float = 0.0) -> bool:
        """The seat is empty; True if it was the account's last there. `hold`: seconds until its room counts as free."""
        key = (channel_id, user_id)
        seats = self._seats.get(key, set())
        if seat not in seats:
            return False
        seats.discard(seat)
        if hold > 0:
            self._held.setdefault(user_id, {})[channel_id] = now + hold
        if seats:
            return False
        since, _ = self.sat[key][-1]
        self.sat[key][-1] = (since, now)
        self._rooms[user_id].discard(channel_id)
        return True

    def rooms(self, user_id: str) -> set[str]:
        """The ids of the rooms in which the account is, each once."""
        return self._rooms.get(user_id, set())

    def in_room(self, channel_id: str) -> list[User]:
        """The accounts in a chat now."""
        return [self.users[user] for (channel, user), seats in self._seats.items() if channel == channel_id and seats]

    def counted_rooms(self, user_id: str, now: float, *, per_seat: bool = False) -> int:
        """Rooms that count against the cap: not those the account moderates or owns; held ones until they are freed."""
        held = {room for room, until in self._held.get(user_id, {}).items() if until > now}
        rooms = [room for room in self.rooms(user_id) | held if not self.exempt(user_id, room)]
        if not per_seat:
            return len(rooms)
        return sum(max(1, len(self._seats.get((room, user_id), ()))) for room in rooms)

    def exempt(self, user_id: str, channel_id: str) -> bool:
        """Whether a room does not count: the account owns or moderates it."""
        return user_id == channel_id or user_id in self.users[channel_id].moderators


def _shown(streams: list[Stream], now: float) -> Stream | None:
    for stream in reversed(streams):
        if stream.shown(now):
            return stream
    return None
