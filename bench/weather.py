"""Random trouble: faults drawn from the sandbox's whole table, on top of a day that has its own.

`worse` draws any fault at any time; one is left out only where the day would be over after it, or where it would not
touch a day at all. `chaotic` aims: each fault of the table, money's too, is ordered at the moment at which the sandbox
sees the program come to a certain step, beside outages that last; where it would lie in wait for something else, that
is made to happen, too. `single` is one such blow alone, in an hour in which nothing else goes wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import msgspec

from allthepoints.base.clock import Chance
from allthepoints.base.types import Login
from allthepoints.config.settings import Wish
from allthepoints.sim import days, elements_faults, faults
from allthepoints.sim.scenario import Broadcast, ChannelPlan, FaultPlan, ItemPlan, Scenario

LEFT_OUT: Mapping[str, str] = {
    "revoke": "only the person can sign in again",
    "refresh_invalid": "only the person can sign in again",
    "refresh_lost": "the one refresh token is spent: only the person can sign in again",
    "refresh_not_public": "only the person can make the app one of the kind Public",
    "validate_as": "only the person can sign in again",
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
    "chat_down": lambda d, c: {"seconds": d.number(5, 300)},
    "no_tls_answer": lambda d, c: {"n": d.count(1, 3)},
    "no_welcome": lambda d, c: {"n": d.count(1, 5)},
    "close_after_nick": lambda d, c: {"n": d.count(1, 12)},
    "refuse_login": lambda d, c: {"n": d.count(1, 4), "text": d.of(("failed", "improper", "unsuccessful", "nick"))},
    "slow_slots": lambda d, c: {"seconds": 600.0, "hold": d.number(10, 600)},
    "duplicate_lines": lambda d, c: {"chance": d.number(0, 1)},
    "reorder_lines": lambda d, c: {"chance": d.number(0, 1)},
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
    "bar": lambda d, c: {"channel": c, "notice": d.of(faults.BARS)},
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

LATEST = 170.0
"""Seconds after a POST at which it may still be booked. What is not there after three minutes is taken for lost: from
then on nothing could tell (`ABSENT_AFTER` in core/redeem.py says why it is so long)."""

LOSSES = ("reset", "hang", "html", "error")

MONEY: Mapping[str, Callable[[Dice, str], Parameters]] = {
    "booked_no_answer": lambda d, c: {"n": d.count(1, 3), "kind": d.of(LOSSES), "channel": d.of((c, None))},
    "lost_before_booking": lambda d, c: {"n": d.count(1, 3), "kind": d.of(LOSSES), "channel": d.of((c, None))},
    "booked_late": lambda d, c: {"n": d.count(1, 3), "kind": d.of(LOSSES), "delay": d.number(1, LATEST)},
    "slow_booking": lambda d, c: {"n": d.count(1, 3), "delay": d.number(1, 60)},
    "elements_html": lambda d, c: {"n": d.count(1, 10), "code": d.of((502, 503, 520, 524))},
    "odd_points": lambda d, c: {
        "n": d.count(1, 5),
        "kind": d.of(("null", "text", "float", "negative", "huge", "missing")),
    },
    "odd_items": lambda d, c: {"n": d.count(1, 3), "kind": d.of(("bare", "old"))},
    "points_add": lambda d, c: {"channel": c, "amount": d.count(-200, 1000)},
    "points_set": lambda d, c: {"channel": c, "to": d.count(0, 3000)},
    "points_reset": lambda d, c: {"channel": c},
    "points_restore": lambda d, c: {"channel": c},
    "loyalty": lambda d, c: {"channel": c, "on": d.of((True, False))},
    "ignore_us": lambda d, c: {"channel": c, "on": d.of((True, False))},
    "bot_absent": lambda d, c: {"channel": c, "seconds": d.number(60, 3600)},
    "price": lambda d, c: {"channel": c, "cost": d.count(5, 600)},
    "stock": lambda d, c: {"channel": c, "left": d.count(-1, 2)},
    "item_enabled": lambda d, c: {"channel": c, "on": d.of((True, False))},
    "delete_item": lambda d, c: {"channel": c},
    "settle_redemptions": lambda d, c: {
        "channel": c,
        "how": d.of(("completed", "rejected")),
        "refund": d.of((True, False)),
    },
}
"""The same for StreamElements. Those that name an item get the one that is wished for."""

ON_AN_ITEM = frozenset(("price", "stock", "item_enabled", "delete_item"))

ONLY_IF_RESET = "points_restore"
"""It undoes what was done before, or is an error."""

OUTAGES: tuple[Callable[[Dice], tuple[str, Parameters]], ...] = (
    lambda d: (
        "status",
        {"path": d.of(("/helix", "/oauth2")), "code": d.of((500, 502, 503)), "seconds": d.number(60, 900)},
    ),
    lambda d: ("reset_http", {"path": d.of(("/helix", "/oauth2", "/")), "seconds": d.number(60, 600)}),
    lambda d: (d.of(("no_welcome", "close_after_nick")), {"seconds": d.number(30, 600)}),
    lambda d: ("refuse_login", {"seconds": d.number(30, 600), "text": "unsuccessful"}),
    lambda d: (d.of(("lose_join", "ghost_joins")), {"seconds": d.number(30, 600)}),
    lambda d: ("late_ack", {"seconds": d.number(60, 900), "delay": d.number(1, 60)}),
    lambda d: ("empty_streams", {"seconds": d.number(30, 600)}),
)
"""What does not work at all for a while."""

STEPS: Mapping[str, Callable[[Dice, str], tuple[tuple[str, Parameters], ...]]] = {
    "connect": lambda d, c: (("reset", {"connection": d.which()}),),
    "login": lambda d, c: (("fin", {"connection": "all"}),),
    "join": lambda d, c: (("reconnect", {"connection": "all", "delay": d.number(0, 20)}),),
    "poll": lambda d, c: (("flap", {"channel": c, "n": 1}),),
    "refresh": lambda d, c: (("expire_token", {"cut_chat": d.of((True, False))}),),
    "read": lambda d, c: (("points_add", {"channel": c, "amount": 5}),),
    "redeem": lambda d, c: (("points_add", {"channel": c, "amount": 2000}),),
}
"""What brings the program to a step."""

ON_CALLS: Mapping[str, tuple[str, ...]] = {
    "poll": ("/helix", "/helix/streams"),
    "refresh": ("/oauth2", "/oauth2/token"),
    "read": ("/kappa", "/kappa/v2/points"),
    "redeem": ("/kappa", "/kappa/v2/store"),
}
"""Where a fault of HTTP strikes at a step; at another, the poll that comes next."""

_CUT = ("reset", {"connection": "all"})
_NEW_TOKEN = ("expire_token", {"cut_chat": False})

BITES: Mapping[str, tuple[str, Parameters]] = {
    **dict.fromkeys(("no_tls_answer", "no_welcome", "close_after_nick", "refuse_login", "slow_slots"), _CUT),
    **dict.fromkeys(("lose_join", "late_ack", "ghost_joins"), _CUT),
    **dict.fromkeys(("refresh_lost", "refresh_no_pair", "refresh_invalid", "refresh_not_public"), _NEW_TOKEN),
    "bar": _CUT,  # who is in stays: now nobody is
}
"""What lies in wait for something that need not come for hours, and what makes it come."""

BOOKINGS = frozenset(("booked_no_answer", "lost_before_booking", "booked_late", "slow_booking"))
"""These wait for a redemption, for which points must come."""

AT_START = frozenset(("page_fails", "repeat_cursor", "repeat_row", "validate_status", "validate_as"))
"""They strike what is asked for when the program starts, and every few hours: in a `single` they are ordered then."""

UNMET: Mapping[str, str] = {
    "device_slow_down": "nobody signs in during a day",
    "device_missing_code": "nobody signs in during a day",
    "device_denied": "nobody signs in during a day",
}
"""Faults for which no day has an occasion (tests/twitch has)."""

ELSEWHERE: Mapping[str, tuple[str, str]] = {
    "CAP NAK": (
        "tests/irc/test_irc_session.py",
        "test_capabilities_that_are_refused_cost_no_login",
    ),
    "a device flow that goes wrong": (
        "tests/twitch/test_contract.py",
        "test_fc_19_device_flow_in_trouble",
    ),
    "the JWT of another account": (
        "tests/core/test_core_proof.py",
        "test_fc_31_another_users_token_buys_nothing",
    ),
    "a JWT that ends in its time": (
        "tests/core/test_core_proof.py",
        "test_fc_31_expired_nothing_is_redeemed_and_balances_go_on",
    ),
    "the host sleeps": (
        "tests/service/test_service_chat.py",
        "test_fc_05_f_the_host_sleeps_8_h",
    ),
    "the clock is set": (
        "tests/core/test_core_chat.py",
        "test_a_clock_that_jumped_gives_no_budget_back",
    ),
    "the disk is full": (
        "tests/service/test_service_storage.py",
        "test_fc_33_a_full_disk_costs_no_presence_and_is_made_up_for",
    ),
    "the config is edited": (
        "tests/operation/test_operation_reload.py",
        "test_fc_37_half_written_then_written",
    ),
    "the process is killed": (
        "tests/whole/test_whole_crash.py",
        "test_fc_33_kill_at_random_moments",
    ),
    "a second instance": (
        "tests/storage/test_storage_files.py",
        "test_fc_39_a_second_instance_is_refused_with_the_pid",
    ),
    "another address (FC-05 g)": (
        "tests/service/test_service_chat.py",
        "test_fc_05_g_ten_seconds_of_outage_and_another_address",
    ),
    "a stream begun anew inside one poll (FC-10)": (
        "tests/service/test_service_presence.py",
        "test_fc_10_a_restart_inside_one_poll",
    ),
    "a notifier that hangs (FC-25)": (
        "tests/notify/test_notify_apprise.py",
        "test_fc_25_a_host_that_hangs_costs_one_thread_and_nobody_else",
    ),
    "a damaged file (FC-33)": (
        "tests/storage/test_storage_files.py",
        "test_fc_33_a_bad_token_file_is_set_aside",
    ),
    "a clock that is set back, and zones (FC-34)": (
        "tests/storage/test_storage_reading.py",
        "test_fc_34_order_is_that_of_telling_not_of_the_clock",
    ),
    "signals (FC-38)": (
        "tests/operation/test_operation_signals.py",
        "test_fc_38_the_second_ends_it_at_once",
    ),
    "a container's volume (FC-40)": (
        "tests/config/test_config_parts.py",
        "test_fc_40_another_owners_directory",
    ),
    "a 429 whose reset is missing or past (FC-53)": (
        "tests/twitch/test_http.py",
        "test_fc_53_a_reset_that_is_no_time",
    ),
    "a database that is locked for more than ten seconds (FC-33)": (
        "tests/whole/test_whole_backup.py",
        "test_fc_33_a_database_that_somebody_holds_locked_for_more_than_ten_seconds",
    ),
    "a disk that hangs while 5,000 lines a second come (FC-30 c)": (
        "tests/service/test_service_storage.py",
        "test_fc_30_chat_at_5000_lines_a_second_while_the_disk_hangs",
    ),
    "an answer that ends after its headers (FC-21)": (
        "tests/twitch/test_http.py",
        "test_fc_21_every_odd_answer_has_its_meaning",
    ),
    "an answer that never comes to its end (FC-21)": (
        "tests/twitch/test_http.py",
        "test_one_deadline_covers_the_whole_answer",
    ),
    "a 404 to all look-ups for an hour (FC-15)": (
        "tests/core/test_core_live.py",
        "test_fc_15_an_outage_of_look_ups_keeps_the_ids",
    ),
    "a text that Telegram cannot parse (FC-23)": (
        "tests/notify/test_notify_apprise.py",
        "test_fc_23_what_cannot_be_parsed_is_sent_once_more_without_markup",
    ),
    "a console that lacks characters (FC-35)": (
        "tests/cli/test_cli_app.py",
        "test_fc_35_a_real_process_on_an_ascii_console",
    ),
    "rooms that do not count": (
        "tests/service/test_service_variants.py",
        "test_rooms_that_do_not_count_are_counted_all_the_same",
    ),
    "a room on two connections takes two slots": (
        "tests/service/test_service_variants.py",
        "test_where_a_room_on_two_connections_takes_two_slots_a_reconnect_is_within_them",
    ),
    "a notice for a JOIN of nobody's login": (
        "tests/service/test_service_variants.py",
        "test_a_full_house_is_in_again_after_a_cut_of_everything",
    ),
    "a JOIN too many ends the connection": (
        "tests/service/test_service_variants.py",
        "test_where_a_join_too_many_ends_the_connection_another_client_costs_it_once",
    ),
}
"""What the sandbox's servers do not do: what daemons other than Twitch's say, what the person does before a day begins,
and what befalls the device; and what Twitch leaves open, in the ways that no day has. With the file and name of the
test that does."""

PAIRS = tuple((step, name) for name in faults.FAULTS if name not in UNMET for step in STEPS)

ENDS_IT = frozenset(("revoke", "refresh_invalid", "refresh_lost", "refresh_not_public", "validate_as"))
"""Only the person can sign in again after these: they are blows for a `single` day."""

ALONE = ENDS_IT | {"void_jwt"}
"""The rest of a day would be without presence, or without redemptions."""

FINAL = frozenset((400, 401, 403))
"""With these, and a reason, Twitch ends a sign-in that is to be renewed."""


def ends_it(fault: FaultPlan) -> bool:
    """Whether only the person can go on after it."""
    given = fault.parameters
    said_no = fault.name == "status" and given["path"] in ON_CALLS["refresh"] and given["code"] in FINAL
    return fault.name in ENDS_IT or said_no


# -- a wish for each store -------------------------------------------------------------------------------------------
WANTED = 2
"""How often a wished item is to be bought by itself, at most; every other one is wished for but once."""


MOST_WISHES = 40


def wishes(day: Scenario) -> tuple[Wish, ...]:
    """One for each store that has something which asks nothing, of the first so many."""
    found = ((channel.login, wished(channel)) for channel in day.channels)
    wanted = ((login, item) for login, item in found if item)
    few = enumerate(islice(wanted, MOST_WISHES))
    return tuple(
        Wish(Login(login), item, auto=True, max_cost=5000, count=WANTED - number % WANTED)
        for number, (login, item) in few
    )


def wished(channel: ChannelPlan) -> str:
    """Its first item that can be bought without a word; "" if there is none."""
    return next((item.name for item in channel.store if not item.asks and item.type != "code"), "")


# -- days ------------------------------------------------------------------------------------------------------------
CROWD = "crowd"
"""What days are called on which more are live than there are rooms."""


def chaotic(channels: int, hours: float, blows: int, outages: int, seed: int, live: int = 0) -> Scenario:
    """The stormiest day: a stormy one, with so many aimed blows and outages. Days with seeds that follow each other
    take the pairs of fault and step in turn. `live`: so many stream at once; 0: about a third."""
    day = _by_ids(days.stormy_day(channels, seed, live))
    chance = Chance(seed)
    dice, turn = Dice(chance), shuffled(PAIRS, Chance(0))
    more: list[FaultPlan] = []
    for number in range(blows):
        step, name = turn[(seed * blows + number) % len(turn)]
        if name not in ALONE:
            more += _blow(day, step, name, dice.number(120.0, hours * 3600.0 - 120.0), dice, more)
    for _ in range(outages):
        name, parameters = dice.of(OUTAGES)(dice)
        more.append(FaultPlan(dice.number(120.0, hours * 3600.0 - 120.0), name, parameters))
    kept = [fault for fault in (*day.faults, *more) if fault.at < hours * 3600.0 and not ends_it(fault)]
    ordered = tuple(sorted(kept, key=lambda fault: fault.at))
    name = CROWD if live else "chaos"
    return msgspec.structs.replace(day, name=name, duration=hours * 3600.0, faults=ordered)


BANNED = 5
"""Rooms of a crowded hour from which we are banned just before all are entered again."""


def crowded(seed: int) -> Scenario:
    """An hour in which more stream than there are rooms, and again and again all of them must be entered anew, or
    those of one connection: where only a few are live, the limits hold by themselves."""
    day = chaotic(450, 1.0, 8, 2, seed, live=360)
    there = [c.id for c in day.channels if any(b.start <= 0.0 and b.end >= 3600.0 for b in c.broadcasts)]
    hour: tuple[tuple[float, str, Parameters], ...] = (
        (100.0, "half_open", {"connection": "oldest"}),
        (500.0, "booked_no_answer", {"n": 3}),
        (500.0, "lost_before_booking", {"n": 3}),
        (800.0, "reset", {"connection": "newest"}),
        *((1195.0, "ban" if place % 2 else "put_out", {"channel": one}) for place, one in enumerate(there[:BANNED])),
        (1200.0, "reset", {"connection": "all"}),
        (1500.0, "reconnect", {"connection": "newest", "delay": 20.0}),
        (1800.0, "fin", {"connection": "oldest"}),
        (2089.0, "slow_slots", {"seconds": 2.0, "hold": 25.0}),
        (2090.0, "reset", {"connection": "all"}),
        (2500.0, "fin", {"connection": "all"}),
        (2600.0, "rename", {"channel": there[BANNED], "to": "renamed_in_a_crowd", "taken": False}),
        (3300.0, "chat_down", {"seconds": 20.0}),
    )
    more = tuple(FaultPlan(at, name, given) for at, name, given in hour)
    return msgspec.structs.replace(day, faults=tuple(sorted((*day.faults, *more), key=lambda fault: fault.at)))


SINGLE = 3000.0
"""Seconds of a day with one blow."""

STRIKES_AT = 600.0

MANY = 120
"""Follows that need more than one page."""

FULL_HOUSE = 97
"""Rooms more that are live, so that there is no place to spare."""

LONG = (Broadcast(-600.0, 4000.0),)


def single(step: str, name: str, seed: int) -> Scenario:
    """One fault at one step, and then most of an hour in which nothing goes wrong."""
    store = (ItemPlan("Airhorn", 50, type="effect"),)
    spans = (((-600.0, 4000.0),), ((-300.0, 4000.0),), ((-60.0, 300.0), (STRIKES_AT + 2, 4000.0)), ())
    channels = tuple(
        ChannelPlan(f"room_{n}", id=str(FIRST_ID + n), broadcasts=tuple(Broadcast(*s) for s in own), store=store)
        for n, own in enumerate(spans)
    )
    every = (*channels, *_company(name))
    day = Scenario(name=f"{name} at {step}", seed=seed, duration=SINGLE, channels=every, online_lag=(5.0, 20.0))
    blow = _blow(msgspec.structs.replace(day, channels=channels), step, name, STRIKES_AT, Dice(Chance(seed)), [])
    if name in AT_START:
        blow = [msgspec.structs.replace(one, at=0.0, on="") if one.name == name else one for one in blow]
    return msgspec.structs.replace(day, faults=tuple(sorted(blow, key=lambda fault: fault.at)))


def _company(name: str) -> tuple[ChannelPlan, ...]:
    """Further channels without which a fault has no occasion."""
    many, live = (MANY, ()) if name in AT_START else (FULL_HOUSE if name == "slow_slots" else 0, LONG)
    return tuple(ChannelPlan(f"other_{n}", id=str(FIRST_ID + 1000 + n), broadcasts=live) for n in range(many))


def shuffled(parts: tuple[Any, ...], chance: Chance) -> tuple[Any, ...]:
    return tuple(sorted(parts, key=lambda _: chance.draw()))


def _blow(day: Scenario, step: str, name: str, at: float, dice: Dice, before: list[FaultPlan]) -> list[FaultPlan]:
    """What leads to the step, and the fault that strikes there."""
    channel = _somebody(day, at, dice)
    gone = {fault.parameters["channel"] for fault in (*day.faults, *before) if fault.name in WORDLESS}
    if name in WORDLESS and channel in gone:
        return []
    lead = [FaultPlan(at, trigger, parameters) for trigger, parameters in STEPS[step](dice, channel)]
    drawn = {**MENU, **MONEY, **LAST}[name](dice, channel)
    if name in ON_AN_ITEM:
        item = wished(next(plan for plan in day.channels if plan.id == channel))
        touched = [one.name for one in before if one.name in ON_AN_ITEM and one.parameters["channel"] == channel]
        if not item or "delete_item" in touched or (touched and name == "delete_item"):
            return []  # what is gone cannot be touched
        drawn["item"] = item
    if name == ONLY_IF_RESET:
        lead.append(FaultPlan(at - 60.0, "points_reset", {"channel": channel}))
    if drawn.get("path") in HTTP_PATHS:
        drawn["path"] = dice.of(ON_CALLS.get(step, ON_CALLS["poll"]))
    struck = {key: value for key, value in drawn.items() if value is not None}
    return [*lead, FaultPlan(at - 1.0, name, struck, on=step), *_occasion(name, step, channel, at)]


def _occasion(name: str, step: str, channel: str, at: float) -> list[FaultPlan]:
    """What the fault lies in wait for, if that need not come by itself: right after it was ordered."""
    if name == "bad_id":  # who is looked up by his id: a room that does not answer
        lost = FaultPlan(at - 0.5, "lose_join", {"n": 3, "channel": channel}, on=step)
        return [lost, FaultPlan(at - 0.5, *_CUT, on=step)]
    if name in BITES:
        happens, parameters = BITES[name]
        return [FaultPlan(at - 0.5, happens, parameters, on=step)]
    if name in BOOKINGS:
        return [FaultPlan(at - 0.5, "points_add", {"channel": channel, "amount": 2000}, on=step)]
    return []


LAST: Mapping[str, Callable[[Dice, str], Parameters]] = {
    "revoke": lambda d, c: {"cut_chat": d.of((True, False))},
    "refresh_invalid": lambda d, c: {},
    "refresh_not_public": lambda d, c: {},
    "validate_as": lambda d, c: {"kind": d.of(("account", "scope", "app"))},
    "void_jwt": lambda d, c: {},
    "refresh_lost": lambda d, c: {"how": d.of(("reset", "hang"))},
    "device_slow_down": lambda d, c: {},
    "device_missing_code": lambda d, c: {},
    "device_denied": lambda d, c: {},
}
"""The rest of the table."""


def worse(day: Scenario, extra: int, chance: Chance) -> Scenario:
    """The day with so many more faults. Channels are named by their ids: logins do not last through such a day."""
    day = _by_ids(day)
    dice = Dice(chance)
    # Who is gone without a word cannot be gone again: once a day for each channel.
    gone = {fault.parameters["channel"] for fault in day.faults if fault.name in WORDLESS}
    more: list[FaultPlan] = []
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
