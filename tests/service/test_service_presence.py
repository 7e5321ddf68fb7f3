"""In the right chats, and only those, by the sandbox's own word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from service_stages import Fakes, Sockets, Stage, stage

from allthepoints.base.types import Login
from allthepoints.core.records import EventKind

pytestmark = pytest.mark.anyio

OFFLINE_WITHIN = 30 + 180 + 31
"""Seconds from the end of a stream until its chat is left: to the first poll that misses it, and the hold-off."""


async def test_live_at_60_is_present_by_75(on: Stage) -> None:
    on.add("alpha", "beta")
    await on.start()
    await on.elapse(59.9)
    assert on.rooms == set()
    on.go_live("alpha")
    await on.elapse(15.1)
    assert on.at == pytest.approx(75.0)
    assert on.rooms == {"alpha"}
    assert (on.row("alpha").state, on.row("alpha").live) == ("present", True)
    assert (on.row("beta").state, on.row("beta").live, on.row("beta").reason) == ("absent", False, "offline")
    on.go_offline("alpha")
    await on.until(lambda: not on.rooms, within=OFFLINE_WITHIN)
    await on.elapse(1)
    assert (on.row("alpha").state, on.row("alpha").reason) == ("absent", "offline")
    assert [e.kind for e in on.events if e.channel] == [
        EventKind.LIVE,
        EventKind.PRESENT,
        EventKind.OFFLINE,
        EventKind.LEFT,
    ]


async def test_the_first_join_comes_within_2_s_of_the_start(on: Stage) -> None:
    on.add("alpha", live=True)
    await on.start()
    await on.until(lambda: on.rooms == {"alpha"}, within=2.0)


async def test_fc_20_nobody_is_live(on: Stage) -> None:
    on.add("alpha", live=True)
    await on.start()
    await on.elapse(5)
    on.go_offline("alpha")
    await on.until(lambda: not on.rooms, within=OFFLINE_WITHIN)
    await on.elapse(600)
    assert on.snapshot.census.wanted == 0
    assert not on.warned()


async def test_fc_21_an_outage_of_helix_keeps_presence(on: Stage) -> None:
    on.add("alpha", "beta", live=True)
    await on.start()
    await on.elapse(5)
    on.outage(True)
    on.go_offline("beta")
    await on.elapse(3600)
    assert on.rooms == {"alpha", "beta"}
    assert on.warned() == {"helix_failing"}
    on.outage(False)
    await on.until(lambda: on.rooms == {"alpha"}, within=120 + OFFLINE_WITHIN)
    assert not on.warned()
    assert [len(on.told(kind)) for kind in (EventKind.HELIX_FAILED, EventKind.HELIX_BACK)] == [1, 1]


@pytest.mark.parametrize("kind", ["empty", "html", "truncated", "two_values", "data_null", "foreign", "broken_gzip"])
async def test_fc_21_an_odd_answer_means_nothing(sockets: Sockets, kind: str) -> None:
    sockets.add("alpha", live=True)
    await sockets.start()
    await sockets.elapse(5)
    sockets.sandbox.fault("body", path="/helix", kind=kind, seconds=600.0)
    await sockets.elapse(700)
    assert sockets.sat("alpha")[-1][1] is None
    assert len(sockets.sat("alpha")) == 1
    assert sockets.tally.refreshes <= 1


async def test_fc_12_a_page_of_the_follows_fails(sockets: Sockets) -> None:
    """The old list is kept whole: nobody is left."""
    sockets.add(*(f"c{number}" for number in range(150)))
    for number in (3, 140):
        sockets.go_live(f"c{number}")
    await sockets.start()
    await sockets.elapse(60)
    assert sockets.rooms == {"c3", "c140"}
    sockets.sandbox.fault("page_fails", path="/helix/channels", seconds=7200.0)
    await sockets.elapse(2 * 3600)
    assert [len(sockets.sat(f"c{number}")) for number in (3, 140)] == [1, 1]
    assert sockets.rooms == {"c3", "c140"}
    assert sockets.warned() == {"follows_stale"}


async def test_fc_16_a_rename_while_live(on: Stage) -> None:
    on.add("alpha", live=True)
    await on.start()
    await on.elapse(5)
    before = on.row("alpha")
    on.rename("alpha", "alpha2")
    await on.until(lambda: on.rooms == {"alpha2"}, within=60)
    await on.elapse(60)
    assert on.row("alpha2").id == before.id
    assert on.states() == {"alpha2": "present"}
    assert [event.data for event in on.told(EventKind.RENAMED)] == [{"from": "alpha", "to": "alpha2"}]
    assert len(on.told(EventKind.LIVE)) == 1


async def test_fc_10_a_restart_inside_one_poll(on: Stage) -> None:
    on.add("alpha", live=True)
    await on.start()
    await on.elapse(65)
    on.go_offline("alpha")
    on.go_live("alpha")
    await on.elapse(60)
    assert len(on.sat("alpha")) == 1
    assert [event.data["stream"] for event in on.told(EventKind.LIVE)] == sorted(
        {str(event.data["stream"]) for event in on.told(EventKind.LIVE)}
    )
    assert [len(on.told(kind)) for kind in (EventKind.LIVE, EventKind.OFFLINE, EventKind.PRESENT)] == [2, 1, 1]


async def test_fc_10_a_late_part_echo_does_not_end_the_new_join(on: Stage) -> None:
    on.add("alpha", live=True)
    await on.start()
    await on.elapse(5)
    # The echo of the PART stays on its way for 8 s; the person changes his mind meanwhile.
    connection = on.sandbox.hub.of(on.sandbox.account)[0]
    connection.out.trickle = (1, 0.2)
    policy = on.policy
    service = on.running.service if on.running else None
    assert service is not None
    service.take_policy(replace(policy, paused=frozenset({Login("alpha")})))
    await on.elapse(1)
    assert not on.rooms
    service.take_policy(policy)
    await on.until(lambda: on.rooms == {"alpha"}, within=31)
    await on.elapse(60)
    assert on.rooms == {"alpha"}
    assert on.row("alpha").state == "present"
    assert len(on.sat("alpha")) == 2
    assert on.tally.joins == 2


async def test_fc_11_more_live_than_rooms(on: Stage) -> None:
    on.add(*(f"c{number}" for number in range(300)))
    for number in range(160, 300):
        on.go_live(f"c{number}")
    await on.start()
    await on.elapse(120)
    # The newest follows first (c0 is the newest); who went in before the follows were read, at most 20, stays.
    first = {f"c{number}" for number in range(160, 230)}
    assert first <= on.rooms
    assert len(on.rooms) == 90
    waiting = [row.login for row in sorted(on.snapshot.rows.values(), key=lambda r: r.place or 0) if row.live]
    assert set(waiting[:90]) == on.rooms
    assert {on.row(login).reason for login in waiting[90:]} == {"no_slot"}
    assert on.warned() == {"waiting_for_rooms"}
    before = on.rooms
    on.go_offline("c200")
    await on.until(lambda: waiting[90] in on.rooms, within=OFFLINE_WITHIN)
    assert on.rooms == (before | {waiting[90]}) - {"c200"}
    tally = on.tally
    assert (tally.rooms_peak, tally.joins, tally.join_limit_violations) == (90, 91, 0)


async def test_fc_22_nobody_is_announced_twice(on: Stage) -> None:
    on.add("alpha", "beta", live=True)
    await on.start()
    await on.elapse(60)
    await on.stop()
    assert not on.rooms
    await on.elapse(30)
    await on.start()
    await on.until(lambda: on.rooms == {"alpha", "beta"}, within=5)
    await on.crash()
    await on.start()
    on.sandbox.fault("reset", connection="all")
    await on.elapse(3 * 3600)
    assert on.rooms == {"alpha", "beta"}
    assert len(on.told(EventKind.LIVE)) == 2


async def test_fc_37_only_the_differences_act(on: Stage) -> None:
    on.add("alpha", "beta", "gamma", live=True)
    service = await on.start()
    await on.elapse(5)
    service.take_policy(replace(on.policy, exclude=frozenset({Login("beta")})))
    await on.until(lambda: on.rooms == {"alpha", "gamma"}, within=1)
    await on.elapse(120)
    assert on.row("beta").reason == "excluded"
    assert [len(on.sat(login)) for login in ("alpha", "beta", "gamma")] == [1, 1, 1]
    assert (on.tally.logins, on.tally.joins) == (1, 3)
    service.take_policy(replace(on.policy, exclude=frozenset({Login("beta")}), followed=False))
    await on.until(lambda: not on.rooms, within=1)
    assert on.states() == {}


async def test_fc_37_a_channel_removed_while_asked(on: Stage) -> None:
    on.add("alpha", "beta", live=True)
    on.sandbox.fault("late_ack", channel="beta", delay=8.0)
    service = await on.start()
    await on.elapse(3)
    assert on.states() == {"alpha": "present", "beta": "asked"}
    service.take_policy(replace(on.policy, exclude=frozenset({Login("beta")})))
    await on.elapse(60)
    assert on.rooms == {"alpha"}
    assert on.states() == {"alpha": "present", "beta": "absent"}


async def test_fc_37_a_bad_config_changes_nothing(on: Stage) -> None:
    on.add("alpha", live=True)
    service = await on.start()
    await on.elapse(5)
    service.reject_config("config.toml line 3: no such key")
    await on.elapse(600)
    assert on.rooms == {"alpha"}
    assert on.warned() == {"config_rejected"}
    assert len(on.sat("alpha")) == 1
    service.take_policy(on.policy)
    await on.elapse(1)
    assert not on.warned()
    assert len(on.sat("alpha")) == 1


async def test_only_the_include_list_and_without_follows(anyio_backend: object, tmp_path: Path) -> None:
    async with stage("fakes", tmp_path, followed=False, include=(Login("alpha"), Login("gone"))) as one:
        one.add("alpha", "beta", live=True)
        await one.start()
        await one.until(lambda: one.rooms == {"alpha"}, within=10)
        await one.elapse(10)
        assert one.warned() == {"channel_not_found"}
        assert isinstance(one, Fakes)
        assert "follows" not in one.twitch.calls
