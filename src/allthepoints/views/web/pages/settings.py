"""Settings: whose chats, in which order, and what you wish for. Every change is written into the person's own config,
whose comments stay; the service takes the file up by itself.

The service needs a moment for that. So what is shown here is what stands in the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from allthepoints.base.errors import AllThePointsError, ConfigError, FaultError
from allthepoints.base.types import Login, UserId
from allthepoints.config.edit import Change, Listed, WishChange
from allthepoints.config.policy import policy
from allthepoints.config.settings import Settings
from allthepoints.core.policy import Wish
from allthepoints.ports import ChannelRow
from allthepoints.storage.read import KnownChannel, RefusalRow
from allthepoints.views.channels import in_order
from allthepoints.views.text import Standing, clean, name, standing
from allthepoints.views.web.board import Board
from allthepoints.views.web.change import Change as News
from allthepoints.views.web.pages import notify, signing
from allthepoints.views.web.pages.kit import Doing, View, fragment, login_in, piece, trouble_of
from allthepoints.views.web.pages.pushed import Look, Part, topics, trouble
from allthepoints.views.web.parts import Fragment
from allthepoints.views.wished import Wished, read_wishes, wish_when
from allthepoints.views.words import PLACE, told

BOUNDS = (
    ("max_cost", "At most for one"),
    ("per_day", "At most in 24 hours"),
    ("keep", "Always keep"),
    ("count", "How many in all"),
)
"""The bounds of a wish that is redeemed by itself: keys of the config, and words."""


@dataclass(frozen=True, slots=True)
class Meant:
    """A channel, and how the config and the follows mean it."""

    login: Login
    who: str
    stands: Standing
    state: str
    reason: str
    followed: bool
    included: bool
    excluded: bool
    paused: bool
    priority: int | None
    refused: bool

    @property
    def loud(self) -> bool:
        """Whether it is shown at once: it is live, or somebody said something about it."""
        named = self.included or self.excluded or self.paused or self.priority is not None
        return named or self.refused or self.state != "offline"

    @property
    def how(self) -> str:
        words = ("excluded", "paused", "included", "followed")
        return ", ".join({"included": "added by you"}.get(word, word) for word in words if getattr(self, word))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A wish of the config, and how it stands. `when` empty: its channel's store is not known."""

    wish: Wish
    name: str
    when: str

    @property
    def id(self) -> str:
        """What its elements are called by."""
        return hashlib.sha256(f"{self.wish.channel} {self.wish.item}".encode()).hexdigest()[:12]


async def show(board: Board, _request: Request) -> Mapping[str, Any]:
    """The page. Where the memory cannot be read, what stands in the config can still be changed."""
    settings = await _settings(board)
    channels, wishes, error = await _remembered(board, settings)
    return {
        "channels": channels,
        "priority": settings.channels.priority,
        "called": _called(board),
        "settings": settings,
        "wishes": wishes,
        "kinds_of_bounds": BOUNDS,
        **trouble_of(error),
        **signing.state(board),
        **notify.state(settings),
    }


async def look(board: Board, change: News, _subject: str) -> Look | None:
    """How the page looks now."""
    news = change.rows, change.gone, change.head, change.read, change.events, change.aged
    if not topics(board).concerned("settings", change, *news):
        return None
    settings = await _settings(board)
    channels, wishes, error = await _remembered(board, settings)
    rows = [Part(f"meant {one.login}", one, _drawing(board, one), bulk=True) for one in channels]
    order, called = settings.channels.priority, _called(board)
    of_wishes = tuple(called.get(one.wish.channel) for one in wishes)
    given = {"wishes": wishes, "kinds_of_bounds": BOUNDS}
    return Look(
        [
            trouble(board, error),
            *rows,
            Part.stale("meant", tuple((one.login, one.loud) for one in channels)),
            Part(
                "priority",
                (order, tuple(map(called.get, order))),
                lambda: _section(board, "priority", priority=order, called=called),
            ),
            Part("wishes", (wishes, of_wishes), lambda: _section(board, "wishes", **given, called=called)),
        ]
    )


def _drawing(board: Board, one: Meant) -> Callable[[], str]:
    return lambda: piece(board, "parts/meant_row.html", channel=one)


def _section(board: Board, name_: str, **context: Any) -> str:
    return f'<div id="{name_}">{piece(board, f"parts/{name_}.html", **context)}</div>'


async def _settings(board: Board) -> Settings:
    """Those of the file; of a file that cannot be used, those from before. The alerts tell of it."""
    try:
        return await board.fresh_settings()
    except ConfigError:
        return board.settings()


async def _remembered(
    board: Board, settings: Settings
) -> tuple[list[Meant], tuple[Wanted, ...], AllThePointsError | None]:
    """Channels and wishes, with what the memory knows of them; and why it knows nothing."""
    try:
        now = board.now()
        found = await board.read(lambda reader: read_wishes(reader, settings, now))
        wishes = tuple(Wanted(one.wish, _wish_name(one), wish_when(one, now)) for one in found)
        return await _meant(board, settings), wishes, None
    except FaultError as error:
        wanted = (Wanted(wish, clean(wish.item), "") for wish in policy(settings).wishes)
        return _all_meant(board, settings, (), ()), tuple(wanted), error


async def add(board: Board, form: Mapping[str, str]) -> Fragment:
    """Be in this channel's chat too."""
    login = login_in(form, "name")
    changes = [
        Change("include", login),
        Change("exclude", login, present=False),
        Change("paused", login, present=False),
    ]
    return await _list_after(board, changes, f"{login} is meant now. It appears here once Twitch has told who it is.")


async def remove(board: Board, form: Mapping[str, str]) -> Fragment:
    """Take it out of the include list."""
    login = login_in(form)
    changes = [Change("include", login, present=False), Change("priority", login, present=False)]
    return await _list_after(board, changes, f"{login} is not added by you any more.")


async def pause(board: Board, form: Mapping[str, str]) -> Fragment:
    """Stay out of its chat until it is resumed."""
    login = login_in(form)
    return await _list_after(board, [Change("paused", login)], f"{login} is paused: its chat is left.", login)


async def resume(board: Board, form: Mapping[str, str]) -> Fragment:
    """End a pause, and ask a chat again that was closed."""
    login = login_in(form)
    refused = any(row.login == login for row in await board.read(lambda reader: reader.refusals()))
    if refused:
        await board.ask("retry", login)
    said = f"{login}'s chat is asked again." if refused else f"{login} is not paused any more."
    return await _list_after(board, [Change("paused", login, present=False)], said, login)


async def prefer(board: Board, form: Mapping[str, str]) -> Fragment:
    """Change the order in which rooms are given: `to` is "up", "down", "first" or "off"."""
    login, settings = login_in(form), await board.fresh_settings()
    order = list(settings.channels.priority)
    after = _moved(order, login, form.get("to", ""))
    if after != order:
        await board.edit([Listed("priority", tuple(after))])
    channels, _, _ = await _remembered(board, await board.fresh_settings())
    given: dict[str, Any] = {"priority": after, "channels": channels, "called": _called(board)}
    return fragment(board, "parts/preferred.html", **given, moved=login)


async def unwish(board: Board, form: Mapping[str, str]) -> Fragment:
    """Take a wish back: `item` as the config names it."""
    login, item = login_in(form), form.get("item", "")
    made = await board.edit([WishChange(login, item, present=False)])
    said = f"You do not wish for {clean(item)} any more." if made else "That wish was not in the config any more."
    return await _wishes_after(board, said)


async def bound(board: Board, form: Mapping[str, str]) -> Fragment:
    """Have a wish be redeemed by itself within bounds, or not any more (without `auto`). The first must be meant
    (`sure`): it spends points."""
    login, item = login_in(form), form.get("item", "")
    if all((wish.channel, wish.item) != (login, item) for wish in (await board.fresh_settings()).wish):
        raise ValueError("That wish is not in the config any more.")
    options = _bounds(form) if form.get("auto") == "1" else {}
    if options and form.get("sure") != "1":
        raise ValueError("It spends points while you are away, so say that you mean it.")
    await board.edit([WishChange(login, item, options)])
    if options:
        await board.ask("allow_auto", None, {"allowed": True})
    said = "is redeemed by itself within these bounds" if options else "is told of, and not redeemed by itself"
    return await _wishes_after(board, f"{clean(item)} {said}.")


def _bounds(form: Mapping[str, str]) -> dict[str, bool | int]:
    """Raises ValueError."""
    found: dict[str, bool | int] = {"auto": True}
    for key, word in BOUNDS:
        text = form.get(key, "").strip().replace(",", "")
        if text and not (text.isascii() and text.isdecimal() and len(text) < 11):
            raise ValueError(f'"{word}" is a whole number.')
        if text:
            found[key] = int(text)
    if "max_cost" not in found:
        raise ValueError("Say what one may cost at most. Without that nothing is redeemed by itself.")
    return found


async def _wishes_after(board: Board, said: str) -> Fragment:
    _, wishes, _ = await _remembered(board, await board.fresh_settings())
    given: dict[str, Any] = {"wishes": wishes, "kinds_of_bounds": BOUNDS, "called": _called(board)}
    return fragment(board, "parts/wishes.html", **given, said=said)


async def _list_after(board: Board, changes: Sequence[Change], said: str, only: Login | None = None) -> Fragment:
    await board.edit(changes)
    channels = await _meant(board, await board.fresh_settings())
    return fragment(board, "parts/meant.html", channels=channels, said=said, moved=only)


def _moved(order: Sequence[Login], login: Login, to: str) -> list[Login]:
    after = [entry for entry in order if entry != login]
    if to == "off":
        return after
    at = order.index(login) if login in order else len(after)
    places = {"up": max(0, at - 1), "down": at + 1, "first": 0}
    if to not in places:
        raise ValueError("Where to?")
    after.insert(places[to], login)
    return after


async def _meant(board: Board, settings: Settings) -> list[Meant]:
    """Everything followed or named, each once: those of the snapshot first, in their order."""
    everyone, refusals = await board.read(lambda reader: (reader.channels(), reader.refusals()))
    return _all_meant(board, settings, everyone, refusals)


def _all_meant(
    board: Board, settings: Settings, everyone: Sequence[KnownChannel], refusals: Sequence[RefusalRow]
) -> list[Meant]:
    snapshot, channels = board.snapshot(), settings.channels
    rows: dict[UserId, ChannelRow] = {} if snapshot is None else dict(snapshot.rows)
    by_id = {channel.id: channel for channel in everyone}
    for channel in everyone:
        if channel.followed is not None and channels.followed:
            rows.setdefault(channel.id, ChannelRow(channel.id, channel.login, channel.display, None, "absent"))
    ids = {login: channel.id for channel in everyone for login in channel.logins}
    for login in dict.fromkeys((*channels.include, *channels.exclude, *channels.paused)):
        key = ids.get(login, UserId(f"#{login}"))
        rows.setdefault(key, ChannelRow(key, login, by_id[key].display if key in by_id else login, None, "absent"))
    refused = {row.channel for row in refusals}
    return [_one(row, by_id.get(row.id), settings, row.id in refused) for row in in_order(rows.values())]


def _one(row: ChannelRow, of: KnownChannel | None, settings: Settings, refused: bool) -> Meant:
    logins, lists = {row.login, *(of.logins if of else ())}, settings.channels
    return Meant(
        row.login,
        name(row.display, row.login),
        standing(row.state, row.live),
        row.state if row.state != "absent" or row.live else "offline",
        told(PLACE, row.reason) if row.reason and row.reason != "offline" else "",
        of is not None and of.followed is not None and lists.followed,
        bool(logins.intersection(lists.include)),
        bool(logins.intersection(lists.exclude)),
        bool(logins.intersection(lists.paused)),
        next((at for at, login in enumerate(lists.priority, 1) if login in logins), None),
        refused,
    )


def _called(board: Board) -> Mapping[str, str]:
    """Channels that the config names by login, as Twitch shows them."""
    snapshot = board.snapshot()
    return {} if snapshot is None else {row.login: name(row.display, row.login) for row in snapshot.rows.values()}


def _wish_name(one: Wished) -> str:
    item = None if one.stands is None else one.stands.item
    return clean(item.name) if item is not None else clean(one.wish.item)


PAGE = View("/settings", "settings.html", show)
ACTIONS = {
    "/channels/add": Doing(add),
    "/channels/{login}/remove": Doing(remove),
    "/channels/{login}/pause": Doing(pause),
    "/channels/{login}/resume": Doing(resume),
    "/channels/{login}/priority": Doing(prefer),
    "/unwish/{login}": Doing(unwish),
    "/wishes/{login}/bounds": Doing(bound),
    **notify.ACTIONS,
}
