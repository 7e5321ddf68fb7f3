"""Days, built from a seed: the demo's, a calm one, a stormy one, and one with very many channels. What StreamElements
has of their channels is added by `stores`.

The same arguments give the same day. Streams last 1 to 9 hours and start at any time, some before the day does; a few
are repetitions. How many are live at once is capped, as the person's taste would cap it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from allthepoints.base.clock import Chance
from allthepoints.sim import stores
from allthepoints.sim.scenario import Broadcast, ChannelPlan, FaultPlan, LoyaltyPlan, Scenario

HOUR = 3600.0
DAY = 24 * HOUR

_FIRST = (
    *("amber", "birch", "cedar", "delta", "ember", "fern", "grove", "hazel", "indigo", "juniper", "kelp", "lunar"),
    *("maple", "north", "ochre", "pixel", "quartz", "river", "sable", "tidal", "umber", "velvet", "willow", "zephyr"),
)
_SECOND = (
    *("badger", "comet", "drake", "egret", "falcon", "gecko", "heron", "ibis", "jackal", "kestrel", "lynx", "marten"),
    *("newt", "otter", "puffin", "quail", "raven", "stoat", "tapir", "urchin", "viper", "wren", "yak", "zebra"),
)
_TITLES = (
    *("ranked until it hurts", "building a keyboard", "first playthrough, no spoilers", "cozy evening, come in"),
    *("speedrun practice 🌊", "drawing what you ask for", "late night coding", "new map, who dis", "cooking & talking"),
)


def demo_day(seed: int = 1) -> Scenario:
    """24 h, 40 followed channels, at most 25 live at once, and a day's worth of trouble."""
    chance = Chance(seed)
    channels = _channels(chance, count=40, busy=80.0, at_most=25)
    faults = _demo_faults(chance, channels)
    channels, more_faults = stores.demo_points(Chance(seed), stores.opened(Chance(seed), channels))
    return Scenario(
        name="demo",
        seed=seed,
        channels=channels,
        faults=(*faults, *more_faults),
        online_lag=(20.0, 75.0),
        offline_lag=(60.0, 300.0),
    )


def calm_day(channels: int = 40, seed: int = 1) -> Scenario:
    """24 h in which nothing goes wrong; Helix is a little behind, as it always is."""
    plans = _channels(Chance(seed), count=channels, busy=channels * 1.5, at_most=90)
    plans = stores.opened(Chance(seed), plans)
    return Scenario(name="calm", seed=seed, channels=plans, online_lag=(20.0, 75.0), offline_lag=(60.0, 300.0))


def stormy_day(channels: int = 40, seed: int = 1, live: int = 0) -> Scenario:
    """24 h in which something goes wrong every ten minutes or so. `live`: so many stream at once; 0: about a third."""
    chance = Chance(seed)
    plans = _channels(chance, count=channels, busy=_busy(live) if live else channels * 1.5, at_most=live or 90)
    return Scenario(
        name="stormy",
        seed=seed,
        channels=stores.opened(Chance(seed), plans),
        faults=(*_storm(chance, plans), *stores.storm(Chance(seed), plans)),
        online_lag=(30.0, 120.0),
        offline_lag=(120.0, 600.0),
    )


def big_day(follows: int = 2000, live: int = 140, seed: int = 1) -> Scenario:
    """24 h with very many followed channels, of which up to `live` stream at once: more than there are rooms."""
    plans = _channels(Chance(seed), count=follows, busy=_busy(live), at_most=live)
    faults = (
        _fault(5 * HOUR, "reset"),
        _fault(11 * HOUR, "reconnect", delay=10.0),
        _fault(12 * HOUR, "slow_slots", seconds=HOUR, hold=90.0),
        _fault(12 * HOUR + 60, "reset"),
        _fault(17 * HOUR, "status", path="/helix", code=503, seconds=600.0),
    )
    return Scenario(
        name="big", seed=seed, channels=plans, faults=faults, online_lag=(20.0, 75.0), offline_lag=(60.0, 300.0)
    )


# -- who streams when --------------------------------------------------------------------------------------------------
def _busy(live: int) -> float:
    """Streams in a day, for that many at once."""
    return live * 24 / 5 * 1.15


def _channels(chance: Chance, count: int, busy: float, at_most: int) -> tuple[ChannelPlan, ...]:
    """`busy`: broadcasts to aim at in the whole day, spread over all channels."""
    slots = _Slots(at_most)
    days: list[list[Broadcast]] = [[] for _ in range(count)]
    for _ in range(round(busy)):
        day = days[_pick(chance, count)]
        start = -2 * HOUR + chance.draw() * 25 * HOUR
        end = min(start + HOUR * (1 + 8 * chance.draw() ** 1.3), DAY + HOUR)
        clash = any(start < other.end + 600 and other.start < end + 600 for other in day)
        if clash or end < 600 or end - start < 0.5 * HOUR or not slots.take(start, end):
            continue
        day.append(_broadcast(chance, round(start), round(end)))
    return tuple(
        ChannelPlan(
            login=_login(place),
            display_name=_login(place).title(),
            broadcasts=tuple(sorted(day, key=lambda broadcast: broadcast.start)),
            loyalty=_loyalty(chance),
        )
        for place, day in enumerate(days)
    )


class _Slots:
    """Keeps the number of streams at once within bounds."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._taken: list[tuple[float, float]] = []

    def take(self, start: float, end: float) -> bool:
        """Whether there is room for one more in all of [start, end]; if so, it is taken."""
        meeting = [(since, until) for since, until in self._taken if since < end and start < until]
        if len(meeting) >= self._at_most:
            steps = sorted([*((max(since, start), 1) for since, _ in meeting), *((until, -1) for _, until in meeting)])
            if max(accumulate(step for _, step in steps)) >= self._at_most:
                return False
        self._taken.append((start, end))
        return True


def _broadcast(chance: Chance, start: float, end: float) -> Broadcast:
    title = _TITLES[_pick(chance, len(_TITLES))]
    luck = chance.draw()
    if luck < 0.05:
        return Broadcast(start, end, kind="rerun", title=f"[Rerun] {title}", tags=("Rerun",))
    if luck < 0.08:
        return Broadcast(start, end, kind="rerun", helix_type="live", title=f"Rerun: {title}", tags=("Rerun",))
    return Broadcast(start, end, title=title, tags=("English",))


def _loyalty(chance: Chance) -> LoyaltyPlan:
    luck = chance.draw()
    if luck < 0.08:
        return LoyaltyPlan(enabled=False)
    return LoyaltyPlan(amount=(5, 5, 5, 10, 15)[_pick(chance, 5)], interval=600.0)


def _login(place: int) -> str:
    pairs = len(_FIRST) * len(_SECOND)
    first, second = _FIRST[place % len(_FIRST)], _SECOND[(place * 7 + place // len(_FIRST)) % len(_SECOND)]
    return f"{first}_{second}{place // pairs or ''}"


def _pick(chance: Chance, count: int) -> int:
    return int(chance.draw() * count)


# -- what goes wrong ---------------------------------------------------------------------------------------------------
def _demo_faults(chance: Chance, channels: tuple[ChannelPlan, ...]) -> tuple[FaultPlan, ...]:
    banned_at, renamed_at = 8.5 * HOUR, 13 * HOUR
    banned = _live_at(channels, banned_at, chance)
    renamed = _live_at(channels, renamed_at, chance, other_than=banned)
    flapping = _live_at(channels, 6 * HOUR, chance)
    faults = [
        _fault(0.5 * HOUR, "lose_join", n=2),
        _fault(1.5 * HOUR, "late_ack", n=2, delay=9.0),
        _fault(2.5 * HOUR, "chat_noise", rate=12.0, seconds=900.0, every=60.0),
        _fault(3.2 * HOUR, "reset"),
        _fault(5 * HOUR, "reconnect", delay=20.0),
        _fault(6 * HOUR, "flap", channel=flapping, n=2),
        _fault(7 * HOUR, "duplicate_lines", chance=0.2),
        _fault(7.5 * HOUR, "expire_token"),
        _fault(banned_at, "ban", channel=banned),
        _fault(9.5 * HOUR, "status", path="/helix", code=503, seconds=1200.0),
        _fault(11 * HOUR, "half_open"),
        _fault(12 * HOUR, "empty_streams", n=1),
        _fault(renamed_at, "rename", channel=renamed, to=f"{renamed[:22]}_tv"),
        _fault(14.5 * HOUR, "ghost_joins", seconds=240.0),
        _fault(16 * HOUR, "slow_slots", n=1, hold=90.0),
        _fault(16 * HOUR + 1, "fin"),
        _fault(17 * HOUR, "body", path="/helix/streams", kind="html", n=2),
        _fault(18.5 * HOUR, "odd_lines"),
        _fault(19 * HOUR, "split_writes"),
        _fault(19.5 * HOUR, "status", path="/helix", code=429, n=1, reset=45.0),
        _fault(20.5 * HOUR, "reset"),
        _fault(20.5 * HOUR, "lose_join", n=3),
        _fault(21.5 * HOUR, "chat_noise", rate=12.0, seconds=900.0, every=60.0),
        _fault(22.5 * HOUR, "reconnect_with_channel", delay=8.0),
    ]
    return tuple(faults)


def _storm(chance: Chance, channels: tuple[ChannelPlan, ...]) -> Iterator[FaultPlan]:
    """Trouble at random times; what would end a channel for good (bans, renames) is rare."""
    at = 600.0
    while at < DAY - 600:
        channel = _live_at(channels, at, chance)
        yield _some_trouble(chance, at, channel)
        at += 120 + 960 * chance.draw()
    for at in (6 * HOUR, 18 * HOUR):
        channel = _live_at(channels, at, chance)
        yield _fault(at, "rename", channel=channel, to=f"{channel[:20]}_{round(at / HOUR)}", taken=True)
    for at in (9 * HOUR, 15 * HOUR):
        yield _fault(at, "put_out", channel=_live_at(channels, at, chance))


def _some_trouble(chance: Chance, at: float, channel: str) -> FaultPlan:
    troubles: tuple[tuple[str, dict[str, Any]], ...] = (
        ("reset", {}),
        ("reset", {"connection": "all"}),
        ("fin", {"connection": "all"}),
        ("half_open", {}),
        ("half_open", {"connection": "all"}),
        ("reconnect", {"connection": "all", "delay": 15.0}),
        ("reconnect_with_channel", {"delay": 3.0}),
        ("lose_join", {"n": 3}),
        ("late_ack", {"n": 3, "delay": 12.0}),
        ("ghost_joins", {"connection": "oldest", "seconds": 600.0}),
        ("slow_slots", {"n": 2, "hold": 120.0}),
        ("no_welcome", {"n": 1}),
        ("close_after_nick", {"n": 3}),
        ("no_ping_reply", {"n": 1}),
        ("duplicate_lines", {"chance": 0.3}),
        ("split_writes", {}),
        ("odd_lines", {}),
        ("long_lines", {}),
        ("chat_noise", {"rate": 12.0, "seconds": 300.0, "every": 60.0}),
        ("timeout_us", {"channel": channel}),
        ("flap", {"channel": channel, "n": 2}),
        ("odd_type", {"channel": channel, "n": 2}),
        ("empty_streams", {"n": 1}),
        ("status", {"path": "/helix", "code": 500, "n": 3}),
        ("status", {"path": "/helix", "code": 503, "seconds": 600.0}),
        ("status", {"path": "/helix", "code": 429, "n": 1, "reset": 60.0}),
        ("status", {"path": "/helix/users", "code": 404, "seconds": 900.0}),
        ("body", {"path": "/helix", "kind": "truncated", "n": 2}),
        ("body", {"path": "/helix", "kind": "foreign", "n": 1}),
        ("hang", {"path": "/helix", "n": 1, "delay": 120.0}),
        ("reset_http", {"path": "/helix", "n": 2}),
        ("page_fails", {"n": 1}),
        ("expire_token", {}),
        ("expire_token", {"cut_chat": True}),
        ("validate_status", {"n": 1}),
    )
    name, parameters = troubles[_pick(chance, len(troubles))]
    return _fault(at, name, **parameters)


def _live_at(channels: tuple[ChannelPlan, ...], at: float, chance: Chance, other_than: str = "") -> str:
    """A channel that is live then and for an hour more, if there is one."""
    spans = [(c.login, b) for c in channels for b in c.broadcasts if b.kind == "live" and c.login != other_than]
    for stay in (HOUR, 0.0):
        live = [login for login, b in spans if b.start <= at and at + stay < b.end]
        if live:
            return live[_pick(chance, len(live))]
    return channels[0].login


def _fault(at: float, name: str, **parameters: Any) -> FaultPlan:
    return FaultPlan(at=at, name=name, parameters=parameters)
