"""A day as data: who exists, who streams when, what goes wrong when. Frozen values, readable from TOML.

Times are seconds from the start; in TOML also `"90s"`, `"1h30m"`, `"-2h"` (before the start). `days` builds whole days.

    name = "one evening"
    duration = "6h"

    [[channels]]
    login = "alpha"
    broadcasts = [{ start = "10m", end = "4h", title = "climbing" }]

    [[faults]]
    at = "2h"
    name = "reconnect"
    with = { delay = "5s" }
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec

from allthepoints.base.errors import UsageError
from allthepoints.base.types import NotALogin, as_login
from allthepoints.sim import faults
from allthepoints.sim.durations import seconds
from allthepoints.sim.limits import Limits
from allthepoints.sim.troubles import STEPS

FIRST_CHANNEL_ID = 20_000_000


class ScenarioError(UsageError):
    """A scenario that cannot be used; the text names the file and the place."""


class LoyaltyPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """StreamElements' loyalty settings of a channel. `interval` and `lag` (of the chatter list) in seconds."""

    enabled: bool = True
    amount: int = 5
    interval: float = 600.0
    ignored: tuple[str, ...] = ()
    lag: float = 300.0
    currency: str = "points"
    subscriber_multiplier: int = 1
    tells_interval: bool = True
    """Whether the settings say the interval; old ones do not."""


class ItemPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing in a store. `id` is given by its place if it is left out. Cooldowns in seconds."""

    name: str
    cost: int
    id: str = ""
    type: str = "perk"
    """perk, effect, code, or whatever may come."""
    description: str = ""
    total: int = -1
    """-1: without end. For type "code" it is the number of codes."""
    left: int | None = None
    """How many of them are there; absent: all."""
    tells_current: bool = True
    """Whether an item without end says `current: -1`, or nothing of it."""
    cooldown_user: float = 0.0
    cooldown_global: float = 0.0
    cooldown_category: float = 0.0
    category: str = ""
    enabled: bool = True
    featured: bool = False
    public: bool = False
    subscriber_only: bool = False
    asks: tuple[str, ...] = ()
    """What the viewer must answer, in order."""
    takes_message: bool = False
    sources: tuple[Literal["website", "bot", "extension"], ...] = ("website", "bot")
    keyword: str = ""
    """What it is called in chat."""
    codes: tuple[str, ...] = ()


class Broadcast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One stream, from `start` to `end`. `helix_type` where Get Streams calls it otherwise than it is."""

    start: float
    end: float
    kind: Literal["live", "rerun", "playlist", "watch_party", "premiere"] = "live"
    helix_type: str | None = None
    title: str = ""
    tags: tuple[str, ...] = ()


class ChannelPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A channel and its day. `id` is given by its place if it is left out. Followed ones: the first is the newest."""

    login: str
    id: str = ""
    display_name: str = ""
    followed: bool = True
    broadcasts: tuple[Broadcast, ...] = ()
    elements: bool = True
    """Whether the channel is at StreamElements at all. If not, nobody pays for its chat."""
    provider: Literal["twitch", "youtube", "trovo", "kick"] = "twitch"
    """Whose channel StreamElements knows by this name; one of elsewhere pays nobody here."""
    loyalty: LoyaltyPlan = LoyaltyPlan()
    balance: int = 0
    """Points that the scenario's account has there when the day begins."""
    store: tuple[ItemPlan, ...] = ()


def planned_id(plan: ChannelPlan, place: int) -> str:
    """The id that a channel has, by its place among the scenario's if it names none."""
    return plan.id or str(FIRST_CHANNEL_ID + place)


class AccountPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account that can sign in. `moderates`, `subscribes`: logins of channels."""

    login: str = "me"
    id: str = "1001"
    display_name: str = ""
    moderates: tuple[str, ...] = ()
    subscribes: tuple[str, ...] = ()


class ClientPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A registered Confidential client. Every other client id is taken for a Public one."""

    id: str
    secret: str


class FaultPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault of the table in `faults`, applied at a time. In TOML its parameters stand under `with`."""

    at: float
    name: str
    parameters: dict[str, Any] = msgspec.field(default_factory=dict, name="with")
    on: str = ""
    """A step (`troubles.STEPS`): applied when the client first comes to that step after `at`, before it is answered."""


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole day. `online_lag` and `offline_lag`: how late Helix notices, drawn per stream between the two."""

    name: str = "empty"
    seed: int = 1
    duration: float = 86400.0
    account: AccountPlan = AccountPlan()
    others: tuple[AccountPlan, ...] = ()
    """More accounts that can sign in."""
    channels: tuple[ChannelPlan, ...] = ()
    faults: tuple[FaultPlan, ...] = ()
    limits: Limits = Limits()
    online_lag: tuple[float, float] = (0.0, 0.0)
    offline_lag: tuple[float, float] = (0.0, 0.0)
    access_token_life: float = 14400.0
    device_approve_after: float | None = 5.0
    """When the person says yes to a device code by itself; absent: only when told to."""
    client_id: str = "sandbox"
    clients: tuple[ClientPlan, ...] = (ClientPlan("sandbox-confidential", "sandbox-secret"),)


def load(path: Path) -> Scenario:
    """Read a scenario file. Raises ScenarioError with file, place and what would do."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from error
    return parse(text, str(path))


def parse(text: str, source: str = "scenario") -> Scenario:
    """A scenario from TOML text; `source` names it in errors."""
    try:
        raw = tomllib.loads(text)
        scenario = msgspec.convert(_timed(raw, "$"), Scenario)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{source}: not TOML: {error}") from error
    except RecursionError:
        raise ScenarioError(f"{source}: nested too deeply") from None
    except (msgspec.ValidationError, ValueError) as error:
        raise ScenarioError(f"{source}: {error}") from error
    check(scenario, source)
    return scenario


def check(scenario: Scenario, source: str = "scenario") -> None:
    """What the shapes alone cannot say. Raises ScenarioError."""
    accounts = [scenario.account, *scenario.others]
    logins = [channel.login for channel in scenario.channels] + [account.login for account in accounts]
    for login in logins:
        try:
            usual = as_login(login)
        except NotALogin as error:
            raise ScenarioError(f"{source}: login {login!r}: {error}") from error
        if usual != login:
            raise ScenarioError(f"{source}: login {login!r}: write {usual!r}")
        if logins.count(login) > 1:
            raise ScenarioError(f"{source}: login {login!r} is used twice")
    for account in accounts:
        for login in (*account.moderates, *account.subscribes):
            if login not in logins:
                raise ScenarioError(f"{source}: account {account.login!r}: nobody here has the login {login!r}")
    for channel in scenario.channels:
        _check_broadcasts(channel, source)
        _check_store(channel, source)
    for fault in scenario.faults:
        try:
            faults.check(fault.name, fault.parameters)
        except ValueError as error:
            raise ScenarioError(f"{source}: fault at {fault.at:g} s: {error}") from error
        if fault.on and fault.on not in STEPS:
            steps = ", ".join(STEPS)
            raise ScenarioError(f"{source}: fault at {fault.at:g} s: on {fault.on!r}: there are the steps {steps}")


def _check_broadcasts(channel: ChannelPlan, source: str) -> None:
    before = float("-inf")
    for broadcast in channel.broadcasts:
        if not before <= broadcast.start < broadcast.end:
            raise ScenarioError(
                f"{source}: channel {channel.login!r}: broadcasts must be in order, none overlapping another, "
                f"each ending after it starts (found {broadcast.start:g} s to {broadcast.end:g} s)"
            )
        before = broadcast.end


def _check_store(channel: ChannelPlan, source: str) -> None:
    where = f"{source}: channel {channel.login!r}"
    ids = [item.id for item in channel.store if item.id]
    for item in channel.store:
        if item.id and not _GUID.match(item.id):
            raise ScenarioError(f"{where}: item {item.name!r}: an id has 24 hexadecimal digits, in lower case")
        if ids.count(item.id) > 1:
            raise ScenarioError(f"{where}: item {item.name!r}: the id {item.id} is used twice")
        if item.codes and item.type != "code":
            raise ScenarioError(f'{where}: item {item.name!r}: codes are for items of type "code"')
        if item.cost < 0 or item.total < -1:
            raise ScenarioError(f"{where}: item {item.name!r}: cost and total must not be negative (total: -1, no end)")
    if channel.balance < 0:
        raise ScenarioError(f"{where}: a balance must not be negative")


_GUID = re.compile(r"[0-9a-f]{24}\Z")

_DURATIONS = frozenset(
    (
        *("duration", "at", "start", "end", "interval", "lag", "online_lag", "offline_lag"),
        *("cooldown_user", "cooldown_global", "cooldown_category"),
        *("window", "ping_every", "pong_within", "access_token_life", "device_approve_after"),
    )
)


def _timed(value: Any, path: str, key: str = "") -> Any:
    """The same, with durations that are written as text turned into seconds; parameters of faults are left alone."""
    if isinstance(value, dict):
        return {k: v if k == "with" else _timed(v, f"{path}.{k}", k) for k, v in value.items()}
    if isinstance(value, list):
        return [_timed(item, f"{path}[{number}]", key) for number, item in enumerate(value)]
    if key in _DURATIONS and isinstance(value, str):
        try:
            return seconds(value)
        except ValueError as error:
            raise ValueError(f"{error} - at `{path}`") from error
    return value
