"""Points, the store and redemptions through the whole service, on both stages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from points_grounds import Ground
from service_stages import Fakes, Sockets, Stage

from allthepoints import wiring
from allthepoints.base.errors import FaultError
from allthepoints.base.types import ItemId, Login, SeId
from allthepoints.config.environment import Environment
from allthepoints.core.loyalty import Bought, JwtState
from allthepoints.core.records import EventKind, RedemptionKept
from allthepoints.core.redeem import Reason
from allthepoints.storage.read_points import PointsReader
from allthepoints.testing.fakes_points import FakeStoreApi
from allthepoints.testing.memory_storage import MemoryStorage

pytestmark = pytest.mark.anyio


@pytest.fixture
def ground(on: Stage) -> Ground:
    return Ground(on)


async def ready(ground: Ground, points: int = 500, cost: int = 100, codes: tuple[str, ...] = ()) -> ItemId:
    """A service that knows alpha, its store, and who we are there."""
    ground.add("alpha", points)
    item = ground.sell("alpha", "Mug", cost, codes)
    ground.jwt(JwtState.GOOD)
    await ground.stage.start()
    await ground.stage.elapse(5)
    ground.stage._run.service.ask("look", Login("alpha"))
    await ground.stage.elapse(5)
    return item


# -- points --------------------------------------------------------------------------------------------------------
async def test_points_rise_and_that_is_said(ground: Ground) -> None:
    on = ground.stage
    ground.add("alpha", 1840, live=True)
    await on.start()
    for _ in range(12):
        await on.elapse(600)
        if isinstance(on, Fakes):
            on.elements.pay("alpha")
    await on.elapse(400)
    row = on.row("alpha")
    assert row.verdict == "earning"
    assert row.points is not None
    assert 1890 <= row.points <= 1900
    assert row.rate_per_hour == pytest.approx(30.0, rel=0.15)
    assert on.stored_rows()["alpha"].points == row.points
    assert not on.told(EventKind.FLAT)


async def test_fc_50_flat_is_warned_of_once_and_cleared(ground: Ground) -> None:
    on = ground.stage
    ground.add("alpha", 100, live=True)
    if isinstance(on, Sockets):
        on.sandbox.fault("bot_absent", channel="alpha", seconds=2 * 3600.0)
    await on.start()
    await on.elapse(3600)
    assert (on.row("alpha").verdict, on.warned()) == ("flat", {"channels_flat"})
    await on.stop()
    await on.start()
    await on.elapse(3600)
    assert len(on.told(EventKind.FLAT)) == 1
    for _ in range(6):
        await on.elapse(600)
        if isinstance(on, Fakes):
            on.elements.pay("alpha")
    await on.elapse(1300)
    assert (on.row("alpha").verdict, on.warned()) == ("earning", set())
    assert [len(on.told(kind)) for kind in (EventKind.FLAT, EventKind.EARNING_AGAIN)] == [1, 1]


# -- redemptions ---------------------------------------------------------------------------------------------------
async def test_fc_48_accepted_and_the_code_is_kept(ground: Ground) -> None:
    item = await ready(ground, codes=("KEY-AAA", "KEY-BBB"))
    ground.ask("k1", "alpha", item, 100)
    ground.ask("k1", "alpha", item, 100)
    ground.ask("k2", "alpha", item, 100)
    await ground.stage.elapse(10)
    one, two = ground.stored("k1"), ground.stored("k2")
    assert one is not None
    assert two is not None
    assert (one.state, one.code, ground.booked()) == ("accepted", "KEY-AAA", 1)
    assert (two.state, two.reason) == ("rejected", Reason.IN_PROGRESS)
    assert not any("KEY-" in repr(event) for event in ground.stage.events), "a code is nobody else's"
    await ground.stage.elapse(60)
    assert ground.stage.row("alpha").points == 400
    assert len(ground.stage.told(EventKind.REDEEMED)) == 1


async def test_fc_48_the_code_is_on_the_disk_before_it_is_shown(fakes: Fakes) -> None:
    ground, written = Ground(fakes), []

    class Watched(MemoryStorage):
        async def record(self, records: Any, at: float, **more: Any) -> None:
            await super().record(records, at, **more)
            written.extend(r.redemption.code for r in records if isinstance(r, RedemptionKept))

    fakes.storage = Watched
    item = await ready(ground, codes=("KEY-AAA",))
    told: list[bool] = []
    hooks, service = fakes._run.service._hooks, fakes._run.service
    assert hooks.on_event is not None
    before = hooks.on_event
    service._hooks = replace(
        hooks,
        on_event=lambda event, snapshot: (
            told.append("KEY-AAA" in written) if event.kind is EventKind.REDEEMED else before(event, snapshot)
        ),
    )
    ground.ask("k1", "alpha", item, 100)
    await fakes.elapse(10)
    assert told == [True]


@pytest.mark.parametrize("booked", [True, False])
async def test_fc_48_an_unknown_outcome_is_settled_by_reading(ground: Ground, booked: bool) -> None:
    item = await ready(ground)
    ground.lose_answer(booked=booked)
    ground.ask("k1", "alpha", item, 100)
    await ground.stage.until(lambda: ground.state("k1") == "unknown" or ground.booked(), within=40)
    ground.ask("k2", "alpha", item, 100)
    await ground.stage.elapse(240)
    assert ground.state("k1") == ("accepted" if booked else "rejected")
    assert ground.booked() == int(booked)
    assert len(ground.stage.told(EventKind.REDEMPTION_UNKNOWN)) == 1
    assert "redemption_unknown" not in ground.stage.warned()


@pytest.mark.parametrize("state", [JwtState.MISSING, JwtState.EXPIRED, JwtState.REFUSED, JwtState.MALFORMED])
async def test_fc_31_without_a_good_token_nothing_is_sent(ground: Ground, state: JwtState) -> None:
    ground.add("alpha", 500)
    item = ground.sell("alpha", "Mug", 100)
    ground.jwt(state)
    await ground.stage.start()
    await ground.stage.elapse(5)
    ground.ask("k1", "alpha", item, 100)
    ground.stage._run.service.ask("look", Login("alpha"))
    await ground.stage.elapse(70)
    one = ground.stored("k1")
    assert one is not None
    assert (one.state, one.reason, ground.booked()) == ("rejected", f"jwt_{state}", 0)
    assert ground.stage.row("alpha").points == 500, "what needs no token goes on"


async def test_fc_48_another_price_is_not_paid(ground: Ground) -> None:
    item = await ready(ground)
    ground.price("alpha", item, 130)
    ground.ask("k1", "alpha", item, 100)
    await ground.stage.elapse(10)
    one = ground.stored("k1")
    assert one is not None
    assert (one.reason, ground.booked()) == (Reason.PRICE_CHANGED, 0)


async def test_a_dry_one_is_checked_and_not_sent(ground: Ground) -> None:
    item = await ready(ground)
    ground.ask("k1", "alpha", item, 100, dry=True)
    await ground.stage.elapse(10)
    assert (ground.state("k1"), ground.booked()) == ("checked", 0)


async def test_a_channel_that_nobody_looked_at_before(ground: Ground) -> None:
    ground.add("alpha", 500)
    item = ground.sell("alpha", "Mug", 100)
    ground.jwt(JwtState.GOOD)
    await ground.stage.start()
    await ground.stage.elapse(5)
    ground.ask("k1", "alpha", item, 100)
    await ground.stage.elapse(10)
    assert (ground.state("k1"), ground.booked()) == ("accepted", 1)


# -- what must not happen --------------------------------------------------------------------------------------------
async def test_fc_48_what_is_not_written_is_not_sent(fakes: Fakes) -> None:
    ground = Ground(fakes)

    class Full(MemoryStorage):
        full = False

        async def record(self, records: Any, at: float, **more: Any) -> None:
            if Full.full:
                raise FaultError("the disk is full")
            await super().record(records, at, **more)

    fakes.storage = Full
    item = await ready(ground)
    Full.full = True
    ground.ask("k1", "alpha", item, 100)
    await fakes.elapse(30)
    assert fakes.elements.posts == []
    Full.full = False
    await fakes.elapse(30)
    one = ground.stored("k1")
    assert one is not None
    assert (one.state, one.reason) == ("rejected", Reason.NOT_WRITTEN)
    assert fakes.elements.posts == []


class Hanging(FakeStoreApi):
    """It books, and its answer hangs."""

    async def redeem(self, own: SeId, se: SeId, item: ItemId, answers: tuple[str, ...], message: str) -> Bought:
        await super().redeem(own, se, item, answers, message)
        return await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("how", ["stop", "crash"])
async def test_fc_48_an_end_during_a_post_is_settled_by_the_next_start(fakes: Fakes, how: str) -> None:
    ground = Ground(fakes)
    item = await ready(ground)
    calls = fakes._run.service._elements
    calls._store = Hanging(fakes.elements)
    ground.ask("k1", "alpha", item, 100)
    await fakes.until(lambda: fakes.elements.posts, within=10)
    await (fakes.stop() if how == "stop" else fakes.crash())
    assert ground.state("k1") == "sent"
    await fakes.start()
    await fakes.elapse(60)
    assert (ground.state("k1"), len(fakes.elements.posts), len(fakes.elements.bought)) == ("accepted", 1, 1)


async def test_fc_48_a_stop_during_a_post_over_sockets(sockets: Sockets) -> None:
    ground = Ground(sockets)
    item = await ready(ground)
    sockets.sandbox.fault("slow_booking", delay=30.0)
    ground.ask("k1", "alpha", item, 100)
    await sockets.until(ground.booked, within=10)
    assert await sockets.stop() <= 5
    assert ground.state("k1") == "sent"
    await sockets.start()
    await sockets.elapse(60)
    assert (ground.state("k1"), ground.booked()) == ("accepted", 1)


async def test_fc_31_a_token_file_that_others_could_read_is_told_once(
    sockets: Sockets, caplog: pytest.LogCaptureFixture
) -> None:
    ground = Ground(sockets)
    ground.jwt(JwtState.GOOD)
    sockets.data.jwt.chmod(0o644)
    await sockets.start()
    await sockets.elapse(7300)
    told = [record.message for record in caplog.records if "now only by its owner" in record.message]
    assert len(told) == 1


# -- an errand -------------------------------------------------------------------------------------------------------
async def test_an_errand_buys_and_enters_no_chat(sockets: Sockets, monkeypatch: pytest.MonkeyPatch) -> None:
    ground = Ground(sockets)
    ground.add("alpha", 500, live=True)
    item = ground.sell("alpha", "Mug", 100)
    ground.jwt(JwtState.GOOD)
    monkeypatch.setattr(wiring, "SystemClock", lambda: sockets.clock)

    async def errand(kind: str, asked: dict[str, Any], until: Callable[[], bool]) -> None:
        data, begun = sockets.data, sockets.at
        await wiring.errand(sockets.settings, data, Environment(), kind, Login("alpha"), asked, until, 60)
        assert sockets.at - begun < 30, "it ends when it is done"

    await errand("look", {}, lambda: any(row.points for row in PointsReader(sockets.data.database).points()))
    asked = {"key": "k1", "item": item, "cost": 100}
    await errand("redeem", asked, lambda: ground.state("k1") == "accepted")
    assert (ground.state("k1"), ground.booked(), sockets.tally.joins) == ("accepted", 1, 0)
    await errand("redeem", asked, lambda: True)
    assert ground.booked() == 1
