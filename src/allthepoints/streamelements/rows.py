"""StreamElements' answers become our nouns, read with tolerance: nothing in them is trusted to be there.

Every function takes a JSON value of any shape. A number may be missing, null, a string of digits, a float, negative or
huge: it becomes a whole number from 0 to 2^63-1, or None. Unknown fields are ignored, unknown words kept. What has no
id, or not what it is all about (an item's name and price), is None: the caller leaves it out or calls the answer odd.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from allthepoints.base.types import ItemId, Login, NotALogin, SeId, UserId, as_login, believable
from allthepoints.core.loyalty import Balance, Bought, Item, Loyalty, LoyaltyChannel, Viewer
from allthepoints.core.model import ChannelRef

MOST = 2**63 - 1
"""What a column of the database holds."""

LONGEST_INTERVAL = 86_400.0
"""Seconds between two payments that are believed."""

NAME = 200
TEXT = 2000
"""Characters kept. StreamElements allows 50 and 250."""

LONGEST = 10_000
"""Characters kept of what the person wrote or is to be given whole: answers, a message, an access code."""

MOST_NAMES = 5_000

TWITCH = "twitch"

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}\Z")
_NUMERAL = re.compile(r"[+-]?[0-9]{1,60}(?:\.[0-9]{0,60})?\Z")

_NOTHING: Mapping[object, object] = {}


def channel(value: object, asked: Login) -> LoyaltyChannel | None:
    """The channel of `channels/{name}`; None if it makes no sense. See `on_twitch` for whether it counts.

    Where the answer leaves out the login it is the one that was asked for.
    """
    row = _object(value)
    se, user = guid(row.get("_id")), _digits(row.get("providerId"))
    login = _login(row.get("username")) or asked
    if se is None or user is None:
        return None
    return LoyaltyChannel(SeId(se), ChannelRef(UserId(user), login, text(row.get("displayName"), NAME) or login))


def on_twitch(value: object) -> bool:
    """Whether a channel is one of Twitch. Where the answer does not say it, an id in digits is taken for one."""
    row = _object(value)
    if (provider := text(row.get("provider"), NAME)) or not isinstance(row.get("providerId"), str):
        return provider.lower() in ("", TWITCH)
    return _digits(row.get("providerId")) is not None


def loyalty(value: object) -> Loyalty | None:
    """The settings of `loyalty/{id}`; None if there are none in it. `bonuses` are no matter of watching."""
    row = _object(value).get("loyalty")
    if not isinstance(row, Mapping):
        return None
    minutes = _real(row.get("interval"))
    ignored = (_login(name) for name in _list(row.get("ignored")))
    return Loyalty(
        text(row.get("name"), NAME) or "points",
        flag(row.get("enabled"), True),
        number(row.get("amount")),
        min(minutes * 60.0, LONGEST_INTERVAL) if minutes is not None and minutes > 0 else None,
        max(1, number(row.get("subscriberMultiplier")) or 1),
        frozenset(name for name in ignored if name is not None),
    )


def balance(value: object) -> Balance | None:
    """What `points/{id}/{login}` says; None if it does not say of whom, or says no number where there should be one.

    Absent points are 0: a viewer who was only ever seen watching has no more than that.
    """
    row = _object(value)
    points = row.get("points")
    if not any(isinstance(row.get(key), str) for key in ("username", "channel")):
        return None
    known = number(points)
    if known is None and points is not None:
        return None
    return Balance(known or 0, number(row.get("pointsAlltime")), number(row.get("rank")), number(row.get("watchtime")))


def item(value: object) -> Item | None:
    """One item of a store; None without id, name or a price.

    A cooldown that a whole category shares is left out: only StreamElements knows what is left of it.
    """
    row = _object(value)
    item_id, name, cost = guid(row.get("_id")), text(row.get("name"), NAME), number(row.get("cost"))
    if item_id is None or not name or cost is None:
        return None
    for_one, for_all = _cooldowns(row.get("cooldown"))
    return Item(
        ItemId(item_id),
        name,
        cost,
        text(row.get("description"), TEXT),
        text(row.get("type"), NAME) or "perk",
        _stock(row.get("quantity")),
        for_one,
        for_all,
        flag(row.get("subscriberOnly"), False),
        flag(row.get("enabled"), True),
        _questions(row.get("userInput")),
        flag(row.get("allowMessages"), False),
        frozenset(text(source, NAME).lower() for source in _list(row.get("sources"))) - {""},
        number(row.get("order")) or 0,
    )


def bought(value: object) -> Bought | None:
    """One redemption, whether its channel and item are filled in or only their ids; None without an id of its own."""
    return found if (found := receipt(value)) is not None and found.id else None


def receipt(value: object) -> Bought | None:
    """The answer to a redemption; None if it is no object. Its `id` is "" where it is not told."""
    return _bought(value) if isinstance(value, Mapping) else None


def viewer(value: object) -> Viewer | None:
    """Whose token it is, of `channels/me`; None without an id. Nothing else of that answer is looked at."""
    row = _object(value)
    own = guid(row.get("_id"))
    if own is None:
        return None
    user = _digits(row.get("providerId")) if on_twitch(row) else None
    return Viewer(SeId(own), text(row.get("username"), NAME).lower(), user)


def value(raw: msgspec.Raw) -> object:
    """One row by itself, so that one that cannot be read spoils only itself: it is None."""
    try:
        decoded: object = msgspec.json.decode(raw)
        return decoded
    except (ValueError, RecursionError):
        return None


def reference(value: object) -> str | None:
    """An id that stands alone, or in the object that it is the id of."""
    return guid(value.get("_id") if isinstance(value, Mapping) else value)


def guid(value: object) -> str | None:
    """An id as it may stand in a path."""
    return value if isinstance(value, str) and _ID.match(value) else None


def number(value: object) -> int | None:
    """A whole number from 0 to MOST."""
    signed = _signed(value)
    return None if signed is None else min(max(signed, 0), MOST)


def flag(value: object, otherwise: bool) -> bool:
    """A truth, also as 0, 1 or a word."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value != 0
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    return otherwise


def text(value: object, most: int) -> str:
    """A text without the space around it; "" if it is none."""
    return value.strip()[:most].strip() if isinstance(value, str) else ""


def moment(value: object) -> float:
    """Epoch seconds of an ISO time with any fraction, or of epoch milliseconds; 0 if it is neither, or no moment."""
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value.strip())
            return believable((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
        except (ValueError, OverflowError):
            pass
    return believable((number(value) or 0) / 1000.0)


def _bought(row: Mapping[object, object]) -> Bought:
    thing = _object(row.get("item"))
    item_id, channel_id = reference(row.get("item")), reference(row.get("channel"))
    return Bought(
        guid(row.get("_id")) or "",
        None if channel_id is None else SeId(channel_id),
        None if item_id is None else ItemId(item_id),
        moment(row.get("createdAt")),
        text(thing.get("name"), NAME),
        number(thing.get("cost")),
        flag(row.get("completed"), False),
        flag(row.get("rejected"), False),
        tuple(answer[:LONGEST] if isinstance(answer, str) else "" for answer in _list(row.get("input"))),
        raw[:LONGEST] if isinstance(raw := row.get("message"), str) else "",
        _code(row.get("accessCode")),
        text(row.get("source"), NAME).lower(),
    )


def _stock(quantity: object) -> int | None:
    """What is left: None without end. `total` -1 is, and so is a `current` that is missing or below 0."""
    if not isinstance(quantity, Mapping):
        left = _signed(quantity)
    else:
        total, left = _signed(quantity.get("total")), _signed(quantity.get("current"))
        if total is not None and total < 0:
            return None
    return None if left is None or left < 0 else min(left, MOST)


def _cooldowns(value: object) -> tuple[float, float]:
    """(for each viewer, for all); a bare number, as it once was, is for all."""
    if isinstance(value, Mapping):
        return float(number(value.get("user")) or 0), float(number(value.get("global")) or 0)
    return 0.0, float(number(value) or 0)


def _questions(value: object) -> tuple[str, ...]:
    """In order, and as many as there are: the answers must line up."""
    if isinstance(value, str):
        value = [value] if value.strip() else []
    return tuple(text(question, TEXT) for question in _list(value))


def _code(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(min(value, MOST))
    return value.strip()[:LONGEST] or None if isinstance(value, str) else None


def _signed(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and abs(value) < float("inf"):
        return int(value // 1)
    if isinstance(value, str) and _NUMERAL.match(numeral := value.strip()):
        return int(numeral.partition(".")[0] or 0)
    return None


def _real(value: object) -> float | None:
    """A number that may have a fraction, no larger than MOST."""
    if isinstance(value, str) and _NUMERAL.match(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(min(value, MOST))


def _login(value: object) -> Login | None:
    try:
        return as_login(value) if isinstance(value, str) else None
    except NotALogin:
        return None


def _digits(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST:
        value = str(value)
    return value if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20 else None


def _object(value: object) -> Mapping[object, object]:
    return value if isinstance(value, Mapping) else _NOTHING


def _list(value: object) -> list[object]:
    return value[:MOST_NAMES] if isinstance(value, list) else []
