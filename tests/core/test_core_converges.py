"""Whatever happens: budgets hold, and once the world behaves, we sit where we want to, and rest.

The machine plays Twitch, the network and the person against the core. While it does, `World` watches the budgets, the
rooms and the bans; when it stops, the world becomes reliable, and within bounded time wanted must be confirmed.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_world import T0, World, check_agrees, ref
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from allthepoints.base.types import Login, UserId
from allthepoints.core import facts as f
from allthepoints.core.actions import CheckJwt, ElementsRead, ReadFollows, ReadLive, ReadUsers, RenewSignIn
from allthepoints.core.desired import desired, is_meant, room_cap
from allthepoints.core.health import warnings
from allthepoints.core.model import Lost, StreamKind
from allthepoints.core.observed import roster
from allthepoints.core.place import census, place
from allthepoints.core.policy import Policy
from allthepoints.core.records import PresenceClosed, PresenceOpened, SessionClosed, SessionOpened

pytestmark = pytest.mark.timeout(600)  # half a minute of one core; a busy machine has less of it to give

CHANNELS = 34
NUMBERS = st.integers(0, CHANNELS - 1)
ENOUGH = 2400.0
"""Seconds within which all is well again: past the longest delay of any kind (600 s), a few times over."""

LOSSES = st.sampled_from([lost for lost in Lost if lost not in (Lost.OURS, Lost.LOGIN)])


class Storm(RuleBasedStateMachine):
    """A day on which everything goes wrong."""

    @initialize(
        seed=st.integers(0, 2**16),
        max_rooms=st.sampled_from([2, 7, 26, 90]),
        per_connection=st.sampled_from([3, 12, 50]),
        slow=st.sampled_from([0.3, 3.0, 8.0]),
        crowd=st.integers(0, CHANNELS),
    )
    def start(self, seed: int, max_rooms: int, per_connection: int, slow: float, crowd: int) -> None:
        policy = Policy(
            max_rooms=max_rooms,
            rooms_per_connection=per_connection,
            include=(Login("c32"), Login("c33"), Login("nobody")),
            priority=(Login("c5"), Login("c33")),
            poll_follows=300.0,
            poll_balance=7200.0,  # what is read of points is not what this is about
        )
        self.world = World(policy, seed, slow)
        self.world.add(*range(CHANNELS - 2))
        self.world.add(CHANNELS - 2, CHANNELS - 1, followed=False)
        for number in range(crowd):
            self.world.go_live(number)
        self.names = 0
        self.calm = False

    # -- time and the world ----------------------------------------------------------------------------------------
    @rule(seconds=st.sampled_from([0.0, 0.2, 1.0, 4.0, 11.0, 31.0, 90.0, 240.0, 700.0]))
    def wait(self, seconds: float) -> None:
        self.world.run(seconds)

    @rule(numbers=st.lists(NUMBERS, max_size=12), rerun=st.booleans())
    def some_go_live(self, numbers: list[int], rerun: bool) -> None:
        for number in numbers:
            self.world.go_live(number, StreamKind.RERUN if rerun and number % 4 == 0 else StreamKind.LIVE)

    @rule(numbers=st.lists(NUMBERS, max_size=12))
    def some_go_off(self, numbers: list[int]) -> None:
        for number in numbers:
            self.world.go_off(number)

    @rule(number=NUMBERS)
    def is_renamed(self, number: int) -> None:
        self.names += 1
        self.world.rename(number, f"new{self.names}")

    @rule(one=NUMBERS, other=NUMBERS)
    def takes_the_name_of_another(self, one: int, other: int) -> None:
        if one != other:
            self.names += 1
            login = self.world.channels[ref(other).id].login
            self.world.rename(other, f"new{self.names}")
            self.world.rename(one, login)

    @rule(number=st.integers(0, CHANNELS - 3))
    def follow_or_not(self, number: int) -> None:
        channel = ref(number).id
        if channel in self.world.following:
            self.world.following.remove(channel)
        else:
            self.world.following.insert(0, channel)

    # -- chat --------------------------------------------------------------------------------------------------------
    @rule(which=st.integers(0, 3), lost=LOSSES, late=st.booleans())
    def a_connection_falls(self, which: int, lost: Lost, late: bool) -> None:
        standing = [conn for conn, line in self.world.lines.items() if not line.gone and line.welcomed]
        if standing:
            self.world.end(standing[which % len(standing)], lost, freed_late=late)

    @rule(which=st.integers(0, 3), deaf=st.booleans())
    def a_connection_goes_mute(self, which: int, deaf: bool) -> None:
        """Half open: the session's own PING finds that out. Deaf: only JOINs are lost, and nobody tells."""
        standing = [conn for conn, line in self.world.lines.items() if not line.gone and line.welcomed]
        if not standing:
            return
        conn = standing[which % len(standing)]
        if deaf:
            self.world.lines[conn].deaf_to_joins = True
        else:
            self.world.lines[conn].mute = True
            self.world.end(conn, Lost.SILENT, delay=50.0)

    @rule(which=st.integers(0, 3))
    def the_server_asks_to_reconnect(self, which: int) -> None:
        standing = [conn for conn, line in self.world.lines.items() if not line.gone and line.welcomed]
        if standing:
            conn = standing[which % len(standing)]
            self.world.tell(f.ReconnectAsked(self.world.now, conn))
            self.world.end(conn, Lost.CLOSED, delay=30.0) if which == 3 else None

    @rule(count=st.integers(1, 30))
    def joins_are_lost(self, count: int) -> None:
        self.world.lose_joins = count

    @rule(count=st.integers(1, 5))
    def part_echoes_are_lost(self, count: int) -> None:
        self.world.lose_part_echoes = count

    @rule(down=st.booleans())
    def chat_is_down(self, down: bool) -> None:
        self.world.chat_down = down

    @rule(rooms=st.sampled_from([1, 5, 20, 100]))
    def other_programs_take_rooms(self, rooms: int) -> None:
        self.world.rooms_allowed = rooms

    @rule(number=NUMBERS, how=st.sampled_from(["ban", "put_out", "suspend", "silence", "pardon"]))
    def a_room_closes(self, number: int, how: str) -> None:
        channel = ref(number).id
        match how:
            case "ban":
                self.world.ban(number)
            case "put_out":
                self.world.put_out(number)
            case "suspend":
                self.world.suspended.add(channel)
            case "silence":
                self.world.silent.add(channel)
            case "pardon":
                for closed in (self.world.banned, self.world.suspended, self.world.silent):
                    closed.discard(channel)

    # -- Helix, sign-in, person, machine -----------------------------------------------------------------------------
    @rule(down=st.booleans())
    def helix_is_down(self, down: bool) -> None:
        self.world.helix_down = down

    @rule(token=st.sampled_from(["good", "lost", "unknown"]), refused=st.booleans())
    def the_sign_in_ails(self, token: str, refused: bool) -> None:
        self.world.token, self.world.login_refused = token, refused

    @rule(number=NUMBERS)
    def the_person_retries(self, number: int) -> None:
        self.world.tell(f.RetryAsked(self.world.now, self.world.channels[ref(number).id].login))

    @rule(
        max_rooms=st.sampled_from([1, 6, 25, 90]),
        paused=st.frozensets(NUMBERS, max_size=3),
        exclude=st.frozensets(NUMBERS, max_size=3),
        followed=st.booleans(),
    )
    def the_config_changes(
        self, max_rooms: int, paused: frozenset[int], exclude: frozenset[int], followed: bool
    ) -> None:
        self.world.core.policy = replace(
            self.world.core.policy,
            max_rooms=max_rooms,
            paused=frozenset(ref(n).login for n in paused),
            exclude=frozenset(ref(n).login for n in exclude),
            followed=followed,
        )
        self.world.tell(f.ConfigTaken(self.world.now))

    @rule(gap=st.sampled_from([5.0, 3600.0]))
    def the_host_sleeps(self, gap: float) -> None:
        """Long enough, and the server has forgotten us by the time we wake."""
        self.world.now += gap
        if gap > 60:
            for line in self.world.lines.values():
                line.mute = True
                line.rooms.clear()
        self.world.tell(f.Woke(self.world.now, gap))

    # -- what always holds ---------------------------------------------------------------------------------------------
    @invariant()
    def views_never_stumble(self) -> None:
        core = self.world.core
        slots = set(desired(core.policy, core.observed, core.now)[: room_cap(core.policy, core.observed, core.now)])
        for channel in core.observed.channels.values():
            place(core.policy, core.observed, channel, slots, core.now)
        census(core.policy, core.observed, core.now)
        warnings(core.policy, core.observed, core.now)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.lose_joins = self.world.lose_part_echoes = 0
        self.world.chat_down = self.world.login_refused = self.world.helix_down = False
        self.world.token, self.world.rooms_allowed, self.world.slow = "good", 100, 0.3
        self.world.silent.clear()
        self.world.run(ENOUGH)
        self._all_is_well()
        before = len(self.world.core.done)
        self.world.run(600.0)
        idle = [action for _, action in self.world.core.done[before:]]
        looks = ReadFollows | ReadLive | ReadUsers | RenewSignIn | CheckJwt | ElementsRead
        assert all(isinstance(a, looks) for a in idle), idle
        self._all_is_well()
        check_records(self.world)

    def _all_is_well(self) -> None:
        world, core = self.world, self.world.core
        check_agrees(world)
        names = roster(core.policy, core.observed)
        wanted = set()
        for channel_id, stream in world.live.items():
            channel = core.observed.channels.get(channel_id)
            meant = channel is not None and is_meant(names, channel_id) and stream.kind is StreamKind.LIVE
            if meant and channel is not None and not self._is_rightly_out(channel_id):
                wanted.add(world.channels[channel_id].login)
        sits = world.sit_in()
        assert len(sits) == len(set(sits)), "no room twice"
        assert set(sits) <= wanted
        assert len(sits) == min(len(wanted), core.policy.max_rooms), (sits, wanted)
        counts = census(core.policy, core.observed, core.now)
        assert (counts.present, counts.wanted) == (len(sits), len(wanted))

    def _is_rightly_out(self, channel_id: UserId) -> bool:
        """What was refused in this session, or by hand, is not asked again."""
        channel = self.world.core.observed.channels[channel_id]
        return channel.refusal is not None and channel.refusal.stands(channel.stream_id(), self.world.now)


def check_records(world: World) -> None:
    """Intervals and sessions open and close in turn, never twice, never backwards."""
    present: dict[str, float] = {}
    on: dict[str, str] = {}
    for record in world.core.records:
        match record:
            case PresenceOpened(at, channel):
                assert channel not in present
                present[channel] = at
            case PresenceClosed(at, channel):
                assert at >= present.pop(channel) >= T0
            case SessionOpened(_, stream):
                assert stream.channel.id not in on
                on[stream.channel.id] = stream.id
            case SessionClosed(_, channel, stream):
                assert on.pop(channel) == stream


TestStorm = Storm.TestCase
TestStorm.settings = settings(
    max_examples=130,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # a failure is told as it is: to make it smaller takes many minutes
    suppress_health_check=list(HealthCheck),
)
