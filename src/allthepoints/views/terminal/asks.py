"""What a person does in the terminal view, carried out: asked of the running service, or written into the config.

All of it blocks, and is called on a thread. Raises AllThePointsError with what can be done about it.
"""

from __future__ import annotations

from collections.abc import Callable

from allthepoints.base.clock import Stopwatch, pause
from allthepoints.base.errors import FaultError, NotSent, Refused
from allthepoints.base.types import Login, UserId
from allthepoints.config.edit import Change, WishChange, edit
from allthepoints.config.paths import ConfigPath, DataDir
from allthepoints.config.settings import Settings
from allthepoints.storage import lock
from allthepoints.storage.ask import ask
from allthepoints.storage.freshness import WITHIN, freshness
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.intent import Intent
from allthepoints.views.shelf import Shelf, shelf_of
from allthepoints.views.store import Offer
from allthepoints.views.text import clean

EVERY = 0.1
"""Seconds between looks whether it is done."""


class Asks:
    """Asks. `settings`: those of now; `now`: epoch seconds."""

    def __init__(
        self, data: DataDir, config: ConfigPath, settings: Callable[[], Settings], now: Callable[[], float]
    ) -> None:
        self._data = data
        self._config = config
        self._settings = settings
        self._now = now
        self._reader = PointsReader(data.database)

    @property
    def running(self) -> bool:
        """Whether somebody is there to be asked."""
        return lock.holder(self._data.lock) is not None

    def look(self, channel: UserId, login: Login, within: float = WITHIN) -> Shelf:
        """Have a channel's points and store read anew; answers its store.

        Raises Refused where StreamElements has no such channel, NotSent where it does not answer in time.
        """
        self._see_that_it_runs("nothing can be read anew")
        before, gone = freshness(self._reader, login), Stopwatch()
        ask(self._data.database, "look", login, self._now())
        while not freshness(self._reader, login).done_since(before) and gone.elapsed() < within:
            pause(EVERY)
        looked = freshness(self._reader, login).since(before)
        if looked.nowhere:
            raise Refused(f"StreamElements has no channel {login}", 404)
        if not looked.fresh:
            raise NotSent(f"{login}'s store could not be read at StreamElements within {within:.0f} s")
        return shelf_of(self._reader, channel, self._settings())

    def redeem(self, intent: Intent) -> None:
        """Leave a yes for the service. It checks everything anew, and sends it once."""
        self._see_that_it_runs("nothing was sent")
        ask(self._data.database, "redeem", intent.login, self._now(), intent.data, intent.key)

    def retry(self, login: Login) -> None:
        """Ask a chat again that is closed to you; a service that does not run does so when it starts."""
        ask(self._data.database, "retry", login, self._now())

    def pause(self, login: Login, paused: bool) -> None:
        """Pause a channel, or end that; then a chat that was closed to you is asked again too."""
        edit(self._config.path, [Change("paused", login, present=paused)])
        if not paused and any(refusal.login == login for refusal in self._reader.refusals()):
            self.retry(login)

    def wish(self, shelf: Shelf, offer: Offer) -> bool:
        """Wish for an item, or take that back; answers whether it is wished for now.

        It stands in the config by its name, or by its id where another item of the store has that name too.
        """
        item, path = offer.item, self._config.path
        named = item.name.strip()
        if offer.wished:
            logins = [shelf.login, *self._former(shelf.channel, shelf.login)]
            texts = sorted({str(item.id), named} - {""})
            edit(path, [WishChange(login, text, present=False) for login in logins for text in texts])
            return False
        alone = [other.name.strip().casefold() for other in shelf.items()].count(named.casefold()) == 1
        text = named if alone and named else str(item.id)
        edit(path, [WishChange(shelf.login, text, remark="" if text == named else clean(item.name))])
        return True

    def _former(self, channel: UserId, login: Login) -> list[Login]:
        """The names that a channel had: a wish may stand under one of them."""
        known = next((known for known in self._reader.channels() if known.id == channel), None)
        return [] if known is None else [other for other in known.logins if other != login]

    def _see_that_it_runs(self, otherwise: str) -> None:
        if not self.running:
            raise FaultError(f"no service runs, so {otherwise}", "Start it with `allthepoints run`.")
