"""A Twitch in memory, and the ports that look at it. They keep the contracts in `testing.contracts`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from allthepoints.base.clock import Clock
from allthepoints.base.errors import OutsideError, SignInNeeded
from allthepoints.base.secret import Secret
from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core.actions import ReadLive
from allthepoints.core.facts import LiveRead, UsersRead
from allthepoints.core.model import Account, ChannelRef, Stream, StreamKind
from allthepoints.ports import SignIn

TOKEN_LIFE = 14_400.0


@dataclass
class FakeTwitch:
    """What is true. Set `trouble`, and every call raises it."""

    clock: Clock
    account: Account = field(default_factory=lambda: Account(UserId("1001"), Login("me")))
    channels: dict[UserId, ChannelRef] = field(default_factory=dict)
    followed: list[UserId] = field(default_factory=list)
    """Newest first."""
    streams: dict[UserId, Stream] = field(default_factory=dict)
    doubtful: set[UserId] = field(default_factory=set)
    """Live, but in a row that makes no sense."""
    trouble: OutsideError | None = None
    calls: list[str] = field(default_factory=list)
    """The methods that were called, one after the other."""
    _number: int = 0

    def add(self, login: str, *, followed: bool = True, user_id: str | None = None) -> ChannelRef:
        """A new channel, offline."""
        self._number += 1
        channel = ChannelRef(UserId(user_id or str(20_000 + self._number)), Login(login), login)
        self.channels[channel.id] = channel
        if followed:
            self.followed.insert(0, channel.id)
        return channel

    def find(self, login: str) -> ChannelRef:
        """The channel with this login now. Raises StopIteration if there is none."""
        return next(channel for channel in self.channels.values() if channel.login == login)

    def go_live(self, login: str, *, kind: StreamKind = StreamKind.LIVE) -> StreamId:
        """A new stream."""
        self._number += 1
        channel = self.find(login)
        stream = Stream(StreamId(f"s{self._number}"), channel, kind, f"{login} is live", self.clock.now())
        self.streams[channel.id] = stream
        return stream.id

    def go_offline(self, login: str) -> None:
        """Its stream ends."""
        self.streams.pop(self.find(login).id, None)

    def rename(self, login: str, to: str) -> None:
        """The same channel at another login."""
        old = self.find(login)
        self.channels[old.id] = renamed = replace(old, login=Login(to), display=to)
        if old.id in self.streams:
            self.streams[old.id] = replace(self.streams[old.id], channel=renamed)

    def delete(self, login: str) -> None:
        """Gone, also from the follows."""
        channel = self.channels.pop(self.find(login).id)
        self.streams.pop(channel.id, None)
        self.followed = [one for one in self.followed if one != channel.id]

    def call(self, name: str) -> None:
        """Note a call. Raises the trouble."""
        self.calls.append(name)
        if self.trouble is not None:
            raise self.trouble


class FakeLiveApi:
    """Fulfils `ports.LiveApi`."""

    def __init__(self, twitch: FakeTwitch) -> None:
        self._twitch = twitch

    async def follows(self, user_id: UserId) -> tuple[ChannelRef, ...]:
        self._twitch.call("follows")
        if user_id != self._twitch.account.user_id:
            return ()
        return tuple(self._twitch.channels[channel] for channel in self._twitch.followed)

    async def live(self, ask: ReadLive) -> LiveRead:
        self._twitch.call("live")
        by_follow = set(self._twitch.followed) if ask.followed_by == self._twitch.account.user_id else set[UserId]()
        wanted = by_follow | ask.followed | ask.ids
        on_air = [s for s in self._twitch.streams.values() if s.channel.id in wanted or s.channel.login in ask.logins]
        odd = [stream for stream in on_air if stream.channel.id in self._twitch.doubtful]
        return LiveRead(
            self._twitch.clock.now(),
            ask.followed | ask.ids,
            ask.logins - {stream.channel.login for stream in odd},
            tuple(stream for stream in on_air if stream not in odd),
            frozenset(stream.channel.id for stream in odd),
        )

    async def users(self, ids: frozenset[UserId], logins: frozenset[Login]) -> UsersRead:
        self._twitch.call("users")
        everyone = self._twitch.channels.values()
        found = tuple(channel for channel in everyone if channel.id in ids or channel.login in logins)
        return UsersRead(
            self._twitch.clock.now(),
            found,
            ids - {channel.id for channel in found},
            logins - {channel.login for channel in found},
        )


class FakeTokens:
    """Fulfils `ports.Tokens`: tokens T0, T1, ... of which the server knows whether they live. `renewals` counts."""

    def __init__(self, twitch: FakeTwitch, scopes: frozenset[str] | None = None) -> None:
        self.renewals = 0
        self.scopes = frozenset({"chat:read", "user:read:follows"}) if scopes is None else scopes
        self._twitch = twitch
        self._alive = True
        self._revoked = False
        self._ended: str | None = None
        self._remembered: SignIn | None = None

    def expire(self) -> None:
        """The present token is dead; it can be renewed."""
        self._alive = False

    def revoke(self) -> None:
        """The person took it all back."""
        self._alive, self._revoked = False, True

    def sign_in_again(self) -> None:
        """The person signed in anew."""
        self._alive, self._revoked, self._ended = True, False, None
        self.renewals += 1

    def chat_token(self) -> Secret:
        if self._ended is not None:
            raise SignInNeeded(self._ended)
        return Secret(f"T{self.renewals}")

    def remembered(self) -> SignIn | None:
        return self._remembered if self._ended is None else None

    async def check(self) -> SignIn:
        self._twitch.call("check")
        if not self._alive:
            self._renew()
        self._remembered = SignIn(self._twitch.account, self.scopes, "c", self._twitch.clock.now() + TOKEN_LIFE)
        return self._remembered

    async def renew(self, refused: Secret) -> None:
        self._twitch.call("renew")
        if refused == self.chat_token():
            self._renew()

    def _renew(self) -> None:
        if self._revoked or self._ended is not None:
            self._ended = "the sign-in has ended"
            raise SignInNeeded(self._ended)
        self.renewals += 1
        self._alive = True
