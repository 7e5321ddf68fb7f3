"""`wish`: what you want of the stores. It is kept in the config, and you are told once when it can be had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from allthepoints.base.errors import UsageError
from allthepoints.base.types import Login
from allthepoints.cli import output
from allthepoints.cli.confirm import confirmed, is_terminal
from allthepoints.cli.fresh import ask
from allthepoints.cli.here import Here, here, login_of
from allthepoints.cli.options import AsJson
from allthepoints.cli.store import item_named, known_shelf
from allthepoints.core.loyalty import Item
from allthepoints.storage import lock
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.columns import Column, table
from allthepoints.views.plain import Field, Shape, same
from allthepoints.views.text import clean, number
from allthepoints.views.text import count as counted
from allthepoints.views.wished import WISHED, Wished, read_wishes, wish_when
from allthepoints.views.wishes import HOLDS
from allthepoints.views.words import told

if TYPE_CHECKING:
    from pathlib import Path

    from allthepoints.config.edit import WishChange

MOST = 10_000
DAY = 86_400.0

ALLOW_WITHIN = 10.0

AUTO_ALLOWED = "auto_allowed"
"""The note that says that the person knows what an automatic wish means."""

MEANS = """This wish is redeemed without asking, while you are away or asleep:
  at most {max_cost} points each, {count} in all{per_day}{keep}.
What is spent cannot be undone. `allthepoints wish remove {channel} {item}` ends it at any time."""

WISH_ADDED: Shape[tuple[Path, WishChange, bool]] = Shape(
    "An added wish",
    "`wish add CHANNEL ITEM --json`",
    (
        Field("config", "str", "The config file.", lambda made: str(made[0])),
        Field("channel", "str", "The login.", lambda made: made[1].channel),
        Field("item", "str", "The item's id or name, as the config names it now.", lambda made: made[1].item),
        Field("changed", "bool", "Whether the config was changed: it may have said so already.", lambda made: made[2]),
        Field(
            "options",
            "object",
            "The wish's [other keys](../config.md#wish), where given.",
            lambda made: dict(made[1].options),
        ),
    ),
)

WISH_TAKEN_BACK: Shape[WishChange] = Shape(
    "A wish that was taken back",
    "`wish remove CHANNEL ITEM --json`: `removed`",
    (
        same("channel", "str", "The login."),
        same("item", "str", "The item's id or name, as the config named it."),
    ),
)

WISHES_REMOVED: Shape[tuple[Path, Sequence[WishChange]]] = Shape(
    "Removed wishes",
    "`wish remove CHANNEL ITEM --json`",
    (
        Field("config", "str", "The config file.", lambda made: str(made[0])),
        Field(
            "removed",
            "list",
            "[Wishes](#a-wish-that-was-taken-back); empty where there was none.",
            lambda made: [WISH_TAKEN_BACK.of(change) for change in made[1]],
        ),
    ),
)

app = typer.Typer(rich_markup_mode=None, no_args_is_help=False, invoke_without_command=True)

Channel = Annotated[str, typer.Argument(metavar="CHANNEL", help="Whose store.")]
ItemText = Annotated[str, typer.Argument(metavar="ITEM", help="The item's id, or its exact name.")]


@app.callback()
def wish(context: typer.Context, as_json: AsJson = False) -> None:
    """What you want of the stores: you are told once when it can be had, gets cheaper or comes back."""
    if context.invoked_subcommand is None:
        _list(here(context), as_json)


@app.command("list")
def list_wishes(context: typer.Context, as_json: AsJson = False) -> None:
    """Your wishes, and how each stands."""
    _list(here(context), as_json)


@app.command()
def add(
    context: typer.Context,
    channel: Channel,
    item: ItemText,
    auto: Annotated[bool, typer.Option("--auto", help="Redeem it without asking, within the bounds below.")] = False,
    max_cost: Annotated[int | None, typer.Option(min=0, help="With --auto: never pay more for one.")] = None,
    per_day: Annotated[int | None, typer.Option(min=0, help="With --auto: points to spend on it in 24 hours.")] = None,
    keep: Annotated[int | None, typer.Option(min=0, help="With --auto: never leave fewer points than this.")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="With --auto: how many in all (1).")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --auto: do not ask, it is meant.")] = False,
    as_json: AsJson = False,
) -> None:
    """Wish for an item of a channel's store. A wish that is there already gets these options instead of its own."""
    where, login = here(context), login_of(channel)
    found = _known(where, login, item)
    bounds = {"max_cost": max_cost, "per_day": per_day, "keep": keep, "count": count}
    options: dict[str, bool | int] = {}
    if auto:
        options = _auto(found, bounds)
    elif any(value is not None for value in bounds.values()):
        raise UsageError("bounds were given without --auto", "Without --auto nothing is redeemed by itself.")
    text = item.strip() if found is None else found.id if item.strip() == found.id else found.name.strip()
    if auto:
        _confirm(where, login, text, options, yes)
    _edit(where, login, text, options, found, as_json)
    if auto:
        _allow(where)


@app.command()
def allow(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, it is meant.")] = False,
    never: Annotated[bool, typer.Option("--never", help="Take it back: nothing is redeemed without asking.")] = False,
) -> None:
    """Let wishes with `auto = true` in the config be redeemed without asking. Needed once, for all of them."""
    where = here(context)
    if never:
        _tell_service(where, allowed=False)
        output.say("Nothing is redeemed without asking.")
        return
    bounded = [wish for wish in where.load().settings.wish if wish.auto]
    output.note(
        f"{counted(len(bounded), 'wish', 'wishes')} in the config may spend points while you are away, each within its "
        "max_cost, per_day, keep and count. `allthepoints wish list` shows them."
    )
    if not yes and not is_terminal():
        raise UsageError("nobody can be asked here, and points are not spent unasked", "Add --yes if it is meant.")
    if not yes and not confirmed("Redeem without asking?"):
        raise UsageError("nothing was changed", "Without it you are told when something can be had.")
    _tell_service(where, allowed=True)
    output.say("Automatic wishes are allowed. To take it back: `allthepoints wish allow --never`.")


@app.command()
def remove(context: typer.Context, channel: Channel, item: ItemText, as_json: AsJson = False) -> None:
    """Take a wish back."""
    from allthepoints.config.edit import WishChange, edit

    where, login = here(context), login_of(channel)
    try:
        found = _known(where, login, item)
    except UsageError:  # it may be gone by now
        found = None
    texts = {item.strip(), *(() if found is None else (found.id, found.name.strip()))}
    made = edit(where.config.path, [WishChange(login, text, present=False) for text in sorted(texts)])
    if as_json:
        output.say_json(WISHES_REMOVED.of((where.config.path, made)))
    elif made:
        output.say(f"You do not wish for {item.strip()} of {login} any more.")
    else:
        raise UsageError(f"there is no wish for {item.strip()!r} of {login}", "`allthepoints wish list` shows them.")


# -- adding --------------------------------------------------------------------------------------------------------
def _known(where: Here, login: Login, text: str) -> Item | None:
    """The item, where the channel's store is known here. Raises UsageError if that store has several or none of it."""
    reader = PointsReader(where.data.database)
    if reader.named(login) is None:
        return None
    shelf = known_shelf(where, login)
    return item_named(shelf, text) if shelf.items() else None


def _auto(item: Item | None, bounds: dict[str, int | None]) -> dict[str, bool | int]:
    """What the config gets. The bound on the price is today's price where none is given."""
    if item is not None and item.asks:
        raise UsageError(f"{clean(item.name)} asks something, which only you can answer", "Leave --auto out.")
    if bounds["max_cost"] is None:
        if item is None:
            raise UsageError("--auto needs --max-cost: the item's price is not known here yet")
        bounds = {**bounds, "max_cost": item.cost}
    return {"auto": True, **{key: value for key, value in bounds.items() if value is not None}}


def _confirm(where: Here, login: Login, item: str, options: dict[str, bool | int], yes: bool) -> None:
    """Say what it means while nobody is there, and have it confirmed."""
    count, per_day, keep = (options.get(key) for key in ("count", "per_day", "keep"))
    output.note(
        MEANS.format(
            max_cost=number(int(options["max_cost"])),
            count=number(int(count or 1)),
            per_day="" if per_day is None else f", {number(int(per_day))} points in 24 hours",
            keep=f", and never below {number(int(keep))} points" if keep else "",
            channel=login,
            item=f'"{item}"' if " " in item else item,
        )
    )
    if yes or AUTO_ALLOWED in PointsReader(where.data.database).notes():
        return
    if not is_terminal():
        raise UsageError("nobody can be asked here, and points are not spent unasked", "Add --yes if it is meant.")
    if not confirmed("Redeem it without asking?"):
        raise UsageError("nothing was changed", "Without --auto you are told when it can be had.")


def _edit(
    where: Here, login: Login, item: str, options: dict[str, bool | int], found: Item | None, as_json: bool
) -> None:
    from allthepoints.config.edit import WishChange, edit

    path = where.config.path
    remark = clean(found.name) if found is not None and item == found.id else ""
    change = WishChange(login, item, options, remark=remark)
    made = edit(path, [change])
    if as_json:
        output.say_json(WISH_ADDED.of((path, change, bool(made))))
        return
    what = clean(found.name) if found is not None else item
    output.say(f"You wish for {what} of {login}." if made else f"You wished for {what} of {login} already.")
    if found is None:
        output.note(f"{login}'s store was not read yet, so whether it has that item is not known.")
    if made and lock.holder(where.data.lock) is not None:
        output.note("The running service takes it up by itself.")


def _allow(where: Here) -> None:
    """What was understood while a wish was added."""
    if AUTO_ALLOWED not in PointsReader(where.data.database).notes():
        _tell_service(where, allowed=True)


def _tell_service(where: Here, *, allowed: bool) -> None:
    """Tell the service what was understood; where none runs, this process is it for a moment."""
    reader = PointsReader(where.data.database)

    def done() -> bool:
        return (AUTO_ALLOWED in reader.notes()) is allowed

    if not done() and not ask(where, "allow_auto", None, {"allowed": allowed}, done, ALLOW_WITHIN):
        output.note("The service has not answered yet; it takes it up by itself.")


# -- listing -------------------------------------------------------------------------------------------------------
def _list(where: Here, as_json: bool) -> None:
    reader = PointsReader(where.data.database)
    found = read_wishes(reader, where.load().settings, where.now())
    if as_json:
        output.say_json([WISHED.of(one) for one in found])
        return
    if not found:
        output.say("No wish yet. `allthepoints wish add CHANNEL ITEM` adds one.")
        return
    columns = (
        Column("channel", keep=4, flexible=True),
        Column("item", keep=6, flexible=True),
        Column("cost", keep=3, right=True),
        Column("when", keep=5),
        Column("by itself", keep=2, flexible=True),
    )
    for line in table(columns, [_cells(one, where.now()) for one in found], output.width()):
        output.say(line)


def _cells(one: Wished, now: float) -> tuple[str, ...]:
    stands = one.stands
    item = None if stands is None else stands.item
    itself = (
        "" if not one.wish.auto else told(HOLDS, one.held) if one.held else f"up to {number(one.wish.max_cost or 0)}"
    )
    return (
        one.wish.channel,
        clean(item.name) if item is not None else clean(one.wish.item),
        "" if item is None else number(item.cost),
        wish_when(one, now),
        itself,
    )
