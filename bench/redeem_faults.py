"""The rows of `redeem`'s table: what goes wrong, at which step, and how an intent may end then.

A fault that strikes one channel only is *local*: many of them go on beside each other in one world. Every other one has
a world for itself, and its intents come one after another.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import httpx2
from redeem_world import PLENTY, Intent, Lane, World

from allthepoints.base.errors import FaultError
from allthepoints.core.redeem import Reason as R

ACCEPTED = "accepted"
LOST = R.NEVER_ARRIVED
KINDS = ("reset", "hang", "html", "error")

Play = Callable[[World, Lane, str], Awaitable[None]]
"""One go of a fault: it asks, in this channel, for the table's row of this name, and returns when all is over."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One row. `asks`: intents of one go."""

    name: str
    play: Play
    local: bool = True
    asks: int = 1


# -- before it is sent ---------------------------------------------------------------------------------------------
async def nothing(world: World, lane: Lane, row: str) -> None:
    intent = world.intend(row, ACCEPTED)
    await world.ask(intent, lane)
    await world.settled(intent)


async def other_price(world: World, lane: Lane, row: str) -> None:
    intent, seen = world.intend(row, R.PRICE_CHANGED), lane.cost(lane.items[0])
    world.fault("price", channel=lane.channel, item=lane.items[0], cost=seen + 5)
    await world.ask(intent, lane, cost=seen)
    await world.settled(intent)
    world.fault("price", channel=lane.channel, item=lane.items[0], cost=seen)


def shop(end: str, fault: str, back: dict[str, object], late: bool, **change: object) -> Play:
    """The streamer changes something; `late`: after the last look, when the row that says SENT is written."""

    async def play(world: World, lane: Lane, row: str) -> None:
        intent = world.intend(row, end)
        of = {"channel": lane.channel} | ({} if fault == "points_set" else {"item": lane.items[0]})

        async def strike() -> None:
            world.fault(fault, **of, **change)

        if late:
            world.taps.plan("after sent", intent.key, strike)
        else:
            await strike()
        await world.ask(intent, lane)
        await world.settled(intent)
        world.fault(fault, **of, **back)

    return play


async def price_at_the_last_moment(world: World, lane: Lane, row: str) -> None:
    """Nothing in a POST says what it may cost: StreamElements takes it, at its own price."""
    intent, seen = world.intend(row, ACCEPTED), lane.cost(lane.items[0])

    async def strike() -> None:
        world.fault("price", channel=lane.channel, item=lane.items[0], cost=seen + 5)

    world.taps.plan("after sent", intent.key, strike)
    await world.ask(intent, lane)
    await world.settled(intent)
    world.fault("price", channel=lane.channel, item=lane.items[0], cost=seen)


def jwt(end: str, late: bool, kind: str) -> Play:
    """The token goes bad, before the checks or after them."""

    async def play(world: World, lane: Lane, row: str) -> None:
        intent = world.intend(row, end)

        async def strike() -> None:
            made = {
                "gone": lambda: None,
                "expired": lambda: world.sandbox.issue_jwt(expires_in=-60.0),
                "refused": lambda: world.sandbox.issue_jwt(foreign=True),
            }
            world.jwt(made[kind]())

        if late:
            world.taps.plan("after sent", intent.key, strike)
        else:
            await strike()
            await world.clock.sleep(3700.0)  # until it is looked at by itself
        await world.ask(intent, lane)
        await world.settled(intent)
        world.good_jwt()
        await world.clock.sleep(700.0)

    return play


def outage(ends: tuple[str, ...], seconds: float) -> Play:
    """StreamElements answers nothing but its proxy's pages while everything is checked."""

    async def play(world: World, lane: Lane, row: str) -> None:
        intent = world.intend(row, *ends)
        world.fault("elements_html", code=502, seconds=seconds)
        await world.ask(intent, lane)
        await world.settled(intent)
        await world.clock.sleep(seconds + 120.0)

    return play


async def no_connection(world: World, lane: Lane, row: str) -> None:
    intent = world.intend(row, R.NOT_SENT)

    async def strike() -> None:
        raise httpx2.ConnectError("connection refused")

    world.taps.plan("post", intent.key, strike)
    await world.ask(intent, lane)
    await world.settled(intent)


# -- on its way there and back -------------------------------------------------------------------------------------
def on_the_way(end: str, fault: str, **parameters: object) -> Play:
    """A fault of the sandbox that strikes the next POST of the channel."""

    async def play(world: World, lane: Lane, row: str) -> None:
        intent = world.intend(row, end)
        world.fault(fault, channel=lane.channel, **parameters)
        await world.ask(intent, lane)
        await world.settled(intent)

    return play


def late(kind: str) -> Play:
    """Booked some time after the answer was given up: from seconds to what the proxy's patience leaves."""

    async def play(world: World, lane: Lane, row: str) -> None:
        delay = 5.0 + (29.0 * len(world.intents)) % 165.0
        await on_the_way(ACCEPTED, "booked_late", kind=kind, delay=delay)(world, lane, row)

    return play


def before_booking(end: str, fault: str, **parameters: object) -> Play:
    """A fault of the sandbox at the POST's address."""

    async def play(world: World, lane: Lane, row: str) -> None:
        intent = world.intend(row, end)
        world.fault(fault, path=f"/kappa/v2/store/{lane.store.id}/redemptions", n=1, **parameters)
        await world.ask(intent, lane)
        await world.settled(intent)

    return play


def answered(status: int, body: bytes) -> Play:
    """It is booked, and this comes back in place of the answer."""

    async def play(world: World, lane: Lane, row: str) -> None:
        intent = world.intend(row, ACCEPTED)

        async def strike() -> httpx2.Response:
            return httpx2.Response(status, content=body)

        world.taps.plan("answered", intent.key, strike)
        await world.ask(intent, lane)
        await world.settled(intent)

    return play


async def too_many(world: World, lane: Lane, row: str) -> None:
    """A 429 at the POST, and another intent while we are asked to wait."""
    one, two = world.intend(row, R.REFUSED), world.intend(row, R.NOT_SENT)
    path = f"/kappa/v2/store/{lane.store.id}/redemptions"
    world.fault("status", path=path, n=1, code=429, reset=40.0)
    await world.ask(one, lane)
    await world.settled(one)
    await world.ask(two, lane, lane.items[1])
    await world.settled(two)
    await world.clock.sleep(60.0)


def unreadable(fault: str, end: str) -> Play:
    """No clear answer, and then our redemptions cannot be read for a while."""

    async def play(world: World, lane: Lane, row: str) -> None:
        intent = world.intend(row, end)
        own = world.sandbox.elements.of(world.sandbox.account)
        assert own is not None

        async def strike() -> None:
            world.fault("elements_html", code=520, seconds=400.0, path=f"/kappa/v2/store/{own.id}")

        world.fault(fault, channel=lane.channel, kind="reset")
        world.taps.plan("after sent", intent.key, strike)
        await world.ask(intent, lane)
        await world.settled(intent)

    return play


# -- several at once -----------------------------------------------------------------------------------------------
async def same_key(world: World, lane: Lane, row: str) -> None:
    """Two clicks, and a third one when all is over."""
    intent = world.intend(row, ACCEPTED)
    await world.ask(intent, lane)
    await world.ask(intent, lane)
    await world.settled(intent)
    await world.ask(intent, lane)
    await world.clock.sleep(30.0)


async def same_item(world: World, lane: Lane, row: str) -> None:
    """Two faces at once: the first is bought, the other is told so."""
    one, two = world.intend(row, ACCEPTED), world.intend(row, R.IN_PROGRESS)
    await world.ask(one, lane)
    await world.ask(two, lane)
    await world.settled(one, two)


def impatient(fault: str, end: str) -> Play:
    """It is not known what became of the first, and the person asks for the same again."""

    async def play(world: World, lane: Lane, row: str) -> None:
        one, two = world.intend(row, end), world.intend(row, R.IN_PROGRESS, end)  # `end`: the first was clear by then

        async def again() -> None:
            await world.ask(two, lane)

        world.fault(fault, channel=lane.channel, kind="reset")
        world.taps.plan("after unknown", one.key, again)
        await world.ask(one, lane)
        await world.settled(one, two)

    return play


def two_items(place: int, fault: str, first: str, second: str) -> Play:
    """Two things of one store at once; the POST of the first or of the second has no answer."""

    async def play(world: World, lane: Lane, row: str) -> None:
        one, two = world.intend(row, first), world.intend(row, second)

        async def strike() -> None:
            world.fault(fault, channel=lane.channel, kind="html")

        world.taps.plan("after sent", (one, two)[place].key, strike)
        await world.ask(one, lane)
        await world.ask(two, lane, lane.items[1])
        await world.settled(one, two)

    return play


# -- the machine under it ------------------------------------------------------------------------------------------
def disk(moment: str, end: str, slow: float = 0.0) -> Play:
    """The write fails, or takes so many seconds; the disk is well again with the next one."""

    async def play(world: World, lane: Lane, row: str) -> None:
        intent = world.intend(row, end)

        async def strike() -> None:
            if not slow:
                raise FaultError("the disk is full")
            await world.clock.sleep(slow)

        world.taps.plan(moment, intent.key, strike)
        await world.ask(intent, lane)
        await world.settled(intent)
        await world.clock.sleep(30.0)

    return play


def ends_at(moment: str, power: bool, *ends: str, fault: str = "", **parameters: object) -> Play:
    """The service ends at that moment, in order or by a power cut; another one takes up its database."""

    async def play(world: World, lane: Lane, row: str) -> None:
        intent = world.intend(row, *ends)
        if fault:
            world.fault(fault, channel=lane.channel, **parameters)
        world.taps.plan(moment, intent.key, world.cut_power if power else world.stop)
        await world.ask(intent, lane)
        await world.ended()
        await world.restart()
        await world.ask(intent, lane)  # a command that is run again with its key, or its request
        await world.settled(intent)

    return play


async def slow_disk_then_dark(world: World, lane: Lane, row: str) -> None:
    """The row says SENT a moment too late: the service has given up on it, and then has no power to say so."""
    intent = world.intend(row, LOST)

    async def slow() -> None:
        await world.clock.sleep(3.0)

    world.taps.plan("before sent", intent.key, slow)
    world.taps.plan("before rejected", intent.key, world.cut_power)
    await world.ask(intent, lane)
    await world.ended()
    await world.restart()
    await world.settled(intent)


def table() -> tuple[Fault, ...]:
    """All of them, in the order of a redemption's steps."""
    step, alone, pair = Fault, partial(Fault, local=False), partial(Fault, asks=2)
    web, first_of_two, second_of_two = partial(before_booking, LOST), partial(two_items, 0), partial(two_items, 1)

    def of(kind: str) -> Callable[..., Fault]:
        """One POST is on its way at a time: a silence keeps the others waiting."""
        return alone if kind == "hang" else step

    rows = [
        step("none", nothing),
        step("another price than the one confirmed", other_price),
        step("sold out before the checks", shop(R.SOLD_OUT, "stock", {"left": -1}, False, left=0)),
        step("switched off before the checks", shop(R.DISABLED, "item_enabled", {"on": True}, False, on=False)),
        step("too few points before the checks", shop(R.NOT_ENOUGH, "points_set", {"to": PLENTY}, False, to=1)),
        *(alone(f"JWT {kind} before the checks", jwt(end, False, kind)) for kind, end in _JWT_BEFORE.items()),
        alone("StreamElements down for 20 s at the checks", outage((ACCEPTED, R.UNCHECKED), 20.0)),
        alone("StreamElements down for 5 min at the checks", outage((R.UNCHECKED,), 300.0)),
        step("price raised after the last look", price_at_the_last_moment),
        step("sold out after the last look", shop(R.REFUSED, "stock", {"left": -1}, True, left=0)),
        step("switched off after the last look", shop(R.REFUSED, "item_enabled", {"on": True}, True, on=False)),
        step("points gone after the last look", shop(R.REFUSED, "points_set", {"to": PLENTY}, True, to=1)),
        *(alone(f"JWT {kind} after the last look", jwt(end, True, kind)) for kind, end in _JWT_AFTER.items()),
        step("connection refused before the POST", no_connection),
        *(of(k)(f"POST lost on its way: {k}", on_the_way(LOST, "lost_before_booking", kind=k)) for k in KINDS),
        *(of(k)(f"answer lost, booked: {k}", on_the_way(ACCEPTED, "booked_no_answer", kind=k)) for k in KINDS),
        *(of(k)(f"no answer, booked later: {k}", late(k)) for k in KINDS),
        alone("answered after 20 s", on_the_way(ACCEPTED, "slow_booking", delay=20.0)),
        alone("answered after 45 s, too late", on_the_way(ACCEPTED, "slow_booking", delay=45.0)),
        step("503 of StreamElements", web("status", code=503)),
        step("200 with half a body, not booked", web("body", kind="truncated")),
        step("200 with a page, not booked", web("body", kind="html")),
        step("200 with half a body, booked", answered(200, b'{"channel":"')),
        step("200 with an empty body, booked", answered(200, b"")),
        step("403 of the proxy, booked", answered(403, b"<html>Sorry, you have been blocked</html>")),
        alone("429, and another intent meanwhile", too_many, asks=2),
        alone("POST lost, redemptions unreadable for 400 s", unreadable("lost_before_booking", LOST)),
        alone("answer lost, redemptions unreadable for 400 s", unreadable("booked_no_answer", ACCEPTED)),
        step("the same key three times", same_key),
        pair("the same item twice at once", same_item),
        pair("asked again while unknown: lost", impatient("lost_before_booking", LOST)),
        pair("asked again while unknown: booked", impatient("booked_no_answer", ACCEPTED)),
        pair(
            "two items at once, the first answer lost",
            first_of_two("booked_no_answer", ACCEPTED, ACCEPTED),
        ),
        pair(
            "two items at once, the first POST lost",
            first_of_two("lost_before_booking", LOST, R.UNCHECKED),
        ),
        pair(
            "two items at once, the second POST lost",
            second_of_two("lost_before_booking", ACCEPTED, LOST),
        ),
        alone("disk fails at the row CONFIRMED", disk("before confirmed", R.NOT_WRITTEN)),
        alone("disk fails at the row SENT", disk("before sent", R.NOT_WRITTEN)),
        alone("disk takes 3 s for the row SENT", disk("before sent", R.NOT_WRITTEN, 3.0)),
        alone("disk takes 15 s for the row SENT", disk("before sent", R.NOT_WRITTEN, 15.0)),
        alone("disk fails at the row ACCEPTED", disk("before accepted", ACCEPTED)),
        alone("slow disk at SENT, then a power cut", slow_disk_then_dark),
    ]
    for power, word in ((False, "stopped"), (True, "power cut")):
        rows += [alone(f"{word} {words}", ends_at(*how)) for words, how in _endings(power).items()]
        rows += [
            alone(
                f"{word} while unknown: {words}",
                ends_at("after unknown", power, end, fault=fault, kind="reset", **more),
            )
            for words, end, fault, more in (
                ("lost", LOST, "lost_before_booking", {}),
                ("booked", ACCEPTED, "booked_no_answer", {}),
                ("booked later", ACCEPTED, "booked_late", {"delay": 100.0}),
            )
        ]
    return tuple(rows)


_JWT_BEFORE = {"gone": R.JWT_MISSING, "expired": R.JWT_EXPIRED, "refused": R.JWT_REFUSED}
_JWT_AFTER = {"gone": R.JWT_MISSING, "expired": R.JWT_EXPIRED, "refused": R.REFUSED}


def _endings(power: bool) -> dict[str, tuple[str | bool, ...]]:
    """Each moment of a redemption that goes well."""
    either = (ACCEPTED, LOST)
    return {
        "before the row CONFIRMED": ("before confirmed", power, ACCEPTED),
        "after the row CONFIRMED": ("after confirmed", power, ACCEPTED),
        "before the row SENT": ("before sent", power, *((ACCEPTED,) if power else either)),
        "between the row SENT and the POST": ("after sent", power, *((LOST,) if power else either)),
        "at the POST": ("post", power, *((LOST,) if power else either)),
        "between booking and answer": ("answered", power, ACCEPTED),
        "before the row ACCEPTED": ("before accepted", power, ACCEPTED),
        "after the row ACCEPTED": ("after accepted", power, ACCEPTED),
    }


def ended_as(reason: str | None, state: str) -> str:
    """How an intent ended, in the words of `ends`."""
    return str(reason) if state == "rejected" else state


__all__ = ["Fault", "Intent", "ended_as", "table"]
