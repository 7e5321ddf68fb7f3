"""StreamElements' nouns as rows and back. Words that only a later version knows are read as the safest that we know.

Other people's words are cut to a bound; what is sent, shown once or compared (answers, messages, keys, codes) never is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core.loyalty import Balance, Item, Loyalty
from allthepoints.core.redeem import Reason, Redemption, State
from allthepoints.storage.text import bounded, json_strings, to_json, valid

Value = str | int | float | None
Row = tuple[Value, ...]

LOYALTY = "se, currency, enabled, amount, interval, multiplier, ignored"
BALANCE = "points, alltime, rank, watch_minutes"
ITEM = (
    "item, name, cost, description, kind, stock, cooldown_user, cooldown_global, subscriber_only, enabled, asks,"
    " takes_message, sources, place"
)
REDEMPTION = (
    "key, channel, login, item, cost, asked_at, state, se, name, answers, message, auto, dry, sent_at, settled_at,"
    " known, points_before, bought, code, reason, text, account, account_login, ahead, by_hand"
)
"""Columns, in the order of the rows below."""

_STATES = frozenset(state.value for state in State)
_REASONS = frozenset(reason.value for reason in Reason)
_MOST = 2**63 - 1


def whole(number: int) -> int:
    """`number` as far as a column can hold it: other people's numbers may be absurd, and must not stop a batch."""
    return max(-_MOST, min(_MOST, number))


def loyalty_row(se: SeId | None, loyalty: Loyalty | None) -> Row:
    """The columns LOYALTY."""
    if loyalty is None:
        return (_some(se), None, None, None, None, None, None)
    return (
        _some(se),
        bounded(loyalty.currency),
        int(loyalty.enabled),
        _number(loyalty.amount),
        loyalty.interval,
        whole(loyalty.subscriber_multiplier),
        _list(sorted(loyalty.ignored)),
    )


def loyalty_of(row: Sequence[Value]) -> tuple[SeId | None, Loyalty | None]:
    """What `loyalty_row` made."""
    se, currency, enabled, amount, interval, multiplier, ignored = row
    where = None if se is None else SeId(str(se))
    if currency is None:
        return where, None
    names = frozenset(Login(name) for name in _strings(ignored))
    return where, Loyalty(str(currency), bool(enabled), _int(amount), _float(interval), _int(multiplier) or 0, names)


def balance_row(balance: Balance) -> Row:
    """The columns BALANCE."""
    return (whole(balance.points), *map(_number, (balance.alltime, balance.rank, balance.watch_minutes)))


def balance_of(row: Sequence[Value]) -> Balance:
    """What `balance_row` made."""
    points, alltime, rank, watch_minutes = map(_int, row)
    return Balance(points or 0, alltime, rank, watch_minutes)


def item_row(item: Item) -> Row:
    """The columns ITEM."""
    return (
        valid(item.id),
        bounded(item.name),
        whole(item.cost),
        bounded(item.description),
        bounded(item.kind),
        _number(item.stock),
        item.cooldown_user,
        item.cooldown_global,
        int(item.subscriber_only),
        int(item.enabled),
        _list(bounded(ask) for ask in item.asks),
        int(item.takes_message),
        _list(bounded(source) for source in sorted(item.sources)),
        whole(item.order),
    )


def item_of(row: Sequence[Value]) -> Item:
    """What `item_row` made."""
    id_, name, cost, description, kind, stock, user, everyone, subscribers, enabled, asks, message, sources, order = row
    return Item(
        ItemId(str(id_)),
        str(name),
        _int(cost) or 0,
        str(description),
        str(kind),
        _int(stock),
        _float(user) or 0.0,
        _float(everyone) or 0.0,
        bool(subscribers),
        bool(enabled),
        _strings(asks),
        bool(message),
        frozenset(_strings(sources)),
        _int(order) or 0,
    )


def redemption_row(redemption: Redemption) -> Row:
    """The columns REDEMPTION."""
    return (
        valid(redemption.key),
        redemption.channel,
        redemption.login,
        valid(redemption.item),
        whole(redemption.cost),
        redemption.asked_at,
        redemption.state.value,
        _some(redemption.se),
        bounded(redemption.name),
        _list(redemption.answers),
        valid(redemption.message),
        int(redemption.auto),
        int(redemption.dry),
        redemption.sent_at,
        redemption.settled_at,
        _list(redemption.known),
        _number(redemption.points_before),
        _some(redemption.bought),
        _some(redemption.code),
        None if redemption.reason is None else redemption.reason.value,
        bounded(redemption.text),
        _some(redemption.account),
        bounded(redemption.account_login),
        redemption.ahead,
        int(redemption.by_hand),
    )


def redemption_of(row: Sequence[Value]) -> Redemption:
    """What `redemption_row` made."""
    key, channel, login, item, cost, asked_at, state, se, name, answers, message, auto, dry, sent_at, *rest = row
    settled_at, known, points_before, bought, code, reason, text, account, account_login, ahead, by_hand = rest
    asked = _float(asked_at) or 0.0
    return Redemption(
        str(key),
        UserId(str(channel)),
        Login(str(login)),
        ItemId(str(item)),
        _int(cost) or 0,
        asked,
        State(state) if state in _STATES else State.UNKNOWN,
        None if se is None else SeId(str(se)),
        str(name),
        _strings(answers),
        str(message),
        bool(auto),
        bool(dry),
        asked if sent_at is None and state not in _STATES else _float(sent_at),
        _float(settled_at),
        _strings(known),
        _int(points_before),
        _text(bought),
        _text(code),
        Reason(reason) if reason in _REASONS else None,
        str(text),
        None if account is None else SeId(str(account)),
        str(account_login),
        _float(ahead),
        bool(by_hand),
    )


def _some(text: str | None) -> str | None:
    return None if text is None else valid(text)


def _number(number: int | None) -> int | None:
    return None if number is None else whole(number)


def _list(texts: Iterable[str]) -> str:
    return to_json(list(texts))


def _strings(value: Value) -> tuple[str, ...]:
    return json_strings(value) if isinstance(value, str) else ()


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def _int(value: Value) -> int | None:
    return value if isinstance(value, int) else None


def _float(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) else None
