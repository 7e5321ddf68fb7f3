"""What is told to a page that listens: those of its parts that look different now, and none of the others.

Theory. A page is of a *topic* ("now", "store", "channel/alpha"), and a topic has *parts*: an element that is replaced
as a whole. Each part has a *mark*: as long as it is the same, nobody needs the part anew. The marks of a topic are
kept with the number of the board's change at which each was last different; a page is owed what has a higher number
than it knows. So a part is drawn only for those who need it, and one page more of a topic costs nothing.

Rows of long lists are parts too, in bulk: who is not known to have a list is told that it is stale, and gets it anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from allthepoints.base.errors import AllThePointsError
from allthepoints.views.web.board import Board
from allthepoints.views.web.change import Change
from allthepoints.views.web.pages.kit import piece, trouble_of

MOST_TOPICS = 40

PART, STALE, CHART = "part", "stale", "chart"
"""Names of events: an element with an id takes the place of the one that has it; the list with this id is to be got
anew; so is the chart."""


@dataclass(frozen=True, slots=True)
class Part:
    """`key`: its name within the topic. `event`: the name of the server-sent event. `bulk`: a row of a list."""

    key: str
    mark: object
    draw: Callable[[], str]
    event: str = PART
    bulk: bool = False

    @classmethod
    def drawn(cls, key: str, html: str, event: str = PART) -> Part:
        """One that is different where its HTML is."""
        return cls(key, html, lambda: html, event)

    @classmethod
    def stale(cls, list_: str, mark: object) -> Part:
        """Which entries a list has, and in which groups."""
        return cls(f"{STALE} {list_}", mark, lambda: list_, STALE)


@dataclass(frozen=True, slots=True)
class Look:
    """A topic as it is now: its parts, and whatever else is to be told, which is drawn with them."""

    parts: Sequence[Part]
    more: Callable[[], Iterable[tuple[str, str]]] = tuple


@dataclass(slots=True)
class _Seen:
    """A topic as it was last looked at."""

    marks: Mapping[str, object]
    changed: Mapping[str, int]


@dataclass(slots=True)
class Topics:
    """What is known of each topic of a board."""

    seen: OrderedDict[str, _Seen] = field(default_factory=OrderedDict)

    def concerned(self, topic: str, change: Change, *news: object) -> bool:
        """Whether a topic is to be looked at, if these are what can change it."""
        return topic not in self.seen or any(news) or change.whole

    def owed(self, topic: str, parts: Iterable[Part], change: Change, number: int) -> Sequence[Part]:
        """The parts that look different to who knows `change.known`; all of now are given. `number`: the board's, which
        may have moved on meanwhile."""
        before, parts = self.seen.pop(topic, None), tuple(parts)
        # Of a topic that nobody looked at it is known what a page has only if nothing happened since it was made.
        unknown = 0 if change.known == number else number
        changed = {part.key: unknown if before is None else _at(part, before, number) for part in parts}
        self.seen[topic] = _Seen({part.key: part.mark for part in parts}, changed)
        while len(self.seen) > MOST_TOPICS:
            self.seen.popitem(last=False)
        known, lists = (-1, False) if change.known is None else (change.known, before is not None)
        return [part for part in parts if changed[part.key] > known and (lists or not part.bulk)]


def trouble(board: Board, error: AllThePointsError | None) -> Part:
    """What stands above a page whose memory cannot be read; of None, nothing."""
    said = trouble_of(error)
    return Part("trouble", tuple(said.values()), lambda: piece(board, "parts/trouble.html", **said), "trouble")


_boards: WeakKeyDictionary[Board, Topics] = WeakKeyDictionary()


def topics(board: Board) -> Topics:
    """Those of this board."""
    return _boards.setdefault(board, Topics())


_NONE = object()


def _at(part: Part, before: _Seen, number: int) -> int:
    if before.marks.get(part.key, _NONE) == part.mark:
        return before.changed[part.key]
    return number
