"""The chat server as a whole: its connections, and what the world makes it say to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from allthepoints.base.clock import Chance, Clock
from allthepoints.sim import replies
from allthepoints.sim.agenda import Agenda
from allthepoints.sim.chat import ChatConnection
from allthepoints.sim.limits import Limits
from allthepoints.sim.outlet import Wire
from allthepoints.sim.tally import Journal
from allthepoints.sim.tokens import TokenBook
from allthepoints.sim.troubles import Troubles
from allthepoints.sim.world import User, World


@dataclass(slots=True)
class ChatHub:
    """What all connections share. `connections` by number, open ones only, oldest first."""

    world: World
    journal: Journal
    tokens: TokenBook
    troubles: Troubles
    agenda: Agenda
    clock: Clock
    chance: Chance
    limits: Limits
    connections: dict[int, ChatConnection] = field(default_factory=dict)
    shut: Callable[[float], None] = lambda _seconds: None
    """Refuse new connections for so many seconds: set by what listens. In memory nothing does."""

    def connect(self, wire: Wire) -> ChatConnection:
        """A client has connected."""
        self.journal.connections += 1
        connection = ChatConnection(self, self.journal.connections, wire)
        self.connections[connection.number] = connection
        return connection

    def forget(self, connection: ChatConnection) -> None:
        """A connection has ended."""
        self.connections.pop(connection.number, None)

    def of(self, account: User) -> list[ChatConnection]:
        """The account's connections that are signed in, without half-open ones."""
        return [one for one in self.connections.values() if one.user is account and not one.out.deaf]

    def seats(self, account: User) -> int:
        """Rooms that it sits in and could leave, those that do not count left out."""
        rooms = {room for connection in self.of(account) for room in connection.rooms}
        return sum(not self.world.exempt(account.id, room) for room in rooms)

    # -- what happens to rooms -------------------------------------------------------------------------------------
    def tell_members(self, channel: User, line: str, about: User) -> None:
        """Somebody's JOIN or PART, to those in the room who asked for membership; not to the somebody."""
        for connection in list(self.connections.values()):
            if channel.id in connection.rooms and connection.user is not about and connection.has("membership"):
                connection.say(line)

    def empty(self, channel: User) -> None:
        """Its chat is gone from where it was (renamed, suspended, deleted): everybody is out, nobody is told."""
        for connection in list(self.connections.values()):
            connection.drop(channel)

    def ban(self, channel: User, account: User, *, tell: bool = True) -> None:
        """For ever: CLEARCHAT (unless not told), and out of the room by a PART."""
        if account.id not in channel.banned:
            self.journal.of(account.id).told.pop(channel.id, None)  # of this ban it knows nothing yet
        channel.banned.add(account.id)
        if tell:
            self._clear_chat(channel, account, None)
        for connection in self.of(account):
            connection.put_out(channel)

    def time_out(self, channel: User, account: User, seconds: int) -> None:
        """May not talk for a while; stays in the room."""
        self._clear_chat(channel, account, seconds)

    def _clear_chat(self, channel: User, account: User, seconds: int | None) -> None:
        for connection in list(self.connections.values()):
            if channel.id in connection.rooms and connection.has("commands"):
                now, tags = self.clock.now(), connection.has("tags")
                line = replies.clear_chat(channel, account, now, seconds, tags=tags)
                if seconds is None and connection.user is account:
                    connection.say_ban(channel, line)
                else:
                    connection.say(line)
