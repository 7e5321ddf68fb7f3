"""The dialog that redeems: everything read anew, its questions in order, the price and what is left, a yes, the end.

Theory. A yes is one `Intent` with one key; from the yes on this page only reads what the service makes of it. Leaving
the page stops nothing, and no key sends twice: the step changes before anything is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import ClassVar

from textual.binding import Binding, BindingType

from allthepoints.base.clock import Stopwatch
from allthepoints.base.errors import AllThePointsError
from allthepoints.core.redeem import FINAL, Redemption, State
from allthepoints.views.intent import UNDER_WAY, WAIT, Intent
from allthepoints.views.prices import read_when
from allthepoints.views.redemptions import KEY, code_lines, outcome_lines
from allthepoints.views.shelf import Shelf
from allthepoints.views.store import Filled, Offer, proposal, question
from allthepoints.views.terminal.listing import Row, folded
from allthepoints.views.terminal.page import TINY, Frame, Keys, Page
from allthepoints.views.terminal.seen import Seen, Wanted
from allthepoints.views.text import amount, clean

LEAST = (16, TINY)
"""Cells and lines below which no yes is taken: what it would spend could not be read."""


BALANCE = 2
"""The line of a proposal that tells what one has."""


class Step(Enum):
    """Where the dialog is."""

    READING = auto()
    ASKING = auto()
    """The item's questions, then the message."""
    CONFIRMING = auto()
    WAITING = auto()
    STOPPED = auto()
    """Nothing was sent, and nothing will be from here."""


class BuyPage(Page):
    """One item that is to be redeemed."""

    PLACE = "store"
    OVER = True
    ASKS = True
    FINDS = False
    ALWAYS = ()
    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "yes", show=False), Binding("n", "back", show=False)]

    def __init__(self, shelf: Shelf, offer: Offer) -> None:
        super().__init__()
        self.shelf = shelf
        self.item = offer.item
        self.step = Step.READING
        self.answers: list[str] = []
        self.message: str | None = None
        """None: not asked for yet."""
        self.intent: Intent | None = None
        self.why = ""
        """Why it stopped."""
        self.hint = ""
        self._asked = Stopwatch()

    @property
    def wanted(self) -> Wanted:
        return Wanted(redemption="" if self.intent is None else self.intent.key)

    def on_mount(self) -> None:
        self.listing.follows = True  # on a small screen what is asked is in sight
        self.run_worker(self._read())

    async def _read(self) -> None:
        """As the command does: what is confirmed is what StreamElements says now."""
        shelf, asks = self.shelf, self.face.asks
        try:
            self.shelf = await self.face.aside(lambda: asks.look(shelf.channel, shelf.login))
        except AllThePointsError as error:
            self._stop(f"{str(error)[:1].upper()}{str(error)[1:]}; nothing was sent.", error.hint)
            return
        item = next((item for item in self.shelf.items() if item.id == self.item.id), None)
        if item is None:
            self._stop("It is not in the store any more.")
            return
        self.item = item
        self._go_on()

    def _stop(self, why: str, hint: str = "") -> None:
        self.step, self.why, self.hint = Step.STOPPED, why, hint
        self.lay_out()

    def _go_on(self) -> None:
        """To the next question, or to the yes."""
        asks = self.item.asks
        if len(self.answers) < len(asks):
            self.step = Step.ASKING
            self.open_field("", "your answer; Enter goes on, Escape leaves it")
        elif self.item.takes_message and self.message is None:
            self.step = Step.ASKING
            self.open_field("", "a message, or nothing; Enter goes on, Escape leaves it")
        else:
            self.step = Step.CONFIRMING
        self.lay_out()

    @property
    def filled(self) -> Filled:
        return Filled(tuple(self.answers), self.message or "")

    # -- what is shown ---------------------------------------------------------------------------------------------
    def lay(self, frame: Frame) -> tuple[Sequence[Row], Sequence[Row]]:
        seen, width = frame.seen, frame.width
        texts = proposal(self.item, self.shelf.who, self.shelf.currency, self.shelf.points, self.filled)
        if read := read_when(self.shelf, seen.at, seen.zone):
            texts.insert(BALANCE + 1, f"  read     {read}")
        rows = [Row(line, "bold" if at == 0 else "") for at, text in enumerate(texts) for line in _under(text, width)]
        told = [*self._told_now(seen)]
        return (), [*rows, Row(), *(Row(line, style) for text, style in told for line in folded(text, width))]

    def _told_now(self, seen: Seen) -> list[tuple[str, str]]:
        match self.step:
            case Step.READING:
                return [(f"Reading {self.shelf.who}'s store and your balance at StreamElements.", "")]
            case Step.ASKING:
                return [(self._question(), "bold")]
            case Step.CONFIRMING:
                yes = f"y: spend {amount(self.item.cost, self.shelf.currency)}"
                return [(question(self.item, self.shelf.currency), "bold"), (yes, ""), ("n: leave it", "")]
            case Step.STOPPED:
                return [(self.why, "bold"), *([(self.hint, "")] if self.hint else [])]
            case Step.WAITING:
                return self._outcome(seen)

    def _question(self) -> str:
        asks = self.item.asks
        if len(self.answers) < len(asks):
            of = f" ({len(self.answers) + 1} of {len(asks)})" if len(asks) > 1 else ""
            return f"It asks{of}: {clean(asks[len(self.answers)])}"
        return "It takes a message beside it."

    def _outcome(self, seen: Seen) -> list[tuple[str, str]]:
        found = self._found(seen)
        assert self.intent is not None, "one waits for what was asked"
        if (found is None or found.state in UNDER_WAY) and self._asked.elapsed() < WAIT:
            sent = found is not None and found.state is State.SENT
            text = "It was sent; StreamElements has not answered yet." if sent else "Everything is checked anew."
            return [(text, "bold"), ("It goes on also when you leave this page.", "")]
        final = self.intent.outcome(found)
        style = {State.ACCEPTED: "bold green", State.REJECTED: "bold red"}.get(final.state, "bold yellow")
        first, *rest = outcome_lines(final, self.shelf.who, self.shelf.currency)
        return [(first, style), *((text, "") for text in rest), *((text, "bold") for text in code_lines(final))]

    def _found(self, seen: Seen) -> Redemption | None:
        found = seen.redemption
        return found if found is not None and self.intent is not None and found.key == self.intent.key else None

    def keys(self) -> Keys:
        match self.step:
            case Step.ASKING:
                return [("Enter", "go on"), ("Esc", "leave it")]
            case Step.CONFIRMING:
                return [("y", f"spend {amount(self.item.cost, self.shelf.currency)}"), ("n", "leave it")]
            case Step.READING:
                return [("Esc", "leave it")]
            case _:
                return [("Esc", "back")]

    # -- what is done ----------------------------------------------------------------------------------------------
    def submitted(self, text: str) -> None:
        if self.step is not Step.ASKING:
            return
        text = text.strip()
        if len(self.answers) < len(self.item.asks):
            if not text:
                self.face.tell("Every question of the item wants an answer.")
                return
            self.answers.append(text)
        else:
            self.message = text
        self.close_field()
        self._go_on()

    def action_back(self) -> None:
        """Out at once: what is typed is of no use without the rest."""
        self.leave()

    def leave(self) -> None:
        found = self._found(self.seen)
        if self.step is Step.WAITING and self.intent is not None and (found is None or found.state not in FINAL):
            on = "as long as this view is open" if self.face.asks.on_errand else "without you"
            self.face.tell(
                f"It goes on {on}: `allthepoints redemptions show {self.intent.key[:KEY]}` tells how it ends."
            )
        elif self.step is not Step.WAITING:
            self.face.tell("Nothing was sent.")
        super().leave()

    def action_yes(self) -> None:
        size = self.face.size
        if self.step is not Step.CONFIRMING or size.width < LEAST[0] or size.height < LEAST[1]:
            return
        self.step, self._asked = Step.WAITING, Stopwatch()
        self.intent = Intent(self.shelf.channel, self.shelf.login, self.item, self.filled, self.face.now())
        self.run_worker(self._send(self.intent))
        self.lay_out()

    async def _send(self, intent: Intent) -> None:
        try:
            await self.face.aside(lambda: self.face.asks.redeem(intent))
        except AllThePointsError as error:
            self._stop(f"{str(error)[:1].upper()}{str(error)[1:]}.", error.hint)
            return
        self.face.nudge()


def _under(text: str, width: int) -> list[str]:
    """A line of a proposal, wrapped beneath its own beginning."""
    space = 11 if text.startswith("  ") else 0
    first, *rest = folded(text.strip()[9:] if space else text, max(1, width - space)) or [""]
    head = text[:space].ljust(space)
    return [f"{head}{first}", *(f"{'':{space}}{more}" if space else more for more in rest)]
