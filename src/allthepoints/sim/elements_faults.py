"""What can go wrong at StreamElements, and what its streamers do: part of the table in `faults`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allthepoints.sim.fault import CHANNEL, NEXT, ON_CALL, REQUIRED, ROOM, WHOM, Fault, Parameter, duration, text

if TYPE_CHECKING:
    from allthepoints.sim.elements import StoreItem
    from allthepoints.sim.faults import Desk

Given = dict[str, Any]


# -- points ------------------------------------------------------------------------------------------------------------
def _points_add(desk: Desk, given: Given) -> None:
    desk.elements.adjust(desk.pays(given), desk.whom(given), given["amount"], "added", desk.hub.clock.now())


def _points_set(desk: Desk, given: Given) -> None:
    _set(desk, given, given["to"], "set")


def _points_reset(desk: Desk, given: Given) -> None:
    channel, viewer = desk.pays(given), desk.whom(given)
    desk.elements.purse(channel, viewer).before_reset = desk.elements.balance(channel, viewer, desk.hub.clock.now())
    _set(desk, given, 0, "reset")


def _points_restore(desk: Desk, given: Given) -> None:
    before = desk.elements.purse(desk.pays(given), desk.whom(given)).before_reset
    if before is None:
        raise ValueError("nothing was reset there that could be restored")
    _set(desk, given, before, "restored")


def _set(desk: Desk, given: Given, to: int, why: str) -> None:
    channel, viewer, now = desk.pays(given), desk.whom(given), desk.hub.clock.now()
    desk.elements.adjust(channel, viewer, to - desk.elements.balance(channel, viewer, now), why, now)


def _loyalty(desk: Desk, given: Given) -> None:
    amount = {} if given["amount"] is None else {"amount": given["amount"]}
    desk.elements.settle(desk.pays(given), desk.hub.clock.now(), enabled=given["on"], **amount)


def _ignore_us(desk: Desk, given: Given) -> None:
    channel, login = desk.pays(given), desk.whom(given).login
    others = channel.terms.now.ignored - {login}
    desk.elements.settle(channel, desk.hub.clock.now(), ignored=others | {login} if given["on"] else others)


def _bot_absent(desk: Desk, given: Given) -> None:
    now = desk.hub.clock.now()
    desk.pays(given).terms.away(now, now + given["seconds"])


def _void_jwt(desk: Desk, given: Given) -> None:
    desk.elements.void_jwts(desk.whom(given))


# -- the store ---------------------------------------------------------------------------------------------------------
def _price(desk: Desk, given: Given) -> None:
    _item(desk, given).cost = given["cost"]


def _stock(desk: Desk, given: Given) -> None:
    item = _item(desk, given)
    item.left = given["left"]
    item.total = -1 if item.left < 0 else max(item.total, item.left)


def _item_enabled(desk: Desk, given: Given) -> None:
    channel = desk.pays(given)
    items = list(channel.items.values()) if given["item"] is None else [_item(desk, given)]
    for item in items:
        item.enabled = given["on"]
        item.updated_at = desk.hub.clock.now()


def _delete_item(desk: Desk, given: Given) -> None:
    del desk.pays(given).items[_item(desk, given).id]


def _settle_redemptions(desk: Desk, given: Given) -> None:
    channel, now = desk.pays(given), desk.hub.clock.now()
    for one in channel.redemptions:
        if not one.completed and not one.rejected:
            one.completed, one.rejected = given["how"] == "completed", given["how"] == "rejected"
            one.updated_at = now
            if one.rejected and given["refund"]:
                viewer = desk.elements.channels[one.redeemer].owner
                desk.elements.adjust(channel, viewer, one.cost, "refunded", now)


def _item(desk: Desk, given: Given) -> StoreItem:
    try:
        item = desk.pays(given).item(given["item"])
    except LookupError as error:
        raise ValueError(str(error)) from None
    item.updated_at = desk.hub.clock.now()
    return item


_ITEM = {**CHANNEL, "item": text(REQUIRED)}
_ON_BOOKING = {**NEXT, **ROOM}
_LOSS = text("reset", "reset", "hang", "html", "error")

TABLE = (
    Fault(
        "booked_no_answer",
        "a redemption is booked, and its answer never comes (`kind`: RST, silence, a page with 502, a 500)",
        "FC-48",
        {**_ON_BOOKING, "kind": _LOSS},
    ),
    Fault(
        "lost_before_booking",
        "a redemption is lost on its way there, and never booked",
        "FC-48",
        {**_ON_BOOKING, "kind": _LOSS},
    ),
    Fault(
        "booked_late",
        "a redemption has no answer, and is booked `delay` later",
        "FC-48; a proxy gives up before what is behind it does",
        {**_ON_BOOKING, "kind": _LOSS, "delay": duration(60.0)},
    ),
    Fault(
        "slow_booking",
        "a redemption is booked at once, and answered after `delay`",
        "FC-48",
        {**_ON_BOOKING, "delay": duration(20.0)},
    ),
    Fault(
        "elements_html",
        "the page of the proxy in front, in place of an answer",
        "seen by other clients: 502, 503, 520, 524",
        {**ON_CALL, "path": text("/kappa"), "code": Parameter("count", 520)},
    ),
    Fault(
        "odd_points",
        "a balance that is no proper number, or not there",
        "other clients guard against it",
        {**NEXT, **ROOM, "kind": text("null", "null", "text", "float", "negative", "huge", "missing")},
    ),
    Fault(
        "odd_items",
        "items with as little in them as may be, or as they were years ago",
        "FC-49",
        {**NEXT, **ROOM, "kind": text("bare", "bare", "old")},
    ),
    Fault(
        "points_add",
        "points come or go: games, gifts, a streamer's hand",
        "bonuses and games; FC-50",
        {**WHOM, "amount": Parameter("count", REQUIRED)},
        _points_add,
    ),
    Fault(
        "void_jwt",
        "the account's JWTs so far are taken no more, before they end",
        "FC-31",
        {"account": text()},
        _void_jwt,
    ),
    Fault("points_set", "a balance is set", "FC-50", {**WHOM, "to": Parameter("count", REQUIRED)}, _points_set),
    Fault("points_reset", "a balance is set to 0", "2020-02, the database was lost", {**WHOM}, _points_reset),
    Fault(
        "points_restore",
        "a balance is again what it was before its last reset",
        "2020-02, restored from an old copy",
        {**WHOM},
        _points_restore,
    ),
    Fault(
        "loyalty",
        "the streamer turns loyalty on or off, or changes its amount",
        "FC-50",
        {**CHANNEL, "on": Parameter("flag", False), "amount": Parameter("count")},
        _loyalty,
    ),
    Fault(
        "ignore_us",
        "the account is put on the list of those who are not paid, or taken off it",
        "lists of known lurkers",
        {**WHOM, "on": Parameter("flag", True)},
        _ignore_us,
    ),
    Fault(
        "bot_absent",
        "StreamElements' bot is out of the chat, and nobody is paid",
        "FC-50",
        {**CHANNEL, "seconds": duration(3600.0)},
        _bot_absent,
    ),
    Fault("price", "an item's price changes", "FC-48", {**_ITEM, "cost": Parameter("count", REQUIRED)}, _price),
    Fault(
        "stock",
        "others buy, or the streamer adds: so many are left (-1: without end)",
        "FC-48",
        {**_ITEM, "left": Parameter("count", REQUIRED)},
        _stock,
    ),
    Fault(
        "item_enabled",
        "an item is switched on or off; without a name all are",
        "openstore, closestore",
        {**CHANNEL, "item": text(), "on": Parameter("flag", True)},
        _item_enabled,
    ),
    Fault("delete_item", "an item is gone", "FC-49", {**_ITEM}, _delete_item),
    Fault(
        "settle_redemptions",
        "the streamer completes or rejects what is pending, with or without giving the points back",
        "documentation of the store; whether points come back is not said",
        {**CHANNEL, "how": text("completed", "completed", "rejected"), "refund": Parameter("flag", False)},
        _settle_redemptions,
    ),
)
