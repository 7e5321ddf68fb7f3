"""Points, prices and stores for the days in `days`, and what goes wrong with them.

A store's prices follow from the day: something that can be had at once, something that comes within reach while one
watches, and something that does not. Chance here is its own, so that a day's streams are the same with it and without.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from allthepoints.base.clock import Chance
from allthepoints.sim.elements import guid
from allthepoints.sim.scenario import ChannelPlan, FaultPlan, ItemPlan, LoyaltyPlan, planned_id

HOUR = 3600.0

_CURRENCIES = ("points", "acorns", "shells", "crumbs", "sparks", "pebbles", "leaves", "gems")

_CHEAP = (
    ItemPlan("Airhorn", 0, type="effect", cooldown_global=60.0, description="Loud. Once a minute at most."),
    ItemPlan("Hydrate!", 0, cooldown_user=300.0, description="A sip of water, on camera."),
    ItemPlan("Sad trombone", 0, type="effect", cooldown_global=30.0),
    ItemPlan("Posture check", 0, cooldown_user=600.0, tells_current=False),
)
_NEAR = (
    ItemPlan("Pick the next map 🗺", 0, asks=("Which map?",), takes_message=True, total=5, cooldown_user=600.0),
    ItemPlan("Name a character", 0, asks=("What is it called?", "Why?"), total=3, description="Keep it friendly."),
    ItemPlan("A song of your choice", 0, asks=("Title and artist",), takes_message=True, cooldown_global=300.0),
    ItemPlan("Shout-out", 0, takes_message=True, cooldown_user=3600.0, category="talk", cooldown_category=120.0),
    ItemPlan("Pushups", 0, description="Ten of them.", cooldown_global=900.0, tells_current=False),
)
_FAR = (
    ItemPlan("Play a round with me", 0, asks=("Your name in the game",), total=2, featured=True),
    ItemPlan("Signed postcard", 0, asks=("Where to?",), total=10, description="Anywhere in the world."),
    ItemPlan("Choose the hair colour", 0, total=1, featured=True),
    ItemPlan("Emote of the week", 0, subscriber_only=True),
)
_CODE = ItemPlan("Game key", 0, type="code", total=4, sources=("website",), description="A surprise from my library.")


def opened(chance: Chance, plans: tuple[ChannelPlan, ...]) -> tuple[ChannelPlan, ...]:
    """The channels with a currency, a balance from before, and a store of 2 to 4 items."""
    return tuple(_opened(chance, plan, place) for place, plan in enumerate(plans))


def _opened(chance: Chance, plan: ChannelPlan, place: int) -> ChannelPlan:
    balance = 5 * round(20 + 300 * chance.draw() ** 2)
    day = _worth(plan)
    cheap, near, far = _pick(chance, _CHEAP), _pick(chance, _NEAR), _pick(chance, _FAR)
    within_reach = max(20.0, day * (0.2 + 0.5 * chance.draw()))
    store = [_priced(cheap, balance * 0.25), _priced(near, balance + within_reach)]
    if chance.draw() < 0.6:
        store.append(_priced(far, 2000 + 4 * balance))
    if place % 4 == 1:
        codes = tuple(guid("code", plan.login, number)[:15].upper() for number in range(4))
        store.append(_priced(msgspec.structs.replace(_CODE, codes=codes), balance + max(30.0, day * 0.6)))
    loyalty = msgspec.structs.replace(
        plan.loyalty,
        currency=_pick(chance, _CURRENCIES),
        subscriber_multiplier=2,
        tells_interval=chance.draw() > 0.1,
    )
    return msgspec.structs.replace(plan, balance=balance, store=tuple(store), loyalty=loyalty)


def _worth(plan: ChannelPlan) -> float:
    """What there is to earn in a day, about."""
    if not plan.loyalty.enabled:
        return 0.0
    live = sum(one.end - max(0.0, one.start) for one in plan.broadcasts if one.kind == "live")
    return live / plan.loyalty.interval * plan.loyalty.amount


def _priced(item: ItemPlan, cost: float) -> ItemPlan:
    return msgspec.structs.replace(item, cost=max(5, 5 * round(cost / 5)))


# -- the demo's --------------------------------------------------------------------------------------------------------
def demo_points(
    chance: Chance, plans: tuple[ChannelPlan, ...]
) -> tuple[tuple[ChannelPlan, ...], tuple[FaultPlan, ...]]:
    """A day with all that can keep one from being paid: no StreamElements, loyalty off, ignored, no bot, an outage."""
    absent_at, outage_at, price_at = 10.5 * HOUR, 15 * HOUR, 18 * HOUR
    paying = [place for place, plan in enumerate(plans) if plan.loyalty.enabled]
    lively = sorted(paying, key=lambda place: _worth(plans[place]), reverse=True)
    absent = _live(chance, plans, lively, absent_at, 2 * HOUR)
    dearer = _live(chance, plans, [place for place in lively if place != absent], price_at, HOUR)
    rest = [place for place in lively if place not in (absent, dearer)]
    settings: dict[int, dict[str, Any]] = {
        rest[5]: {"loyalty": LoyaltyPlan(enabled=False)},
        rest[7]: {"loyalty": LoyaltyPlan(ignored=("nightbot", "me"))},
        **{place: {"elements": False, "store": (), "balance": 0} for place in (rest[9], rest[14], rest[-1])},
    }
    changed = tuple(msgspec.structs.replace(plan, **settings.get(place, {})) for place, plan in enumerate(plans))
    near, named = plans[dearer].store[1], planned_id(plans[dearer], dearer)
    faults = (
        _fault(absent_at, "bot_absent", channel=planned_id(plans[absent], absent), seconds=2 * HOUR),
        _fault(outage_at, "elements_html", code=520, seconds=1200.0),
        _fault(price_at, "price", channel=named, item=near.name, cost=near.cost + 50),
        _fault(20 * HOUR, "points_add", channel=named, amount=75),
    )
    return changed, faults


def _live(chance: Chance, plans: tuple[ChannelPlan, ...], places: list[int], at: float, stay: float) -> int:
    """The place of a channel that is live then, for an hour already and for `stay` more; the first, if none is."""
    live = [
        place
        for place in places
        for one in plans[place].broadcasts
        if one.kind == "live" and one.start + HOUR <= at and at + stay <= one.end
    ]
    return int(_pick(chance, tuple(live))) if live else places[0]


# -- the stormy day's --------------------------------------------------------------------------------------------------
def storm(chance: Chance, plans: tuple[ChannelPlan, ...]) -> Iterator[FaultPlan]:
    """Trouble with StreamElements every half hour or so. By ids: the storm renames channels, too."""
    at = 900.0
    while at < 24 * HOUR - 600:
        place = int(chance.draw() * len(plans))
        channel = planned_id(plans[place], place)
        troubles: tuple[tuple[str, dict[str, Any]], ...] = (
            ("elements_html", {"code": 520, "n": 3}),
            ("elements_html", {"code": 502, "seconds": 600.0}),
            ("status", {"path": "/kappa", "code": 429, "n": 1, "reset": 45.0}),
            ("status", {"path": "/kappa", "code": 500, "n": 2}),
            ("body", {"path": "/kappa", "kind": "truncated", "n": 2}),
            ("hang", {"path": "/kappa", "n": 1, "delay": 60.0}),
            ("reset_http", {"path": "/kappa", "n": 2}),
            ("odd_points", {"n": 1, "kind": "null"}),
            ("bot_absent", {"channel": channel, "seconds": HOUR}),
            ("points_add", {"channel": channel, "amount": 500}),
            ("points_add", {"channel": channel, "amount": -120}),
            ("item_enabled", {"channel": channel, "on": False}),
            ("item_enabled", {"channel": channel, "on": True}),
            ("points_reset", {"channel": channel}),
        )
        name, parameters = _pick(chance, troubles)
        yield _fault(at, name, **parameters)
        if name == "points_reset":
            yield _fault(at + HOUR, "points_restore", channel=channel)
        at += 600 + 2400 * chance.draw()


def _pick(chance: Chance, of: tuple[Any, ...]) -> Any:
    return of[int(chance.draw() * len(of))]


def _fault(at: float, name: str, **parameters: Any) -> FaultPlan:
    return FaultPlan(at=at, name=name, parameters=parameters)
