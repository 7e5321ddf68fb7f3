"""What a person does in the terminal view, carried out: asked of the running service, or written into the config.

All of it blocks, and is called on a thread. Raises AllThePointsError with what can be done about it.

Theory. A service that runs is asked through the database. Where none runs, this process takes the lock and is the
service for the one errand, as the commands do: one code path, one writer, whoever asks. Errands come one after the
other; from the sending on, an errand that is cut off leaves what the next service settles by reading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock

from allthepoints.base.clock import Stopwatch, pause
from allthepoints.base.errors import AlreadyRunning, FaultError, NotSent, Refused
from allthepoints.base.types import JSON, ItemId, Login, UserId
from allthepoints.config.edit import Change, WishChange, edit
from allthepoints.config.load import load
from allthepoints.config.paths import ConfigPath, DataDir
from allthepoints.config.policy import policy
from allthepoints.config.settings import Settings
from allthepoints.core.policy import Wish
from allthepoints.core.redeem import State
from allthepoints.storage import lock
from allthepoints.storage.ask import ask
from allthepoints.storage.freshness import WITHIN, freshness
from allthepoints.storage.read_points import PointsReader, Price
from allthepoints.views.intent import SETTLE, UNDER_WAY, WAIT, Intent
from allthepoints.views.shelf import Shelf, shelf_of
from allthepoints.views.store import Offer
from allthepoints.views.text import clean
from allthepoints.views.wishes import bounded

EVERY = 0.1
"""Seconds between looks whether it is done."""

Errand = Callable[[str, Login, Mapping[str, JSON], Callable[[], bool], float], None]
"""Be the service for this alone (kind, login, data), until it is done or so many seconds went by.

Raises AlreadyRunning if there is one after all, and AllThePointsError."""


class Asks:
    """Asks. `settings`: those of now; `now`: epoch seconds. With no `errand`, nothing is done where none runs."""

    def __init__(
        self,
        data: DataDir,
        config: ConfigPath,
        settings: Callable[[], Settings],
        now: Callable[[], float],
        errand: Errand | None = None,
    ) -> None:
        self._data = data
        self._config = config
        self._settings = settings
        self._now = now
        self._reader = PointsReader(data.database)
        self._errand = errand
        self._one = Lock()
        self.on_errand = False
        """Whether this process is the service just now, for one errand."""

    @property
    def running(self) -> bool:
        """Whether a service is there to be asked."""
        return not self.on_errand and lock.holder(self._data.lock) is not None

    def look(self, channel: UserId, login: Login, within: float = WITHIN) -> Shelf:
        """Have a channel's points and store read anew; answers its store.

        Raises Refused where StreamElements has no such channel, NotSent where it does not answer in time.
        """
        before = freshness(self._reader, login)

        def done() -> bool:
            return freshness(self._reader, login).done_since(before)

        if not self._by_errand("look", login, {}, done, within, "nothing can be read anew"):
            ask(self._data.database, "look", login, self._now())
            gone = Stopwatch()
            while not done() and gone.elapsed() < within:
                pause(EVERY)
        looked = freshness(self._reader, login).since(before)
        if looked.nowhere:
            raise Refused(f"StreamElements has no channel {login}", 404)
        if not looked.fresh:
            raise NotSent(f"{login}'s store could not be read at StreamElements within {within:.0f} s")
        return shelf_of(self._reader, channel, self._settings())

    def redeem(self, intent: Intent) -> None:
        """Leave a yes for the service. It checks everything anew, and sends it once. Where none runs, this is over when
        it is known how that ended, or that it is not known."""
        unclear: list[Stopwatch] = []

        def over() -> bool:
            found = self._reader.redemption(intent.key)
            if found is None or found.state in UNDER_WAY:
                return False
            if found.state is State.UNKNOWN and not unclear:
                unclear.append(Stopwatch())
            return found.state is not State.UNKNOWN or unclear[0].elapsed() >= SETTLE

        if not self._by_errand("redeem", intent.login, intent.data, over, WAIT, "nothing was sent"):
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
            logins = sorted({shelf.login, *shelf.logins})
            texts = sorted({str(item.id), named} - {""})
            edit(path, [WishChange(login, text, present=False) for login in logins for text in texts])
            return False
        alone = [other.name.strip().casefold() for other in shelf.items()].count(named.casefold()) == 1
        text = named if alone and named else str(item.id)
        edit(path, [WishChange(shelf.login, text, remark="" if text == named else clean(item.name))])
        return True

    def bounded(self, shelf: Shelf, offer: Offer) -> tuple[Wish, ...]:
        """The config's wishes for an item of which more stands there than that; read anew."""
        texts = {str(offer.item.id).casefold(), offer.item.name.strip().casefold()}
        wishes = policy(load(self._config.path, named=False).settings).wishes
        meant = (wish for wish in wishes if wish.channel in {shelf.login, *shelf.logins})
        return tuple(wish for wish in meant if wish.item.strip().casefold() in texts and bounded(wish))

    def prices(self, channel: UserId, item: ItemId) -> tuple[Price, ...]:
        """What an item cost, in the order in which it was seen."""
        return self._reader.prices(channel, item)

    def _by_errand(
        self,
        kind: str,
        login: Login,
        data: Mapping[str, JSON],
        until: Callable[[], bool],
        within: float,
        otherwise: str,
    ) -> bool:
        """Where no service runs, be it until that is done; False: one runs, and can be asked."""
        if self.running:
            return False
        if self._errand is None:
            raise FaultError(f"no service runs, so {otherwise}", "Start it with `allthepoints run`.")
        with self._one:
            if self.running:  # it was started while another errand was waited for
                return False
            self.on_errand = True
            try:
                self._errand(kind, login, data, until, within)
            except AlreadyRunning:
                return False
            finally:
                self.on_errand = False
        return True
