"""The tally's arithmetic: presence, capture, points. And the limits as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandboxes import always_live, channel, elapse, sandbox, signed_in

from allthepoints.base.clock import Chance
from allthepoints.sim.limits import AttemptWindow, PointBucket
from allthepoints.sim.points import Loyalty, paid, payments
from allthepoints.sim.scenario import ChannelPlan, LoyaltyPlan
from allthepoints.sim.server import Sandbox
from allthepoints.sim.tally import capped, clip, length, overlap
from allthepoints.sim.world import User, World
from allthepoints.testing.clock import ManualClock

Closed = list[tuple[float, float]]


@st.composite
def spans(draw: st.DrawFn, top: int = 60) -> Closed:
    """Ascending whole-second intervals, none overlapping another."""
    edges = sorted(draw(st.sets(st.integers(0, top), max_size=12)))
    return [(float(a), float(b)) for a, b in zip(edges[::2], edges[1::2], strict=False)]


def seconds_in(one: Closed) -> set[int]:
    return {second for start, end in one for second in range(int(start), int(end))}


@given(spans(), spans())
def test_overlap_is_the_seconds_in_both(one: Closed, other: Closed) -> None:
    assert overlap(one, other) == overlap(other, one) == len(seconds_in(one) & seconds_in(other))


@given(spans(), st.integers(0, 60), st.integers(0, 60))
def test_clip_cuts(one: Closed, a: int, b: int) -> None:
    start, end = min(a, b), max(a, b)
    assert length(clip(one, start, end)) == len(seconds_in(one) & set(range(start, end)))


@given(st.lists(spans(), max_size=5), st.integers(0, 5))
def test_capped_counts_no_more_than_there_are_rooms(many: list[Closed], cap: int) -> None:
    each = [seconds_in(one) for one in many]
    expected = sum(min(cap, sum(second in one for one in each)) for second in range(61))
    assert capped((span for one in many for span in one), cap) == expected


@given(st.lists(st.floats(0, 100), max_size=60).map(sorted), st.integers(1, 5))
def test_a_window_knows_its_worst(times: list[float], limit: int) -> None:
    window = AttemptWindow(limit, 10.0)
    for at in times:
        window.attempt(at)
    held = [sum(at - 10.0 < other <= at for other in times[: n + 1]) for n, at in enumerate(times)]
    assert window.worst == max(held, default=0)
    assert window.violations == sum(count > limit for count in held)


@given(st.lists(st.floats(0, 200), max_size=80).map(sorted), st.integers(1, 10))
def test_a_bucket_never_gives_more_than_it_holds_and_gets(times: list[float], limit: int) -> None:
    bucket = PointBucket(limit)
    given_at = [at for at in times if bucket.take(at)]
    for start in given_at:
        for end in (at for at in given_at if at >= start):
            spent = sum(start <= at <= end for at in given_at)
            assert spent <= limit + (end - start) * limit / 60 + 1e-6


def test_payments_go_by_the_last_reading_of_the_list() -> None:
    assert list(payments(Loyalty(interval=600, lag=300), 100, 1400)) == [(700, 600), (1300, 1200)]
    assert list(payments(Loyalty(interval=600, lag=0), 0, 1200)) == [(600, 600), (1200, 1200)]
    assert list(payments(Loyalty(interval=600, lag=0), 0, 1800, first=3)) == [(1800, 1800)]


@pytest.mark.parametrize(
    ("sat", "points"),
    [
        ([(0, None)], 15),
        ([(0, 1801)], 15),
        ([(0, 1800)], 10),
        ([(600, None)], 15),
        ([(601, None)], 10),
        ([(0, 600)], 0),
        ([(0, 601)], 5),
        ([(590, 610), (1190, 1210)], 10),
        ([], 0),
    ],
)
def test_points_are_paid_to_those_on_the_list(sat: list[tuple[float, float | None]], points: int) -> None:
    loyalty = Loyalty(amount=5, interval=600, lag=300)
    assert paid(loyalty, "me", [(0.0, 1850.0)], sat, 0.0, 5000.0) == points


def test_the_ignored_get_nothing_and_nothing_is_paid_before_the_start() -> None:
    stay: list[tuple[float, float | None]] = [(0.0, None)]
    assert paid(Loyalty(ignored=frozenset(("me",))), "me", stay, stay, 0.0, 9999.0) == 0
    assert paid(Loyalty(lag=0), "me", [(-6000.0, 1200.0)], [(-6000.0, None)], 0.0, 9999.0) == 10


@given(spans(6000), spans(6000), st.integers(0, 300))
def test_nobody_gets_more_than_is_possible(streams: Closed, sat: Closed, lag: int) -> None:
    loyalty = Loyalty(interval=600, lag=float(lag))
    possible = paid(loyalty, "me", streams, streams, -1.0, 6000.0)
    within = clip([(a, b) for a, b in sat for c, d in streams if a < d and c < b], 0, 6000)
    inside = [(max(a, c), min(b, d)) for a, b in within for c, d in streams if max(a, c) < min(b, d)]
    assert paid(loyalty, "me", streams, sorted(set(inside)), -1.0, 6000.0) <= possible


@pytest.mark.anyio
async def test_capture_is_present_while_live() -> None:
    async with sandbox(channel("alpha", (100, 1100)), channel("beta", (0, 500)), channel("gamma")) as box:
        client = await signed_in(box)
        await elapse(box, 50)
        await client.say("JOIN #alpha", "PONG :tmi.twitch.tv")
        await elapse(box, 250)
        await client.say("PART #alpha", "JOIN #beta", "PONG :tmi.twitch.tv")
        await elapse(box, 200)
        await client.say("PONG :tmi.twitch.tv")
        client.hang_up()
        await elapse(box, 1000)
        tally = box.tally()
        assert (tally.live_s, tally.present_s, tally.capture) == (1500, 400, 400 / 1500)
        assert (tally.simulated_s, tally.reachable_s) == (1500, 1500)
        by_login = {one.login: one for one in tally.channels}
        assert by_login["alpha"].sat == ((50, 300),)
        assert by_login["alpha"].live == ((100, 1100),)
        assert (by_login["alpha"].present_s, by_login["beta"].present_s) == (200, 200)


@pytest.mark.anyio
async def test_two_connections_in_a_room_are_one_presence() -> None:
    async with sandbox(*always_live("alpha")) as box:
        one, two = await signed_in(box), await signed_in(box)
        await one.say("JOIN #alpha")
        await elapse(box, 10)
        await two.say("JOIN #alpha")
        one.hang_up()
        await elapse(box, 10)
        two.hang_up()
        await elapse(box, 10)
        (alpha,) = box.tally().channels
        assert alpha.sat == ((0, 20),)


@pytest.mark.anyio
async def test_points_by_the_rules() -> None:
    plan = ChannelPlan("alpha", broadcasts=channel("alpha", (0, 3600)).broadcasts, loyalty=LoyaltyPlan(amount=7))
    quiet = ChannelPlan("beta", broadcasts=plan.broadcasts, loyalty=LoyaltyPlan(ignored=("me",)))
    async with sandbox(plan, quiet) as box:
        client = await signed_in(box)
        await client.say("JOIN #alpha,#beta")
        for _ in range(10):
            await elapse(box, 180)
            await client.say("PONG :tmi.twitch.tv")
        assert (box.tally().points_paid, box.tally().points_possible) == (21, 21)
        client.hang_up()
        await elapse(box, 1800)
        assert (box.tally().points_paid, box.tally().points_possible) == (21, 42)


@pytest.mark.anyio
async def test_what_is_not_followed_does_not_count() -> None:
    async with sandbox(channel("alpha", (0, 100), followed=False)) as box:
        client = await signed_in(box)
        await client.say("JOIN #alpha")
        await elapse(box, 100)
        tally = box.tally()
        assert (tally.live_s, tally.capture, tally.channels[0].present_s) == (0, 1.0, 100)


def test_a_world_refuses_what_is_taken() -> None:
    world = World(Chance(1), (0, 0), (0, 0))
    alpha = world.add(User("1", "alpha", "Alpha", 0.0))
    world.add(User("2", "beta", "Beta", 0.0))
    with pytest.raises(ValueError, match="is taken"):
        world.add(User("1", "gamma", "Gamma", 0.0))
    with pytest.raises(ValueError, match="beta is taken"):
        world.rename(alpha, "beta")
    with pytest.raises(LookupError, match="nobody"):
        world.find("nobody")


@pytest.mark.anyio
async def test_the_same_seed_gives_the_same_day() -> None:
    from allthepoints.sim.days import demo_day

    tokens = []
    for _ in range(2):
        box = Sandbox(demo_day(3), ManualClock())
        box.begin()
        await elapse(box, 3600)
        tokens.append((box.issue_tokens(), box.tally()))
        await box.stop()
    assert tokens[0] == tokens[1]
