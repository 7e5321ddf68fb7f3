"""A question that wants a yes: what would be lost, and how it could be had again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from allthepoints.views.terminal.listing import Row, folded
from allthepoints.views.terminal.page import TINY, Frame, Keys, Page

LEAST = (16, TINY)
"""Cells and lines below which no yes is taken: what it is about could not be read."""


class SurePage(Page):
    """`yes`: what `y` does, in words; `kept`: what is told of a no; `do`: what a yes does."""

    OVER = True
    ASKS = True
    FINDS = False
    ALWAYS = ()
    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "yes", show=False), Binding("n", "back", show=False)]

    def __init__(self, title: str, texts: Sequence[str], yes: str, kept: str, do: Callable[[], None]) -> None:
        super().__init__()
        self.heading = title
        self.texts = tuple(texts)
        self._yes = yes
        self._kept = kept
        self._do = do

    def lay(self, frame: Frame) -> tuple[Sequence[Row], Sequence[Row]]:
        width = frame.width
        rows = [Row(line, "bold") for line in folded(self.heading, width)]
        rows += [Row(), *(Row(line) for text in self.texts for line in folded(text, width)), Row()]
        return (), [*rows, Row(f"y: {self._yes}"), Row("n: leave it")]

    def on_mount(self) -> None:
        self.listing.follows = True  # on a small screen what is asked is in sight

    def keys(self) -> Keys:
        return [("y", self._yes), ("n", "leave it")]

    def leave(self) -> None:
        self.face.tell(self._kept)
        super().leave()

    def action_yes(self) -> None:
        size = self.face.size
        if size.width < LEAST[0] or size.height < LEAST[1]:
            return
        super().leave()
        self._do()
