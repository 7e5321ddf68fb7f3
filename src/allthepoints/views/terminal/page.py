"""What all pages of the terminal view have: the bar, the sentence, the list, the foot with the keys; and how they fit.

Theory. A page is laid out anew from what was last seen and from the size of the screen: when something was seen, when
the screen changed its size, when a key changed what is shown. That costs little, and the widgets repaint only what
differs. What there is no room for goes in a fixed order: the bar, the remarks, the keys; the sentence and the first
lines of the list stay to the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input

from allthepoints.views.columns import fit
from allthepoints.views.terminal.listing import Listing, Row, Words, folded
from allthepoints.views.terminal.seen import Seen, Wanted

if TYPE_CHECKING:
    from allthepoints.views.terminal.app import WatchApp

T = TypeVar("T")

ROOMY, SMALL, TINY = 16, 12, 5
"""Lines of a screen. Below ROOMY it has no free lines, below SMALL no bar, below TINY sentence and list only."""

PLACES = (("1", "Now", "now"), ("2", "Store", "store"), ("3", "Activity", "activity"))
"""Key, name and mode of each."""

Keys = Sequence[tuple[str, str]]
"""A key, and what it does."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What is to be laid out, and the size of the screen."""

    seen: Seen
    width: int
    height: int

    @property
    def told(self) -> int:
        """Lines for remarks: the list has the most of the screen."""
        return max(1, self.height // (4 if self.height >= ROOMY else 6))


class Page(Screen[None]):
    """One page. What is particular stands in `title`, `lines`, `remarks` and `keys`."""

    AUTO_FOCUS = "Listing"
    CSS = """
    Page { layout: vertical; overflow: hidden; }
    Page Input, Page Input:focus { height: 1 !important; border: none !important; padding: 0 !important; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", show=False),
        Binding("escape", "back", show=False),
    ]
    PLACE: ClassVar[str] = ""
    """The mode that it belongs to."""
    ALWAYS: ClassVar[Keys] = (("?", "help"), ("q", "quit"))
    """Keys that are told first of all."""
    OVER: ClassVar[bool] = False
    """Whether it lies over another page, to which one comes back."""
    ASKS: ClassVar[bool] = False
    """Whether a yes is asked for: then on a small screen what it is about has all of it."""
    FINDS: ClassVar[bool] = True
    """Whether `/` narrows its list down."""

    def __init__(self) -> None:
        super().__init__()
        self.sought = ""
        self._composed_all = False
        self._laid: tuple[Any, Any] | None = None

    # -- what is particular ----------------------------------------------------------------------------------------
    @property
    def wanted(self) -> Wanted:
        """What is to be looked at for it."""
        return Wanted()

    def laid(self, key: Any, make: Callable[[], T]) -> T:
        """What `make` answers, or answered the last time if the key was the same then."""
        if self._laid is None or self._laid[0] != key:
            self._laid = (key, make())
        answer: T = self._laid[1]
        return answer

    def lay(self, frame: Frame) -> tuple[Sequence[Row], Sequence[Row]]:
        """Titles that stay above the list, and the list."""
        raise NotImplementedError

    def remarks(self, frame: Frame) -> Sequence[Row]:
        """What stands beneath the list."""
        place = self.place
        return [Row(fit(f"lines {place}", frame.width), "dim")] if place else []

    def keys(self) -> Keys:
        """What can be done here, the most needed first."""
        raise NotImplementedError

    def submitted(self, text: str) -> None:
        """A line was typed."""
        self.close_field()
        self.seek(text)

    # -- what all have ---------------------------------------------------------------------------------------------
    @property
    def face(self) -> WatchApp:
        return cast("WatchApp", self.app)

    @property
    def seen(self) -> Seen:
        """What was seen last."""
        return self.face.seen

    @property
    def listing(self) -> Listing:
        return self.query_one(Listing)

    def compose(self) -> ComposeResult:
        plain = self.face.plain
        yield Words(id="bar", plain=plain)
        yield Words(id="sentence", plain=plain)
        yield Words(id="title", plain=plain)
        yield Listing(plain=plain)
        yield Words(id="remarks", plain=plain)
        field = Input(id="field", select_on_focus=False)
        field.display = False
        yield field
        yield Words(id="keys", plain=plain)

    def on_mount(self) -> None:
        self._composed_all = True
        self.lay_out()

    def on_resize(self) -> None:
        self.lay_out()

    def on_screen_resume(self) -> None:
        self.face.nudge()
        self.lay_out()

    def lay_out(self) -> None:
        """Show what was last seen, in the room that there is."""
        if (frame := self._frame()) is None:
            return
        titles, rows = self.lay(frame)
        self.listing.show(rows)
        alone = self.ASKS and frame.height < ROOMY
        self._words("bar", [self._bar(frame)] if frame.height >= SMALL and not alone else [])
        self._words("sentence", [] if alone and not frame.seen.fault else self._said(frame))
        self._words("title", [] if frame.height < TINY else list(titles))
        self.lay_foot(frame)

    def lay_foot(self, frame: Frame) -> None:
        """What stands beneath the list: that turns on what of it is in sight and chosen."""
        tiny = frame.height < TINY
        foot = [] if tiny else [*self._told(frame.width), *self.remarks(frame)][: frame.told + 1]
        gap = [Row()] if frame.height >= ROOMY and foot else []
        self._words("remarks", [] if frame.height < 2 * TINY else [*gap, *foot])
        self._words("keys", [] if tiny else [self._keys(frame.width)])

    def _frame(self) -> Frame | None:
        """None: there is nothing to lay out yet, or no room at all."""
        frame = Frame(self.seen, *self.face.size)
        return frame if self._composed_all and frame.width > 0 and frame.height > 0 else None

    def _words(self, name: str, rows: Iterable[Row]) -> None:
        self.query_one(f"#{name}", Words).show(tuple(rows))

    def _bar(self, frame: Frame) -> Row:
        """Where one is, and at the right whose account it is and whether the service runs."""
        places = "  ".join(f"[{key} {name}]" if mode == self.PLACE else f" {key} {name} " for key, name, mode in PLACES)
        report, width = frame.seen.report, frame.width
        account = report.account
        who = f"{account.get('login')}, " if account is not None else ""
        runs = "running" if report.running else "not running"
        right = fit(f"{who}{runs}", max(0, width - cell_len(places) - 3))
        space = width - cell_len(places) - cell_len(right)
        return Row(fit(places, width) if space < 2 or not right else f"{places}{' ' * space}{right}", "bold", 0)

    def _said(self, frame: Frame) -> list[Row]:
        """The sentence, in as many lines as may be; then a free one, where there is room."""
        width, most = frame.width, max(1, frame.height // 5)
        lines = folded(frame.seen.sentence, width)
        if len(lines) > most:
            lines = [*lines[: most - 1], fit(" ".join(lines[most - 1 :]), width)]
        style = "bold red" if frame.seen.fault else "bold"
        gap = [Row()] if frame.height >= ROOMY else []
        return [*gap, *(Row(line, style) for line in lines), *gap]

    def _told(self, width: int) -> list[Row]:
        """What the last key came to."""
        told = self.face.told
        return [Row(line, "bold") for line in folded(told, width)[:3]] if told else []

    def _keys(self, width: int) -> Row:
        shown = list(self.ALWAYS)
        for key in self.keys():
            if cell_len(_keys_line([*shown, key])) > width:
                break
            shown.insert(len(shown) - len(self.ALWAYS), key)
        return Row(fit(_keys_line(shown), width), "dim")

    # -- finding ---------------------------------------------------------------------------------------------------
    def action_find(self) -> None:
        if self.FINDS:
            self.open_field(self.sought, "find: a name, a word; Enter keeps it, Escape ends it")

    def action_back(self) -> None:
        """Escape: out of the field, then out of what was found, then out of the page."""
        if self.field.display:
            self.close_field()
            self.seek("")
        elif self.sought:
            self.seek("")
        else:
            self.leave()

    def leave(self) -> None:
        """Back to where one came from."""
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()

    def seek(self, text: str) -> None:
        """Narrow the list down to what has `text` in it."""
        self.sought = text.strip()
        self.lay_out()

    @property
    def field(self) -> Input:
        return self.query_one("#field", Input)

    def open_field(self, value: str, placeholder: str) -> None:
        """Have a line typed."""
        field = self.field
        field.placeholder = placeholder
        with field.prevent(Input.Changed):
            field.value = value
        field.cursor_position = len(value)
        field.display = True
        field.focus()

    def close_field(self) -> None:
        self.field.display = False
        self.listing.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        if self.FINDS and self.field.display:
            self.seek(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.submitted(event.value)

    def on_listing_moved(self) -> None:
        if (frame := self._frame()) is not None:
            self.lay_foot(frame)

    @property
    def place(self) -> str:
        """`1-15 of 40`, where not all is on the screen; else empty."""
        listing = self.listing
        first, last = listing.shown
        total = len(listing.rows)
        return f"{first:,}-{last:,} of {total:,}" if 0 < last - first + 1 < total else ""


def _keys_line(keys: Keys) -> str:
    return "  ".join(f"{key} {what}" for key, what in keys)


def found(sought: str, *texts: Any) -> bool:
    """Whether every word that is sought stands in one of the texts."""
    text = " ".join(str(one or "") for one in texts).casefold()
    return all(word in text for word in sought.casefold().split())
