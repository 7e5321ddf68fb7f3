"""Small pictures as SVG, made here: no script, and no style that a strict policy would forbid."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from markupsafe import Markup

from allthepoints.storage.read_points import Price
from allthepoints.views.text import count, number

WIDTH, HEIGHT, GAP = 5, 18, 2


def bars(values: Sequence[int | None]) -> Markup:
    """What was earned in each part of a day. A gap: nothing is known of then; a line at the bottom: nothing came."""
    return _bars(tuple(values))


@lru_cache(1_000)
def _bars(values: tuple[int | None, ...]) -> Markup:
    """Made of numbers alone, so nothing is to be escaped; a page has hundreds, and few are different from before."""
    known = [value for value in values if value is not None]
    if not known:
        return Markup("")
    highest = max(known)
    drawn: dict[str, list[str]] = {"bar": [], "none": []}
    for at, value in enumerate(values):
        if value is not None:
            height = max(3, round(HEIGHT * value / highest)) if value > 0 else 1
            drawn["bar" if value > 0 else "none"].append(f"M{at * (WIDTH + GAP)} {HEIGHT}v-{height}h{WIDTH}v{height}z")
    paths = "".join(f'<path class="{kind}" d="{"".join(steps)}"/>' for kind, steps in drawn.items() if steps)
    wide = len(values) * (WIDTH + GAP) - GAP
    size = f'viewBox="0 0 {wide} {HEIGHT}" width="{wide}" height="{HEIGHT}"'
    said = f"{count(sum(known), 'point')} in 24 hours"
    return Markup(f'<svg class="bars" {size} role="img" aria-label="{said}">{paths}</svg>')  # noqa: S704


def prices(history: Sequence[Price], now: float) -> Markup:
    """A price as steps, up to now."""
    if len(history) < 2:
        return Markup("")
    wide, begin, top = 96, history[0].at, max(price.cost for price in history) or 1
    span = max(1.0, now - begin)
    steps = [f"M0 {_height(history[0].cost, top)}"]
    for price in history[1:]:
        steps += [f"H{wide * (price.at - begin) / span:.1f}", f"V{_height(price.cost, top)}"]
    said = ", then ".join(number(price.cost) for price in history)
    return Markup(
        '<svg class="prices" viewBox="0 -1 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">'
        '<path d="{3}"/></svg>'
    ).format(wide, HEIGHT + 2, f"Price: {said}", " ".join([*steps, f"H{wide}"]))


def gauge(used: int, limit: int) -> Markup:
    """How much of a budget is used."""
    wide = 160
    filled = 0 if limit <= 0 else round(wide * min(1.0, used / limit))
    full = "gauge full" if limit and used >= 0.9 * limit else "gauge"
    return Markup(
        '<svg class="{0}" viewBox="0 0 {1} 8" width="{1}" height="8" aria-hidden="true">'
        '<rect width="{1}" height="8" class="whole"/><rect width="{2}" height="8" class="part"/></svg>'
    ).format(full, wide, filled)


def _height(cost: int, top: int) -> int:
    return HEIGHT - round(HEIGHT * cost / top)
