"""Words for wishes: how one stands, and why it is not redeemed by itself. Not in `words`, so that `status` is fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allthepoints.core.wishes import Hold, Within
from allthepoints.views.text import number

if TYPE_CHECKING:
    from allthepoints.core.policy import Wish

WITHIN: dict[str, str] = {
    Within.OBTAINABLE: "now",
    Within.NOT_ENOUGH: "not enough points yet",
    Within.COOLING_DOWN: "cooling down since your last one",
    Within.SOLD_OUT: "sold out",
    Within.DISABLED: "turned off",
    Within.NOT_ON_WEBSITE: "in chat only",
    Within.GONE: "not in the store",
    Within.UNREAD: "your points there were not read yet",
}
"""How a wish stands."""

HOLDS: dict[str, str] = {
    Hold.NOT_AUTO: "you redeem it yourself",
    Hold.NO_MAX_COST: "not by itself: it has no `max_cost`",
    Hold.TOO_DEAR: "not by itself: it costs more than `max_cost`",
    Hold.COUNT: "as many as wanted were redeemed",
    Hold.PER_DAY: "not by itself now: `per_day` is used up",
    Hold.KEEP: "not by itself: too little would be left of what is to be kept",
    Hold.ASKS: "not by itself: it asks something, which only you can answer",
}
"""Why a wish is not redeemed without asking."""


def bounded(wish: Wish) -> bool:
    """Whether more stands in the config than that it is wished for."""
    return wish.auto or bool(wish.keep) or wish.count != 1 or (wish.max_cost, wish.per_day) != (None, None)


def wish_command(wish: Wish) -> str:
    """The command that makes this wish."""
    options = (("max-cost", wish.max_cost), ("per-day", wish.per_day), ("keep", wish.keep or None))
    given = [f"--{name} {value}" for name, value in options if value is not None]
    given += [f"--count {wish.count}"] if wish.count != 1 else []
    item = f'"{wish.item}"' if " " in wish.item else wish.item
    return " ".join(["allthepoints wish add", wish.channel, item, *(["--auto"] if wish.auto else []), *given])


def bounds(wish: Wish) -> str:
    """Within which bounds a wish is redeemed by itself: `up to 1,500 each, 2 in all`; empty where it never is."""
    if not wish.auto:
        return ""
    found = [
        "" if wish.max_cost is None else f"up to {number(wish.max_cost)} each",
        "" if wish.per_day is None else f"at most {number(wish.per_day)} in 24 hours",
        f"{number(wish.keep)} are kept" if wish.keep else "",
        f"{number(wish.count)} in all",
    ]
    return ", ".join(text for text in found if text)
