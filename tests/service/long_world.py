"""Twitch's and StreamElements' web interfaces without the web: the ports, answered out of the sandbox's own truth."""

from __future__ import annotations

from allthepoints.base.errors import Unknown
from allthepoints.base.types import Login, SeId, StreamId, UserId
from allthepoints.core.actions import ReadLive
from allthepoints.core.facts import LiveRead, UsersRead
from allthepoints.core.loyalty import Balance, Item, Loyalty, LoyaltyChannel
from allthepoints.core.model import ChannelRef, Stream, StreamKind
from allthepoints.sim.elements import SeChannel
from allthepoints.sim.server import Sandbox
from allthepoints.sim.world import Stream as Broadcast
from allthepoints.sim.world import User


class WorldLive:
    """Fulfils `ports.LiveApi` for one who follows: as late as the sandbox's Helix, and as broken."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.polls = 0
        self._sandbox = sandbox

    async def follows(self, user_id: UserId) -> tuple[ChannelRef, ...]:
        self._may_fail("/helix/channels/followed")
        followed = self._sandbox.world.follows.get(user_id, {})
        newest_first = sorted(followed, key=lambda channel: -followed[channel])
        return tuple(_ref(self._sandbox.world.users[channel]) for channel in newest_first)

    async def live(self, ask: ReadLive) -> LiveRead:
        self.polls += 1
        self._may_fail("/helix/streams/followed")
        now, followed = self._sandbox.clock.now(), self._sandbox.world.follows.get(ask.followed_by or "", {})
        shown = [_stream(user, stream) for user, stream in self._sandbox.world.shown(now) if user.id in followed]
        return LiveRead(now, ask.followed, frozenset(), tuple(shown))

    async def users(self, ids: frozenset[UserId], logins: frozenset[Login]) -> UsersRead:
        self._may_fail("/helix/users")
        world = self._sandbox.world
        asked = [world.users.get(channel) for channel in ids] + [world.by_login(login) for login in logins]
        found = {user.id: _ref(user) for user in asked if user is not None and user.exists}
        missing = logins - {ref.login for ref in found.values()}
        return UsersRead(self._sandbox.clock.now(), tuple(found.values()), ids - found.keys(), missing)

    def _may_fail(self, path: str) -> None:
        if self._sandbox.hub.troubles.take("status", self._sandbox.clock.now(), path=path) is not None:
            raise Unknown(f"{path}: answered 503")


class WorldPoints:
    """Fulfils `ports.PointsApi`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.balances = 0
        self._sandbox = sandbox

    async def find(self, login: Login) -> LoyaltyChannel | None:
        found = self._sandbox.elements.named(login)
        return None if found is None else LoyaltyChannel(SeId(found.id), _ref(found.owner))

    async def loyalty(self, se: SeId) -> Loyalty | None:
        now = self._channel(se).terms.now
        return Loyalty(now.currency, now.enabled, now.amount, now.interval, now.subscriber_multiplier)

    async def balance(self, se: SeId, viewer: Login) -> Balance | None:
        self.balances += 1
        now, channel = self._sandbox.clock.now(), self._channel(se)
        who = self._sandbox.world.find(viewer)
        if not self._sandbox.elements.knows(channel, who, now):
            return None
        return Balance(self._sandbox.elements.balance(channel, who, now))

    async def items(self, se: SeId) -> tuple[Item, ...] | None:
        assert not self._channel(se).items, "nobody sells anything on this day"
        return ()

    def _channel(self, se: SeId) -> SeChannel:
        return self._sandbox.elements.channels[se]


def _ref(user: User) -> ChannelRef:
    return ChannelRef(UserId(user.id), Login(user.login), user.display_name)


def _stream(user: User, stream: Broadcast) -> Stream:
    live = stream.helix_type == "live" and "Rerun" not in stream.tags
    kind = StreamKind.LIVE if live else StreamKind.RERUN
    return Stream(StreamId(stream.id), _ref(user), kind, stream.title, stream.started_at)
