"""Random trouble: faults drawn from the sandbox's whole table, on top of a day that has its own.

A fault is left out of the draw only where the day would be over after it, or where it would not touch a day at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from allthepoints.base.clock import Chance
from allthepoints.sim import elements_faults
from allthepoints.sim.scenario import FaultPlan, Scenario

LEFT_OUT: Mapping[str, str] = {
    "revoke": "only the person can sign in again",
    "refresh_invalid": "only the person can sign in again",
    "refresh_lost": "the one refresh token is spent: only the person can sign in again",
    "device_slow_down": "nobody signs in during the day",
    "device_missing_code": "nobody signs in during the day",
    "device_denied": "nobody signs in during the day",
    **{fault.name: "StreamElements has no part in who sits where" for fault in elements_faults.TABLE},
}
"""Faults that are not drawn, and why."""

WORDLESS = frozenset(("rename", "suspend", "delete"))
"""The room is gone, and the chat says nothing: only Helix can tell."""

FIRST_ID = 20_000_000

HTTP_PATHS = (
    *("/helix", "/helix/streams", "/helix/users", "/helix/streams/followed", "/helix/channels/followed"),
    *("/oauth2", "/oauth2/token", "/oauth2/validate"),
)
ERRORS = (401, 403, 404, 429, 500, 502, 503)
BODIES = ("empty", "html", "truncated", "two_values", "data_null", "foreign", "broken_gzip")

Parameters = dict[str, Any]


class Dice:
    """What can be drawn from a chance."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance

    def number(self, low: float, high: float) -> float:
        return low + (high - low) * self._chance.draw()

    def count(self, low: int, high: int) -> int:
        """A whole number, both ends in it."""
        return low + int(self._chance.draw() * (high - low + 1))

    def of(self, choices: Any) -> Any:
        return choices[int(self._chance.draw() * len(choices))]

    def one(self) -> str:
        return str(self.of(("oldest", "newest")))

    def which(self) -> str:
        return str(self.of(("oldest", "newest", "all")))


MENU: Mapping[str, Callable[[Dice, str], Parameters]] = {
    # chat; the second argument is the id of a channel, live at that time where there is one
    "lose_join": lambda d, c: {"n": d.count(1, 20), "channel": d.of((c, None))},
    "late_ack": lambda d, c: {"n": d.count(1, 20), "delay": d.number(1, 70), "channel": d.of((c, None))},
    "ghost_joins": lambda d, c: {"connection": d.one(), "seconds": d.number(60, 1800)},
    "reconnect": lambda d, c: {"connection": d.which(), "delay": d.number(0, 60)},
    "reconnect_with_channel": lambda d, c: {"connection": d.which(), "delay": d.number(0, 60)},
    "reset": lambda d, c: {"connection": d.which()},
    "fin": lambda d, c: {"connection": d.which()},
    "half_open": lambda d, c: {"connection": d.which()},
    "no_tls_answer": lambda d, c: {"n": d.count(1, 3)},
    "no_welcome": lambda d, c: {"n": d.count(1, 5)},
    "close_after_nick": lambda d, c: {"n": d.count(1, 12)},
    "refuse_login": lambda d, c: {"n": d.count(1, 4), "text": d.of(("failed", "improper", "unsuccessful", "nick"))},
    "slow_slots": lambda d, c: {"seconds": 600.0, "hold": d.number(10, 600)},
    "duplicate_lines": lambda d, c: {"chance": d.number(0, 1)},
    "split_writes": lambda d, c: {},
    "trickle": lambda d, c: {"size": d.count(1, 30), "every": d.number(0.01, 0.3)},
    "long_lines": lambda d, c: {"size": d.count(500, 50_000), "n": 3},
    "endless_line": lambda d, c: {"connection": d.one(), "size": d.of((1000, 70_000, 1_000_000))},
    "odd_lines": lambda d, c: {},
    "chat_noise": lambda d, c: {"rate": 12.0, "seconds": 300.0, "every": 60.0},
    "shared_chat": lambda d, c: {},
    "no_ping_reply": lambda d, c: {"n": d.count(1, 10)},
    "server_ping": lambda d, c: {"connection": d.one()},
    # the world
    "ban": lambda d, c: {"channel": c},
    "put_out": lambda d, c: {"channel": c},
    "timeout_us": lambda d, c: {"channel": c, "seconds": d.number(1, 1000)},
    "unban": lambda d, c: {"channel": c},
    "suspend": lambda d, c: {"channel": c, "notice": d.of(("msg_channel_suspended", "tos_ban"))},
    "unsuspend": lambda d, c: {"channel": c},
    "rename": lambda d, c: {"channel": c, "to": f"renamed_{d.count(0, 10**9)}", "taken": d.of((True, False))},
    "delete": lambda d, c: {"channel": c},
    # Helix and OAuth
    "status": lambda d, c: {"path": d.of(HTTP_PATHS), "code": d.of(ERRORS), "n": d.count(1, 4)},
    "body": lambda d, c: {"path": d.of(HTTP_PATHS), "kind": d.of(BODIES), "n": d.count(1, 5)},
    "hang": lambda d, c: {"path": d.of(HTTP_PATHS), "n": 1, "delay": d.number(5, 600)},
    "reset_http": lambda d, c: {"path": d.of(HTTP_PATHS), "n": d.count(1, 4)},
    "empty_streams": lambda d, c: {"n": d.count(1, 3)},
    "flap": lambda d, c: {"channel": c, "n": d.count(1, 5)},
    "cache_lag": lambda d, c: {"seconds": 3600.0, "online": d.number(60, 300), "offline": d.number(60, 900)},
    "odd_type": lambda d, c: {"channel": c, "n": d.count(1, 20)},
    "bad_id": lambda d, c: {"channel": c, "n": d.count(1, 10)},
    "repeat_cursor": lambda d, c: {"n": 1},
    "repeat_row": lambda d, c: {"n": 1},
    "page_fails": lambda d, c: {"n": d.count(1, 2)},
    "expire_token": lambda d, c: {"cut_chat": d.of((True, False))},
    "refresh_no_pair": lambda d, c: {"n": 1},
    "validate_status": lambda d, c: {"n": d.count(1, 5), "code": d.of((429, 500, 503))},
}
"""How the parameters of each fault are drawn."""


def worse(day: Scenario, extra: int, chance: Chance) -> Scenario:
    """The day with so many more faults. Channels are named by their ids: logins do not last through such a day."""
    day = _by_ids(day)
    dice = Dice(chance)
    # Who is gone without a word cannot be gone again: once a day for each channel.
    gone = {fault.parameters["channel"] for fault in day.faults if fault.name in WORDLESS}
    more = []
    while len(more) < extra:
        at = dice.number(60.0, day.duration - 60.0)
        name, channel = dice.of(tuple(MENU)), _somebody(day, at, dice)
        if name in WORDLESS:
            if channel in gone:
                continue
            gone.add(channel)
        drawn = MENU[name](dice, channel)
        more.append(FaultPlan(at, name, {key: value for key, value in drawn.items() if value is not None}))
    faults = sorted((*day.faults, *more), key=lambda fault: fault.at)
    return msgspec.structs.replace(day, faults=tuple(faults))


def _somebody(day: Scenario, at: float, dice: Dice) -> str:
    """The id of a channel: mostly of one that is live then."""
    live = [c.id for c in day.channels if any(b.start <= at < b.end for b in c.broadcasts)]
    everybody = [c.id for c in day.channels]
    return str(dice.of(live if live and dice.number(0, 1) < 0.8 else everybody))


def _by_ids(day: Scenario) -> Scenario:
    ids = {channel.login: channel.id or str(FIRST_ID + place) for place, channel in enumerate(day.channels)}
    channels = tuple(msgspec.structs.replace(channel, id=ids[channel.login]) for channel in day.channels)
    faults = tuple(_with_id(fault, ids) for fault in day.faults)
    return msgspec.structs.replace(day, channels=channels, faults=faults)


def _with_id(fault: FaultPlan, ids: Mapping[str, str]) -> FaultPlan:
    channel = fault.parameters.get("channel")
    if channel is None:
        return fault
    return msgspec.structs.replace(fault, parameters={**fault.parameters, "channel": ids.get(channel, channel)})
