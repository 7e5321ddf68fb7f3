"""Who is live, who is followed, who exists: sessions, hold-off, unknown answers, alerts told once."""

from __future__ import annotations

import pytest
from core_world import T0, Core, World, at_work, follows, live, logins, ref, signed_in, stream

from allthepoints.base.types import Login, StreamId
from allthepoints.core import facts as f
from allthepoints.core.actions import (
    FindLoyalty,
    JoinRooms,
    OpenConnection,
    PartRooms,
    ReadFollows,
    ReadLive,
    ReadUsers,
)
from allthepoints.core.model import ChannelRef, Lost, StreamKind
from allthepoints.core.policy import Policy
from allthepoints.core.records import ChannelKnown, EventKind, Restored, SessionClosed, SessionOpened
from allthepoints.core.restore import restore

A, B = logins(0, 1)


def sessions(core: Core) -> list[tuple[str, str]]:
    told = {SessionOpened: "opened", SessionClosed: "closed"}
    return [
        (told[type(r)], r.stream.id if isinstance(r, SessionOpened) else r.stream)
        for r in core.records
        if isinstance(r, SessionOpened | SessionClosed)
    ]


def alerts(core: Core) -> list[str]:
    return [e.kind.value for e in core.events(EventKind.LIVE, EventKind.OFFLINE)]


def first_look(policy: Policy | None = None) -> Core:
    core = Core(policy)
    core.turn(signed_in())
    return core


# -- what is asked -------------------------------------------------------------------------------------------------
def test_the_first_poll_does_not_wait_for_the_follows() -> None:
    core = Core()
    core.turn()
    assert {type(a) for a in core.turn(signed_in())} == {ReadFollows, ReadLive, OpenConnection}
    assert core.turn(live(T0 + 0.5, 0), f.Welcomed(T0 + 0.5, 1)) == (JoinRooms(1, (A,)), FindLoyalty(A))
    assert [r.ref for r in core.records if isinstance(r, ChannelKnown)] == [ref(0)]


def test_names_are_asked_by_login_until_their_id_is_known() -> None:
    core = first_look(Policy(followed=False, include=(A, Login("nobody"))))
    assert core.did(ReadUsers) == [ReadUsers(frozenset(), frozenset({A, Login("nobody")}))]
    asked = core.did(ReadLive)[0]
    assert isinstance(asked, ReadLive)
    assert (asked.followed_by, asked.ids, asked.logins) == (None, frozenset(), {A, "nobody"})
    core.turn(f.UsersRead(T0 + 1, (ref(0),), frozenset(), frozenset({Login("nobody")})), live(T0 + 1))
    core.turn(now=T0 + 31)
    again = core.did(ReadLive)[-1]
    assert isinstance(again, ReadLive)
    assert (again.ids, again.logins) == ({ref(0).id}, frozenset())


def test_polls_follow_each_other_at_their_pace() -> None:
    world = World(Policy(poll_live=30, poll_follows=3600))
    world.add(0)
    world.run(4 * 3600)
    assert 470 <= len(world.core.did(ReadLive)) <= 481
    assert len(world.core.did(ReadFollows)) == 4 or len(world.core.did(ReadFollows)) == 5
    assert world.core.did(ReadUsers) == []


def test_a_changed_config_is_looked_at_at_once() -> None:
    core = at_work(0)
    core.policy = Policy(include=(B,))
    actions = core.turn(f.ConfigTaken(T0 + 3))
    assert {type(a) for a in actions} == {ReadUsers, ReadLive}


# -- live, off, unknown --------------------------------------------------------------------------------------------
def test_fc_09_a_flap_is_one_session_and_no_part() -> None:
    core = at_work(0)
    core.turn(live(T0 + 60, asked=[0]), live(T0 + 120, 0))
    assert sessions(core) == [("opened", stream(0).id)]
    assert alerts(core) == ["live"]
    assert not core.did(PartRooms)


def test_fc_09_off_for_long_then_another_session() -> None:
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0, 1, A))
    for at in (60, 120, 180, 240):
        core.turn(live(T0 + at, asked=[0]))
    assert core.did(PartRooms) == [PartRooms(1, (A,))]
    assert [r.at for r in core.records if isinstance(r, SessionClosed)] == [T0], "it ended when it was last seen"
    second = stream(0, "s2", started_at=T0 + 290)
    core.turn(live(T0 + 300, second))
    assert sessions(core) == [("opened", stream(0).id), ("closed", stream(0).id), ("opened", second.id)]
    assert alerts(core) == ["live", "offline", "live"]


def test_fc_20_nobody_is_live() -> None:
    core = at_work(0, 1)
    for at in (30, 100, 211):
        core.turn(live(T0 + at, asked=[0, 1]))
    assert core.observed.live == set()
    assert alerts(core) == ["live", "live", "offline", "offline"]


@pytest.mark.parametrize("failing", ["whole", "batch", "odd row"])
def test_fc_21_unknown_changes_nothing(failing: str) -> None:
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0, 1, A))
    for minute in range(1, 61):
        at = T0 + 60 * minute
        facts: dict[str, f.Fact] = {
            "whole": f.ReadFailed(at, "live", "502: <html>", 0.5),
            "batch": f.LiveRead(at, frozenset(), frozenset(), (), error="502"),
            "odd row": f.LiveRead(at, frozenset({ref(0).id}), frozenset(), (), frozenset({ref(0).id})),
        }
        core.turn(facts[failing])
    assert core.states() == {(1, "c0"): "present"}
    assert sessions(core) == [("opened", stream(0).id)]
    told = core.events(EventKind.HELIX_FAILED)
    assert len(told) == (1 if failing == "whole" else 0)
    core.turn(live(T0 + 3700, 0))
    assert len(core.events(EventKind.HELIX_BACK)) == len(told)


def test_fc_53_wait_until_they_say() -> None:
    core = at_work(0)
    core.turn(now=T0 + 30)
    before = len(core.did(ReadLive))
    core.turn(f.ReadFailed(T0 + 31, "live", "429", 0.0, until=T0 + 75))
    core.turn(now=T0 + 74)
    assert len(core.did(ReadLive)) == before
    core.turn(now=T0 + 75)
    assert len(core.did(ReadLive)) == before + 1


def test_helix_down_at_the_start_does_not_keep_us_out_for_ever() -> None:
    """Better old knowledge than none: after some failures what storage remembers is believed."""
    known = Restored(channels=(ChannelKnown(T0 - 60, ref(0), 0),), open_sessions=(SessionOpened(T0 - 60, stream(0)),))
    world = World(Policy())
    world.core.observed = restore(known, T0)
    world.add(0)
    world.helix_down = True
    world.run(60)
    assert world.sit_in() == [A]


# -- sessions that do not earn -------------------------------------------------------------------------------------
def test_fc_08_a_rerun_is_not_joined_and_not_told() -> None:
    core = at_work(stream(0, kind=StreamKind.RERUN))
    for at in (30, 100, 211):
        core.turn(live(T0 + at, asked=[0]))
    assert not core.did(JoinRooms)
    assert alerts(core) == []
    assert sessions(core) == [("opened", stream(0).id), ("closed", stream(0).id)]


def test_fc_08_a_stream_that_becomes_a_rerun_is_left_and_its_end_is_told_once() -> None:
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0, 1, A))
    assert core.turn(live(T0 + 20, stream(0, kind=StreamKind.RERUN))) == (PartRooms(1, (A,)),)
    for at in (30, 100, 211):
        core.turn(live(T0 + at, asked=[0]))
    assert alerts(core) == ["live", "offline"]


def test_fc_08_no_duration_spans_two_stream_ids() -> None:
    core = at_work(0)
    core.turn(live(T0 + 30, 0))
    core.turn(live(T0 + 60, stream(0, "s2", started_at=T0 + 50)))
    closed = [r for r in core.records if isinstance(r, SessionClosed)]
    assert [(r.at, r.stream) for r in closed] == [(T0 + 30, stream(0).id)]


# -- told once -----------------------------------------------------------------------------------------------------
def test_fc_22_no_second_alert_after_a_restart_a_reconnect_or_hours_of_polls() -> None:
    core = at_work(0)
    assert alerts(core) == ["live"]
    for minute in range(1, 180):
        core.turn(live(T0 + 60 * minute, stream(0)))
    core.turn(f.ConnectionLost(core.now, 1, Lost.RESET, 0.5))
    assert alerts(core) == ["live"]
    remembered = Restored(
        channels=(ChannelKnown(T0, ref(0), 0),),
        open_sessions=(SessionOpened(T0, stream(0)),),
        told=((ref(0).id, stream(0).id),),
        alive_at=core.now,
    )
    later = Core(observed=restore(remembered, core.now + 60), now=core.now + 60)
    later.turn(signed_in(later.now))
    later.turn(live(later.now, 0))
    assert later.records == [e for e in later.records if not isinstance(e, SessionOpened)]
    assert alerts(later) == []


def test_fc_22_a_session_that_was_given_up_and_comes_back_is_not_told_again() -> None:
    core = at_work(0)
    for at in (30, 100, 211):
        core.turn(live(T0 + at, asked=[0]))
    core.turn(live(T0 + 240, 0))
    assert alerts(core) == ["live", "offline"]
    assert sessions(core)[-1] == ("opened", stream(0).id)


@pytest.mark.parametrize(("away", "still_live"), [(20.0, True), (4000.0, False)])
def test_after_a_gap_in_which_nobody_looked_one_miss_is_enough(away: float, still_live: bool) -> None:
    remembered = Restored(
        channels=(ChannelKnown(T0, ref(0), 0),), open_sessions=(SessionOpened(T0 - 9000, stream(0)),), alive_at=T0
    )
    core = Core(observed=restore(remembered, T0 + away), now=T0 + away)
    core.turn(signed_in(core.now))
    core.turn(live(core.now, asked=[0]))
    assert (ref(0).id in core.observed.live) is still_live
    if not still_live:
        assert [r.at for r in core.records if isinstance(r, SessionClosed)] == [T0], "at the last sign of life"


# -- follows and users ---------------------------------------------------------------------------------------------
def test_fc_12_a_read_that_fails_keeps_the_old_list() -> None:
    core = at_work(0, 1)
    core.turn(f.ReadFailed(T0 + 3600, "follows", "500", 0.5))
    assert [c.followed for c in core.observed.channels.values()] == [0, 1]
    core.turn(follows(T0 + 3700, 1, 0))
    assert [c.followed for c in core.observed.channels.values()] == [1, 0]


def test_who_is_not_followed_any_more_is_left_and_forgotten() -> None:
    core = at_work(0, 1)
    core.turn(f.JoinWritten(T0, 1, (A, B)), f.Joined(T0, 1, A), f.Joined(T0, 1, B))
    assert core.turn(follows(T0 + 5, 1)) == (PartRooms(1, (A,)),)
    core.turn(live(T0 + 35, 1))
    assert core.observed.live == {ref(1).id}
    assert core.observed.channels[ref(0).id].live is None
    assert alerts(core) == ["live", "live"], "nobody is told that it went offline: it did not"
    assert ("closed", stream(0).id) in sessions(core)


def test_fc_15_a_name_that_twitch_does_not_know_is_asked_once_a_day() -> None:
    gone = Login("gone")
    core = first_look(Policy(followed=False, include=(A, gone)))
    core.turn(f.UsersRead(T0 + 1, (ref(0),), frozenset(), frozenset({gone})), live(T0 + 1, asked=[0]))
    assert [e.data for e in core.events(EventKind.NOT_FOUND)] == [{"login": "gone"}]
    before = len(core.did(ReadUsers))
    world_day = [core.turn(f.Ticked(T0 + at)) for at in range(10, 86_400, 600)]
    asked = [a for turn in world_day for a in turn if isinstance(a, ReadUsers)]
    assert all(gone not in a.logins for a in asked)
    core.turn(f.UsersRead(T0 + 86_000, (ref(0),), frozenset(), frozenset()))
    core.turn(now=T0 + 1 + 86_400)
    assert gone in core.did(ReadUsers)[-1].logins  # type: ignore[attr-defined]
    core.turn(f.UsersRead(T0 + 86_500, (), frozenset(), frozenset({gone})))
    assert len(core.events(EventKind.NOT_FOUND)) == 1
    assert before == 1


def test_fc_15_an_outage_of_look_ups_keeps_the_ids() -> None:
    core = at_work(0, policy=Policy(include=(A,)))
    core.turn(f.ReadFailed(T0 + 5, "users", "404 for all", 0.5))
    assert core.observed.names == {A: ref(0).id}
    assert core.observed.not_found == {}


def test_a_person_may_ask_for_an_unknown_name_again() -> None:
    gone = Login("gone")
    core = first_look(Policy(followed=False, include=(gone,)))
    core.turn(f.UsersRead(T0 + 1, (), frozenset(), frozenset({gone})))
    assert any(isinstance(a, ReadUsers) for a in core.turn(f.RetryAsked(T0 + 60, gone)))


def test_renames_of_channels_that_are_not_followed_are_looked_for_hourly() -> None:
    """A look-up of a silent room in between does not put it off."""
    world = World(Policy(followed=False, include=(A, B)))
    world.add(0, 1, followed=False)
    world.go_live(0)
    world.silent.add(ref(0).id)
    world.run(3 * 3600)
    both = [a for a in world.core.did(ReadUsers) if isinstance(a, ReadUsers) and ref(1).id in a.ids]
    assert len(both) >= 2
    world.rename(1, "elsewhere")
    world.run(3700)
    assert world.core.observed.channels[ref(1).id].ref.login == "elsewhere"


def test_a_new_display_name_is_just_that() -> None:
    core = at_work(0)
    core.records.clear()
    shown = ChannelRef(ref(0).id, A, "アルファ")
    core.turn(live(T0 + 30, stream(shown)))
    assert [r for r in core.records if isinstance(r, ChannelKnown)] == [ChannelKnown(T0 + 30, shown, 0)]
    assert not core.events(EventKind.RENAMED)


def test_unfollowed_before_the_list_was_read_is_ranked_last() -> None:
    core = first_look()
    core.turn(live(T0 + 1, 0), follows(T0 + 1, 5))
    assert core.observed.channels[ref(0).id].followed is None


def test_stream_ids_are_the_identity() -> None:
    core = at_work(0)
    assert core.observed.channels[ref(0).id].stream_id() == StreamId("1000-s1")
