"""A session through anything: bytes cut anywhere, time, and what is asked of it, in every order that chance finds."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from allthepoints.base.secret import Secret
from allthepoints.irc.events import Ended, SessionEvent, Welcome
from allthepoints.irc.session import LINE_LIMIT, Session, SessionOptions, WrongState
from allthepoints.irc.states import State

NICK = "sk_me"
TOKEN = "canarytoken0123456789"
OPTIONS = SessionOptions(max_line=2048)

SAYS = frozenset((b"CAP", b"PASS", b"NICK", b"JOIN", b"PART", b"PING", b"PONG", b"QUIT"))

LINES = st.sampled_from(
    (
        b":tmi.twitch.tv 001 sk_me :Welcome, GLHF!\r\n",
        b":tmi.twitch.tv 001 other_me :Welcome, GLHF!\r\n",
        b":sk_me!sk_me@sk_me.tmi.twitch.tv JOIN #alpha\r\n",
        b":sk_me!sk_me@sk_me.tmi.twitch.tv PART #alpha\r\n",
        b"@msg-id=msg_banned :tmi.twitch.tv NOTICE #alpha :You are permanently banned\r\n",
        b":tmi.twitch.tv NOTICE * :Login authentication failed\r\n",
        b":tmi.twitch.tv NOTICE * :Login authentication failed: oauth:canarytoken0123456789\r\n",
        b"@room-id=1;slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE #alpha\r\n",
        b":bob!bob@bob.tmi.twitch.tv PRIVMSG #alpha :PING oauth:canarytoken0123456789\r\n",
        b":tmi.twitch.tv PONG tmi.twitch.tv :allthepoints-1\r\n",
        b"PING :tmi.twitch.tv\r\n",
        b"PING :a\rQUIT\r\n",
        b":tmi.twitch.tv RECONNECT\r\n",
        b"ERROR :Closing link oauth:canarytoken0123456789\r\n",
        b"\r\n",
    )
)
"""Whole lines; cut and damaged by `hears`."""

NAMES = [f"somebody_with_a_name_{n:04}" for n in range(45)]
ROOMS = st.one_of(st.lists(st.sampled_from(NAMES), max_size=5), st.integers(0, len(NAMES)).map(lambda n: NAMES[:n]))


class Storm(RuleBasedStateMachine):
    """`tick` is called at each deadline, as the pump does. What was said and told is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.session = Session(NICK, Secret(TOKEN), self.now, OPTIONS)
        self.began = self.heard = self.now
        self.quit_at: float | None = None
        self.said: list[bytes] = []
        self.told: list[SessionEvent] = []
        self.asked: list[str] = []

    @property
    def over(self) -> bool:
        return self.session.state is State.ENDED

    def take(self, events: list[SessionEvent]) -> None:
        self.told += events
        out = self.session.outgoing()
        assert out.endswith(b"\r\n") or not out, "whole lines"
        assert not (out and self.over), "nothing is said any more"
        self.said += out.split(b"\r\n")[:-1]

    @initialize(so_far=st.sampled_from(("connecting", "registering", *["ready"] * 4)))
    def begins(self, so_far: str) -> None:
        if so_far != "connecting":
            self.is_connected()
        if so_far == "ready":
            self.receives(b":tmi.twitch.tv 001 sk_me :Welcome, GLHF!\r\n")

    @precondition(lambda self: self.session.state is State.CONNECTING)
    @rule()
    def is_connected(self) -> None:
        self.session.connected(self.now)
        self.heard = self.now
        self.take([])

    @rule(lines=st.lists(LINES, min_size=1, max_size=5), cut=st.integers(0, 400), damage=st.binary(max_size=3))
    def hears(self, lines: list[bytes], cut: int, damage: bytes) -> None:
        whole = b"".join(lines)
        self.receives(whole[:cut] + damage + whole[cut:] if cut < len(whole) else whole)

    @rule(data=st.binary(min_size=1, max_size=3000))
    def hears_anything(self, data: bytes) -> None:
        self.receives(data)

    def receives(self, data: bytes) -> None:
        if self.session.state is not State.CONNECTING:
            self.heard = self.now
        self.take(self.session.receive(data, self.now))

    @rule(seconds=st.sampled_from([0.0, 0.5, 4.9, 5.0, 10.0, 19.9, 20.0, 29.0, 31.0, 41.0, 400.0]))
    def time_passes(self, seconds: float) -> None:
        until = self.now + seconds
        while (at := self.session.deadline()) is not None and at <= until:
            assert at <= self.latest(), self.session.state
            self.now = max(self.now, at)
            ready = self.session.state is State.READY
            self.take(self.session.tick(self.now))
            assert not (ready and self.over) or self.now >= self.heard + OPTIONS.pong_timeout, "an answer has time"
            assert self.session.deadline() != at, "a deadline is over once it was told"
        self.now = until

    @rule(rooms=ROOMS, leave=st.booleans())
    def is_asked(self, rooms: list[str], leave: bool) -> None:
        ask = self.session.part if leave else self.session.join
        if self.session.state is not State.READY:
            with pytest.raises(WrongState):
                ask(rooms, self.now)
            self.take([])
            return
        ask(rooms, self.now)
        before = len(self.said)
        self.take([])
        verb = b"PART " if leave else b"JOIN "
        assert all(line.startswith(verb) and len(line) + 2 <= LINE_LIMIT for line in self.said[before:])
        named = [name for line in self.said[before:] for name in line[len(verb) :].decode().split(",")]
        assert named == ["#" + room for room in dict.fromkeys(rooms)]
        self.asked += named

    @rule(how=st.sampled_from((*["not"] * 4, "quit", "cut")))
    def comes_to_an_end(self, how: str) -> None:
        if how == "cut":
            self.take(self.session.receive_eof(self.now))
        elif how == "quit":
            self.quits()

    def quits(self) -> None:
        if self.session.state in (State.REGISTERING, State.READY):
            self.quit_at = self.now
        self.session.quit(self.now)
        self.take([])

    @invariant()
    def only_what_may_be_said_is_said(self) -> None:
        verbs = [line.split(b" ")[0] for line in self.said]
        assert set(verbs) <= SAYS, "nothing that others could read"
        assert [verbs.count(one) for one in (b"CAP", b"PASS", b"NICK")] in ([0, 0, 0], [1, 1, 1])
        assert verbs.count(b"QUIT") <= 1
        assert self.said.count(b"PASS oauth:" + TOKEN.encode()) == verbs.count(b"PASS")
        rooms = [name for line in self.said if line[:5] in (b"JOIN ", b"PART ") for name in line[5:].split(b",")]
        assert len(rooms) == len(self.asked), "no server makes us enter or leave"

    @invariant()
    def it_ends_once_and_then_is_still(self) -> None:
        ends = [event for event in self.told if isinstance(event, Ended)]
        assert len(ends) <= 1
        assert sum(isinstance(event, Welcome) for event in self.told) <= 1
        if ends:
            assert self.over
            assert self.told[-1] is ends[0]
        if self.over:
            assert self.session.deadline() is None
            assert not self.session.outgoing()
        assert TOKEN not in repr(self.told)

    def latest(self) -> float:
        """When it must be over, if nothing more comes."""
        match self.session.state:
            case State.READY:
                return self.heard + OPTIONS.idle_ping + OPTIONS.pong_timeout
            case State.QUITTING:
                assert self.quit_at is not None
                return self.quit_at + OPTIONS.pong_timeout
            case _:
                return self.began + OPTIONS.welcome_timeout

    @invariant()
    def it_waits_for_nobody_for_ever(self) -> None:
        if not self.over:
            assert self.now < self.latest()
            assert self.session.deadline() is not None


TestStorm = Storm.TestCase
TestStorm.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)
