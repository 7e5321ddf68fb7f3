"""The terminal view itself: it looks about once a second on a thread, and has its pages lay out what was seen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import ClassVar, TypeVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen

from allthepoints.base.clock import Stopwatch
from allthepoints.base.errors import AllThePointsError
from allthepoints.base.types import UserId
from allthepoints.views.shelf import Shelf
from allthepoints.views.store import Offer
from allthepoints.views.terminal.activity import ActivityPage
from allthepoints.views.terminal.asks import Asks
from allthepoints.views.terminal.buying import BuyPage
from allthepoints.views.terminal.channel import ChannelPage
from allthepoints.views.terminal.now import NowPage
from allthepoints.views.terminal.page import PLACES, Page
from allthepoints.views.terminal.reading import ReadingPage
from allthepoints.views.terminal.seen import Looker, Wanted
from allthepoints.views.terminal.shop import StorePage
from allthepoints.views.text import duration

T = TypeVar("T")

EVERY = 1.0
"""Seconds between two looks."""

TOLD = 8.0
"""Seconds for which it is told what a key came to."""

HANGS = 10.0
"""Seconds after which a look that does not come back is spoken of."""


class WatchApp(App[None]):
    """`ascii_only`, and `plain` (the encoding to keep to): for a console that cannot write our signs."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { background: ansi_default; color: ansi_default; }"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[object]]]] = {}
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"go({mode!r})", show=False) for key, _, mode in PLACES),
        Binding("tab", "next(1)", show=False, priority=True),
        Binding("shift+tab", "next(-1)", show=False, priority=True),
        Binding("question_mark", "help", show=False),
        Binding("f1", "help", show=False),
        Binding("q", "quit", show=False),
        Binding("ctrl+c", "quit", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", show=False),
    ]

    def __init__(self, looker: Looker, asks: Asks, *, ascii_only: bool = False, plain: str = "") -> None:
        super().__init__(
            ansi_color=True
        )  # the terminal's own colours; with NO_COLOR it is none, and not black on black
        self.looker = looker
        self.asks = asks
        self.ascii_only = ascii_only
        self.plain = plain
        self.seen = looker.last
        self.looks = 0
        """How many there were."""
        self.told = ""
        self._told_since = Stopwatch()
        looker.errand = lambda: asks.on_errand
        self._nudged = asyncio.Event()
        self._looking = Stopwatch()
        self._quitting = False
        """Somebody wanted to already."""
        self._pages: dict[str, Callable[[], Page]] = {"now": NowPage, "store": StorePage, "activity": ActivityPage}

    def now(self) -> float:
        """Epoch seconds."""
        return self.looker.now()

    async def on_mount(self) -> None:
        self.theme = "ansi-dark"
        for mode, page in self._pages.items():
            self.add_mode(mode, page)
        await self.switch_mode("now")
        self.run_worker(self._look(), name="look", exit_on_error=True)
        self.set_interval(EVERY, self._grow_old)

    # -- seeing ----------------------------------------------------------------------------------------------------
    async def _look(self) -> None:
        """For ever."""
        while True:
            self._nudged.clear()
            self._looking = Stopwatch()
            self.seen = await self.aside(partial(self.looker.look, self._wanted()))
            self.looks += 1
            self._lay_out()
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._nudged.wait()

    def _wanted(self) -> Wanted:
        """What is on the screen; of pages that lie over another also what that one shows: one comes back to it."""
        pages = [screen for screen in self.screen_stack if isinstance(screen, Page)]
        wanted = Wanted()
        for page in reversed(pages):
            wanted = page.wanted.and_of(wanted)
            if not page.OVER:
                break
        return wanted

    @property
    def page(self) -> Page | None:
        """The one that is on the screen."""
        screen = self.screen_stack[-1] if self.screen_stack else None
        return screen if isinstance(screen, Page) else None

    def nudge(self) -> None:
        """Look at once."""
        self._nudged.set()

    def _lay_out(self) -> None:
        if (page := self.page) is not None:
            page.lay_out()

    def _grow_old(self) -> None:
        """What was told is told no more, and a look that hangs is spoken of."""
        if self.told and self._told_since.elapsed() > TOLD:
            self.told = ""
            self._lay_out()
        if (gone := self._looking.elapsed()) > HANGS and not self.seen.fault:
            self.seen = self.looker.silent(f"The database does not answer, for {duration(gone)}.")
            self._lay_out()

    async def aside(self, work: Callable[[], T]) -> T:
        """Have it done on a thread."""
        return await asyncio.get_running_loop().run_in_executor(None, work)

    # -- doing -----------------------------------------------------------------------------------------------------
    def tell(self, text: str) -> None:
        """Say what a key came to."""
        self.told, self._told_since = text, Stopwatch()
        self._lay_out()

    def fail(self, error: AllThePointsError) -> None:
        """Say why something was not done, and what helps."""
        self.tell(f"{str(error)[:1].upper()}{str(error)[1:]}. {error.hint}".rstrip())

    def do(self, work: Callable[[], object], done: str) -> None:
        """Have it done on a thread, and tell `done`, or why not."""

        async def doing() -> None:
            try:
                await self.aside(work)
            except AllThePointsError as error:
                self.fail(error)
                return
            self.looker.forget()
            self.tell(done)
            self.nudge()

        self.run_worker(doing())

    # -- going -----------------------------------------------------------------------------------------------------
    async def action_go(self, mode: str) -> None:
        """To one of the places; back to its beginning if one is there already."""
        if self.current_mode != mode:
            await self.switch_mode(mode)
        else:
            while len(self.screen_stack) > 1:
                await self.pop_screen()

    async def action_next(self, step: int) -> None:
        modes = [mode for _, _, mode in PLACES]
        await self.switch_mode(modes[(modes.index(self.current_mode) + step) % len(modes)])

    def action_help(self) -> None:
        if not isinstance(self.page, ReadingPage):
            self.push_screen(ReadingPage())

    def read(self, title: str, texts: Sequence[str], close: bool = False) -> None:
        """Show a text alone. `close`: its lines belong together."""
        self.push_screen(ReadingPage(title, texts, close))

    async def action_quit(self) -> None:
        """The first time not in the middle of an errand: only who waits sees how it ends."""
        if self.asks.on_errand and not self._quitting:
            self._quitting = True
            self.tell("Something is being done at StreamElements just now, which ends with this view. q again quits.")
            return
        await super().action_quit()

    def open_channel(self, channel: UserId) -> None:
        self.push_screen(ChannelPage(channel))

    def buy(self, shelf: Shelf, offer: Offer) -> None:
        self.told = ""  # of another item, it may be
        self.push_screen(BuyPage(shelf, offer))
