"""Settings: whose chats, in which order, and what you wish for. Every change is written into the person's own config,
whose comments stay; the service takes the file up by itself.

The service needs a moment for that. So what is shown here is what stands in the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from allthepoints.base.errors import ConfigError
from allthepoints.base.types import Login, UserId
from allthepoints.config.edit import Change, WishChange
from allthepoints.config.settings import Settings
from allthepoints.ports import ChannelRow
from allthepoints.storage.read import KnownChannel
from allthepoints.views.channels import in_order
from allthepoints.views.text import Standing, clean, name, standing
from allthepoints.views.web.board import Board
from allthepoints.views.web.pages import signing
from allthepoints.views.web.pages.kit import Doing, View, fragment, login_in
from allthepoints.views.web.pages.known import known
from allthepoints.views.web.parts import Fragment
from allthepoints.views.wished import Wished, wish_when
from allthepoints.views.words import PLACE, told


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


async def show(board: Board, _request: Request) -> Mapping[str, Any]:
    """The page."""
    facts = await known(board)
    try:
        settings = await board.fresh_settings()
    except ConfigError:  # the alerts tell of it
        settings = board.settings()
    return {
        "channels": await _meant(board, settings),
        "priority": settings.channels.priority,
        "settings": settings,
        "wishes": [(one, _wish_name(one), wish_when(one, board.now())) for one in facts.wishes],
        **signing.state(board),
        "notify": len(settings.notify.urls),
    }


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
    login, order = login_in(form), list((await board.fresh_settings()).channels.priority)
    after = _moved(order, login, form.get("to", ""))
    changes = _reordering(order, after)
    if changes:
        await board.edit(changes)
    return fragment(board, "parts/priority.html", priority=after, moved=login)


async def unwish(board: Board, form: Mapping[str, str]) -> Fragment:
    """Take a wish back: `item` as the config names it."""
    login, item = login_in(form), form.get("item", "")
    made = await board.edit([WishChange(login, item, present=False)])
    said = f"You do not wish for {clean(item)} any more." if made else "That wish was not in the config any more."
    return fragment(board, "parts/said.html", said=said)


async def try_notify(board: Board, _form: Mapping[str, str]) -> Fragment:
    """Send a test message to each place."""
    return fragment(board, "parts/tried.html", tried=await board.try_notify())


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


def _reordering(before: Sequence[Login], after: Sequence[Login]) -> list[Change]:
    """What differs from some place on is taken out and added anew; what stands before it is not touched."""
    same = next((at for at, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), None)
    same = min(len(before), len(after)) if same is None else same
    out = [Change("priority", login, present=False) for login in before[same:]]
    return out + [Change("priority", login) for login in after[same:]]


async def _meant(board: Board, settings: Settings) -> list[Meant]:
    """Everything followed or named, each once: those of the snapshot first, in their order."""
    snapshot, channels = board.snapshot(), settings.channels
    everyone, refusals = await board.read(lambda reader: (reader.channels(), reader.refusals()))
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
    "/notify/test": Doing(try_notify),
}
