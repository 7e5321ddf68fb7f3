"""Redemptions: how one ended, in words, and the list of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo

from allthepoints.core.redeem import Reason, Redemption, State
from allthepoints.views.columns import Column, table
from allthepoints.views.text import amount, clean, clock_time, number
from allthepoints.views.words import REASONS, REDEMPTIONS, SIGN_IN_REASONS, told

COLUMNS = (
    Column("when", keep=6),
    Column("channel", keep=5, flexible=True),
    Column("item", keep=7, flexible=True),
    Column("cost", keep=4, right=True),
    Column("state", keep=8),
    Column("why", keep=2, flexible=True),
    Column("key", keep=3),
)
"""Where the terminal is narrow, they go in this order: why, key, cost, channel."""

CODES = "https://streamelements.com/dashboard/account/redemptions"

KEY = 8
"""Digits of a key that are shown: enough to name it by."""

AUTO_KEY = 13
"""The same of one that was bought without asking: its key begins with that word."""


def short_key(redemption: Redemption) -> str:
    """As much of the key as the list shows."""
    return redemption.key[: AUTO_KEY if redemption.auto else KEY]


def redemption_lines(
    rows: Sequence[Redemption],
    names: Callable[[Redemption], str],
    now: float,
    width: int | None,
    zone: tzinfo | None = None,
) -> list[str]:
    """The list, in the order given. Codes are not in it."""
    return table(COLUMNS, [_cells(row, names(row), now, zone) for row in rows], width)


def outcome_lines(redemption: Redemption, channel: str, currency: str) -> list[str]:
    """How a redemption ended, what that means, and what can be done. The code of an accepted one is not in it."""
    item = f"{clean(redemption.name) or redemption.item} in {channel}'s store"
    cost = amount(redemption.cost, currency)
    match redemption.state:
        case State.ACCEPTED:
            return [f"Redeemed: {item}, for {cost}.", *_without_answer(redemption)]
        case State.CHECKED:
            return [f"All checks passed: {item} could be redeemed for {cost}. Nothing was sent."]
        case State.REJECTED:
            return list(_rejected(redemption, item))
        case State.UNKNOWN:
            return [
                f"Not known yet: whether {item} was redeemed for {cost}. No clear answer came.",
                *_until_then(redemption),
            ]
        case _:
            return [f"Under way: {item}, for {cost}."]


def settle_lines(redemption: Redemption, channel: str, currency: str, taken: bool) -> list[str]:
    """What a person's word about one that is not known means, before it is given."""
    item = f"{clean(redemption.name) or redemption.item} in {channel}'s store"
    cost = amount(redemption.cost, currency)
    look = f"See first whether it stands there: {CODES}"
    if taken:
        return [
            f"Not known: whether {item} was redeemed for {cost}. You say that it was.",
            "It will stand as redeemed, for good, and its price as spent.",
            look,
        ]
    again = " A wish that redeems by itself may redeem it again then." if redemption.auto else ""
    return [
        f"Not known: whether {item} was redeemed for {cost}. You say that it was not.",
        "It will stand as not redeemed, for good, and is never sent again; you may buy the item anew." + again,
        look,
    ]


def code_lines(redemption: Redemption) -> list[str]:
    """The access code of an accepted one, for the person alone; nothing where it has none."""
    if redemption.state is not State.ACCEPTED or redemption.code is None:
        return []
    shown = clean(redemption.code)
    lines = [f"Access code: {shown}"]
    if shown != redemption.code:
        lines.append("It holds signs that a terminal does not show; `redemptions show --json` has it whole.")
    return lines


def why(redemption: Redemption) -> str:
    """Why it was rejected: in StreamElements' words where it was StreamElements that said no, else in ours. What is
    known of any other, which may be nothing."""
    words = clean(redemption.text)
    if redemption.state is not State.REJECTED or redemption.reason is None:
        return words
    ours = told(REASONS, redemption.reason)
    return words or ours if redemption.reason is Reason.REFUSED else ours


def _without_answer(redemption: Redemption) -> Iterable[str]:
    """Where the answer was lost the code in it was too, if there was one."""
    if redemption.text and redemption.code is None:
        yield f"{redemption.text[:1].upper()}{clean(redemption.text)[1:]}."
        yield f"If it has an access code, StreamElements shows it: {CODES}"


def _until_then(redemption: Redemption) -> Iterable[str]:
    """What comes of one that is not known, and what the person can do."""
    key, whose = short_key(redemption), clean(redemption.account_login)
    if redemption.sent_at is not None and redemption.account is None:
        yield "It is not sent again. Whose redemption it is was not kept, so no reading can settle it."
    else:
        yield "It is not sent again. Your redemptions and your balance are read until it is certain;"
        yield f"`allthepoints redemptions show {key}` tells how it ends."
        if whose:
            yield f"It was sent as {whose}, so only a StreamElements sign-in as {whose} can tell."
    if redemption.sent_at is not None:
        yield f"Should it stay so, look at {CODES}"
        yield f"and end it: `allthepoints redemptions settle {key} --taken`, or `--not-taken`."


def _rejected(redemption: Redemption, item: str) -> Iterable[str]:
    reason = redemption.reason
    yield f"Not redeemed, and nothing was spent: {item}."
    words = clean(redemption.text)
    quoted = f' ("{words}")' if words else ""
    because = told(REASONS, reason) if reason is not None else "no reason was given"
    yield f"{because[:1].upper()}{because[1:]}{quoted}."
    if reason in SIGN_IN_REASONS:
        yield "Run `allthepoints login streamelements`."


def _cells(row: Redemption, channel: str, now: float, zone: tzinfo | None) -> tuple[str, ...]:
    return (
        clock_time(row.settled_at or row.sent_at or row.asked_at, now, zone),
        channel,
        clean(row.name) or row.item,
        number(row.cost),
        told(REDEMPTIONS, row.state),
        why(row),
        short_key(row),
    )
