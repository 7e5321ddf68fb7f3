"""One connection to the chat server, sans I/O: bytes in by `receive`, bytes out through a `Wire`.

It answers as Twitch does: capabilities before or after the login, PASS before NICK, `justinfan` without a token, the
welcome block, a JOIN that is proven by its echo, refused by a NOTICE or met with silence, PING both ways. What a client
must not do goes into the journal. Armed faults are asked for at the places where they strike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from allthepoints.sim import chat_rules, replies
from allthepoints.sim.agenda import Entry
from allthepoints.sim.outlet import Outlet, Wire
from allthepoints.sim.replies import HOST
from allthepoints.sim.tally import Attempts
from allthepoints.sim.wire import LINE_LIMIT, ClientLine, LineReader, channel_of, read_line
from allthepoints.sim.world import User

if TYPE_CHECKING:
    from allthepoints.sim.hub import ChatHub

READ_WITHIN = 1.0
"""Seconds after which what was written to a connection that still stands counts as read. A client may look at its
socket in ticks; and what it has not read of a connection that breaks, it never will."""


class ChatConnection:
    """One client. `number` counts the server's connections from 1; `rooms`: channel id -> login it was joined by."""

    def __init__(self, hub: ChatHub, number: int, wire: Wire) -> None:
        self.number = number
        self.out = Outlet(wire, hub.agenda, hub.chance)
        self.capabilities: set[str] = set()
        self.nick = ""
        self.user: User | None = None
        """Whose connection it is; None before the login, and for anonymous ones for ever."""
        self.welcomed = False
        self.rooms: dict[str, str] = {}
        self.ended = False
        self.pongs = 0
        """How many of the server's PINGs the client has answered."""
        self._hub = hub
        self._wire = wire
        self._reader = LineReader()
        self._password: str | None = None
        self._keep_alive: Entry | None = None
        self._leaving = False
        self._in_order = False
        """Whether its end was one that the client reads up to."""

    # -- what the transport calls ----------------------------------------------------------------------------------
    def receive(self, data: bytes) -> None:
        """Bytes from the client."""
        if self.out.deaf or self.ended:
            return
        for raw in self._reader.feed(data):
            self._take(raw)
            if self.ended:
                return
        if self._reader.overflown:
            self._odd("line without end")
            self.close()
        self.out.flush()

    def lost(self) -> None:
        """The transport is gone, whoever ended it."""
        if not self.ended:
            self.ended = True
            self._leave_all()
            self._hub.forget(self)

    # -- what the server does of itself ------------------------------------------------------------------------------
    def close(self) -> None:
        """End it in order, after what was sent."""
        self.out.flush()
        self._in_order = True
        self.lost()
        self._wire.close()

    def reset(self) -> None:
        """End it with an RST."""
        self.lost()
        self._wire.reset()

    def go_deaf(self) -> None:
        """Half-open: the socket stays, nothing gets through. The server gives the client up at its next PING."""
        self.out.deaf = True

    def ask_to_reconnect(self, line: str) -> None:
        """RECONNECT; whoever sent it closes the connection later. The next welcome counts as its replacement."""
        if self.has("commands"):
            self.say(line)
        self._count_leaving()

    def say(self, line: str | bytes) -> None:
        """One line, at once."""
        self.out.line(line)
        self.out.flush()

    def say_ban(self, channel: User, line: str) -> None:
        """One line, at once, by which the client learns that it is banned."""
        self._ban_line(channel, line)
        self.out.flush()

    def has(self, capability: str) -> bool:
        return f"twitch.tv/{capability}" in self.capabilities

    def put_out(self, channel: User) -> None:
        """Out of a room by the server's will: the client gets a PART of itself."""
        if channel.id in self.rooms:
            self.say_ban(channel, f":{replies.mask(self.nick)} PART #{self.rooms[channel.id]}")
            self.drop(channel)

    def drop(self, channel: User) -> None:
        """Out of a room without a word."""
        if self.rooms.pop(channel.id, None) is not None:
            self._leave(channel.id)

    # -- reading ---------------------------------------------------------------------------------------------------
    def _take(self, raw: bytes) -> None:
        if len(raw) > LINE_LIMIT:
            self._odd(f"line of more than {LINE_LIMIT} bytes")
            return
        line = read_line(raw)
        if line is None:
            self._odd("empty line")
            return
        for fault in line.odd:
            self._odd(fault)
        handler = _HANDLERS.get(line.command)
        if handler is None:
            name = line.command if re.fullmatch(r"[A-Z0-9]{1,16}", line.command) else "?"
            self._odd(f"unknown command {name}")
            self.out.line(f":{HOST} 421 {self.nick or '*'} {name} :Unknown command")
            return
        if line.command in _NEED_LOGIN and not self.welcomed:
            self._odd(f"{line.command} before the login")
            self.out.line(f":{HOST} 451 * :You have not registered")
            return
        handler(self, line)

    def _cap(self, line: ClientLine) -> None:
        sub = line.params[0].upper() if line.params else ""
        if sub == "LS":
            self.out.line(f":{HOST} CAP * LS :{' '.join(replies.CAPABILITIES)}")
        elif sub == "REQ" and len(line.params) == 2:
            wanted = line.params[1].split()
            known = bool(wanted) and all(name in replies.CAPABILITIES for name in wanted)
            if known:
                self.capabilities.update(wanted)
            else:
                self._odd("CAP REQ of a capability that Twitch does not have")
            self.out.line(f":{HOST} CAP * {'ACK' if known else 'NAK'} :{line.params[1]}")
        elif sub != "END":
            self._odd("malformed CAP")

    def _pass(self, line: ClientLine) -> None:
        if self.nick:
            self._refuse_again()
            return
        if self._password is not None:
            self._odd("PASS twice")
        self._password = line.params[0] if line.params else ""

    def _nick(self, line: ClientLine) -> None:
        if self.nick:
            self._refuse_again()
            return
        self.nick = (line.params[0] if line.params else "").lower()
        if self.nick != (line.params[0] if line.params else ""):
            self._odd("NICK is not in lower case")
        self._log_in()

    def _join(self, line: ClientLine) -> None:
        self._hub.troubles.came_to("join")
        if not line.params or len(line.params) > 1:
            self._odd("malformed JOIN")
        for name in line.params[0].split(",") if line.params else ():
            self._join_one(name)
            if self.ended:
                return

    def _part(self, line: ClientLine) -> None:
        if not line.params:
            self._odd("malformed PART")
        for name in line.params[0].split(",") if line.params else ():
            login, odd = channel_of(name)
            if odd:
                self._odd(f"PART: {odd}")
            for channel_id, joined_as in list(self.rooms.items()):
                if joined_as == login:
                    self.out.line(f":{replies.mask(self.nick)} PART #{login}")
                    del self.rooms[channel_id]
                    self._leave(channel_id)

    def _ping(self, line: ClientLine) -> None:
        if self._strikes("no_ping_reply") is None:
            self.out.line(f":{HOST} PONG {HOST} :{line.params[-1] if line.params else ''}")

    def _pong(self, line: ClientLine) -> None:
        if line.params and line.params[-1] != HOST:
            self._odd("PONG with another text than the PING")
        self.pongs += 1
        self._schedule(self._hub.limits.ping_every, self.ask_for_life)

    def _quit(self, _line: ClientLine) -> None:
        self.close()

    def _privmsg(self, _line: ClientLine) -> None:
        self._attempts().chat_lines += 1
        self._odd("PRIVMSG: wrote in chat")

    def _user(self, _line: ClientLine) -> None:
        """Twitch takes USER from ordinary IRC clients and does nothing with it."""

    # -- logging in ------------------------------------------------------------------------------------------------
    def _log_in(self) -> None:
        self._hub.troubles.came_to("login")
        user, refusal, odd = chat_rules.whose(self._hub, self.nick, self._password)
        if odd:
            self._odd(odd)
        owner = user or self._hub.world.by_login(self.nick)
        key = owner.id if owner is not None else self.nick
        in_time = self._hub.journal.of(key).logins.attempt(self._hub.clock.now())
        if not in_time:
            self._odd("more logins than the limit allows")
        if (not in_time and self._hub.limits.login_mode == "close") or self._strikes("close_after_nick") is not None:
            self.close()
            return
        if (forced := self._strikes("refuse_login")) is not None:
            refusal = replies.LOGIN_REFUSALS[forced["text"]]
        if refusal:
            self.out.line(f":{HOST} NOTICE * :{refusal}")
            self.close()
        elif self._strikes("no_welcome") is None:
            self._welcome(user)

    def _welcome(self, user: User | None) -> None:
        self.user, self.welcomed, self._password = user, True, None
        for line in replies.welcome(self.nick):
            self.out.line(line)
        if user is not None:
            self._attempts().welcomed()
            if self.has("commands"):
                line = replies.global_user_state(user)
                self.out.line(line if self.has("tags") else _untagged(line))
        self.ask_for_life()

    def _refuse_again(self) -> None:
        self._odd("PASS or NICK after the login")
        self.out.line(f":{HOST} NOTICE * :NICK already set")
        self.close()

    # -- rooms -----------------------------------------------------------------------------------------------------
    def _join_one(self, name: str) -> None:
        login, odd = channel_of(name)
        if odd:
            self._odd(f"JOIN: {odd}")
        if not login:
            return
        channel = self._hub.world.by_login(login)
        attempts = self._attempts()
        if channel is not None and self.user is not None and self.user.id in channel.banned:
            attempts.after_ban.append((self._hub.clock.now(), channel.id, attempts.told.get(channel.id)))
        if not attempts.joins.attempt(self._hub.clock.now()) and self._hub.limits.join_mode != "accept":
            if self._hub.limits.join_mode == "disconnect":
                self.close()
            return
        names = (login, channel.id if channel is not None else "")
        if self._strikes("lose_join", channel=names) is None and self._strikes("ghost_joins", channel=names) is None:
            if (late := self._strikes("late_ack", channel=names)) is not None:
                self._hub.agenda.later(late["delay"], lambda: self._admit(login))
            else:
                self._admit(login)

    def _admit(self, login: str) -> None:
        """What becomes of a JOIN that the server takes up."""
        if self.ended:
            return
        channel = self._hub.world.by_login(login)
        refusal = chat_rules.refusal(self._hub, self.user, channel, self.rooms)
        if refusal == chat_rules.FULL and self.user is not None:
            really = self._hub.seats(self.user) >= self._hub.limits.rooms
            self._attempts().over_rooms += really
            self._attempts().slots_held += not really
        if refusal == "msg_banned" and channel is not None:
            self._ban_line(channel, replies.notice(refusal, login, tags=self.has("tags")))
        elif refusal:
            self.out.line(replies.notice(refusal, login, tags=self.has("tags")))
        elif channel is not None:
            self._enter(channel)
        self.out.flush()

    def _enter(self, channel: User) -> None:
        others = [user.login for user in self._hub.world.in_room(channel.id)] if self.has("membership") else []
        self.rooms[channel.id] = channel.login
        if self.user is not None:
            first = self._hub.world.enter(self.number, self.user.id, channel.id, self._hub.clock.now())
            attempts = self._attempts()
            attempts.rooms_peak = max(attempts.rooms_peak, len(self._hub.world.rooms(self.user.id)))
            if first:
                self._hub.tell_members(channel, f":{replies.mask(self.nick)} JOIN #{channel.login}", self.user)
        names = f":{self.nick}.{HOST} 353 {self.nick} = #{channel.login} :"
        self.out.line(f":{replies.mask(self.nick)} JOIN #{channel.login}")
        if others:
            self.out.line(names + " ".join(others))
        self.out.line(names + self.nick)
        self.out.line(f":{self.nick}.{HOST} 366 {self.nick} #{channel.login} :End of /NAMES list")
        if self.has("commands"):
            states = [replies.user_state(self.user, channel)] if self.user is not None else []
            for line in [*states, replies.room_state(channel)]:
                self.out.line(line if self.has("tags") else _untagged(line))

    def _leave(self, channel_id: str, hold: float = 0.0) -> None:
        if self.user is None:
            return
        if self._hub.world.leave(self.number, self.user.id, channel_id, self._hub.clock.now(), hold):
            channel = self._hub.world.users[channel_id]
            self._hub.tell_members(channel, f":{replies.mask(self.nick)} PART #{channel.login}", self.user)

    def _leave_all(self) -> None:
        if self._keep_alive is not None:
            self._keep_alive.cancel()
        self._count_leaving()
        slow = self._strikes("slow_slots") if self.rooms else None
        for channel_id in list(self.rooms):
            del self.rooms[channel_id]
            self._leave(channel_id, slow["hold"] if slow else 0.0)

    # -- keeping alive ---------------------------------------------------------------------------------------------
    def ask_for_life(self) -> None:
        self.say(f"PING :{HOST}")
        self._schedule(self._hub.limits.pong_within, self._give_up)

    def _give_up(self) -> None:
        """No PONG came. Of a half-open connection the client hears nothing, not even its end."""
        if self.out.deaf:
            self._leave_all()
        else:
            self.close()

    def _schedule(self, seconds: float, call: Callable[[], None]) -> None:
        if self._keep_alive is not None:
            self._keep_alive.cancel()
        self._keep_alive = self._hub.agenda.later(seconds, call)

    # -- notes -----------------------------------------------------------------------------------------------------
    def _ban_line(self, channel: User, line: str) -> None:
        self.out.line(line, sent=lambda: self._ban_was_sent(channel.id))

    def _ban_was_sent(self, channel_id: str) -> None:
        self._hub.agenda.later(READ_WITHIN, lambda: self._ban_was_read(channel_id))

    def _ban_was_read(self, channel_id: str) -> None:
        reads = self._in_order or not self.ended
        if reads and self.user is not None and self.user.id in self._hub.world.users[channel_id].banned:
            self._attempts().told.setdefault(channel_id, self._hub.clock.now())

    def _count_leaving(self) -> None:
        if self.user is not None and not self._leaving:
            self._leaving = True
            self._attempts().unreplaced += 1

    def _attempts(self) -> Attempts:
        return self._hub.journal.of(self.user.id if self.user is not None else self.nick)

    def _strikes(self, fault: str, **scene: object) -> Mapping[str, Any] | None:
        return self._hub.troubles.take(fault, self._hub.clock.now(), connection=self.number, **scene)

    def _odd(self, text: str) -> None:
        self._hub.journal.odd(f"chat: {text}")


def _untagged(line: str) -> str:
    return line.partition(" ")[2]


_HANDLERS: dict[str, Callable[[ChatConnection, ClientLine], None]] = {
    "CAP": ChatConnection._cap,
    "PASS": ChatConnection._pass,
    "NICK": ChatConnection._nick,
    "USER": ChatConnection._user,
    "JOIN": ChatConnection._join,
    "PART": ChatConnection._part,
    "PING": ChatConnection._ping,
    "PONG": ChatConnection._pong,
    "QUIT": ChatConnection._quit,
    "PRIVMSG": ChatConnection._privmsg,
}

_NEED_LOGIN = frozenset(("JOIN", "PART", "PRIVMSG"))
