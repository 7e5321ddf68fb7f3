"""Faults that wait for a step: ordered when the client comes there, before it is answered."""

from __future__ import annotations

from typing import Any

import pytest
from sandboxes import Chatter, always_live, headers, http, sandbox, signed_in

from allthepoints.sim.scenario import FaultPlan, ItemPlan, Scenario, ScenarioError, check, parse
from allthepoints.sim.server import Sandbox
from allthepoints.sim.troubles import STEPS
from allthepoints.testing.clock import settle

pytestmark = pytest.mark.anyio

ALPHA = "alpha"


def day(*faults: FaultPlan) -> Scenario:
    channels = [*always_live(ALPHA)]
    channels[0] = type(channels[0])(
        ALPHA, broadcasts=channels[0].broadcasts, balance=100, store=(ItemPlan("Map", 10, id="a" * 24),)
    )
    return Scenario(channels=tuple(channels), faults=faults)


def befallen(box: Sandbox) -> list[str]:
    return [one.name for one in box.journal.befallen]


async def do(box: Sandbox, step: str) -> Any:
    """What a client does there."""
    if step == "connect":
        return box.hub.troubles.came_to("connect")  # sockets: tests/sim/test_sim_sockets.py
    if step == "login":
        return await signed_in(box)
    if step == "join":
        return await (await signed_in(box)).say("JOIN #alpha")
    async with http(box) as client:
        if step == "poll":
            return await client.get("/helix/streams?user_login=alpha", headers=headers(box))
        if step == "refresh":
            tokens = box.issue_tokens()
            form = {"client_id": "sandbox", "grant_type": "refresh_token", "refresh_token": tokens.refresh}
            return await client.post("/oauth2/token", data=form)
        channel = box.elements.of(box.world.find(ALPHA))
        assert channel is not None
        if step == "read":
            return await client.get(f"/kappa/v2/points/{channel.id}/me")
        bearer = {"Authorization": f"Bearer {box.issue_jwt()}"}
        return await client.post(f"/kappa/v2/store/{channel.id}/redemptions/{'a' * 24}", headers=bearer)


@pytest.mark.parametrize("step", STEPS)
async def test_it_is_ordered_at_its_step_and_once(step: str) -> None:
    plan = FaultPlan(0.0, "points_add", {"channel": ALPHA, "amount": 5}, on=step)
    async with sandbox(scenario=day(plan)) as box:
        for other in STEPS:
            if other != step and (step, other) != ("login", "join"):  # who joins has logged in
                await do(box, other)
        assert befallen(box) == []
        await do(box, step)
        await do(box, step)
        await settle(6)
        assert befallen(box) == ["points_add"]


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ("login", "no_welcome"),
        ("join", "lose_join"),
        ("poll", "empty_streams"),
        ("refresh", "refresh_invalid"),
        ("read", "odd_points"),
        ("redeem", "lost_before_booking"),
    ],
)
async def test_what_lies_in_wait_strikes_this_very_one(step: str, name: str) -> None:
    kind = {"kind": "error"} if step == "redeem" else {}
    async with sandbox(scenario=day(FaultPlan(0.0, name, kind, on=step))) as box:
        if step == "login":
            token = box.issue_tokens().access
            assert await Chatter(box).say(f"PASS oauth:{token}", "NICK me") == []
        else:
            await do(box, step)
        assert [struck for _, struck in box.hub.troubles.struck] == [name]


async def test_a_cut_at_a_join_comes_after_its_line() -> None:
    async with sandbox(scenario=day(FaultPlan(0.0, "reset", {"connection": "all"}, on="join"))) as box:
        client = await signed_in(box)
        await client.say("JOIN #alpha")
        assert client.lost
        assert box.tally().joins == 1


def test_there_is_no_other_step() -> None:
    with pytest.raises(ScenarioError, match="on 'sleep': there are the steps connect, login"):
        check(day(FaultPlan(5.0, "reset", on="sleep")))
    assert parse("[[faults]]\nat = 5\nname = 'reset'\non = 'join'").faults == (FaultPlan(5.0, "reset", on="join"),)
