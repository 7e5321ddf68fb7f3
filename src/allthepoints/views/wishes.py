"""Words for wishes: how one stands, and why it is not redeemed by itself. Not in `words`, so that `status` is fast."""

from __future__ import annotations

from allthepoints.core.wishes import Hold, Within

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
