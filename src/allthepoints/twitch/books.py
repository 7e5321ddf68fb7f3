"""What one read has learned, and about whom it has learned nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from allthepoints.base.errors import Limited, OutsideError
from allthepoints.base.types import Login, UserId
from allthepoints.core.actions import ReadLive
from allthepoints.core.facts import LiveRead, UsersRead
from allthepoints.core.model import ChannelRef, Stream
from allthepoints.twitch import rows
from allthepoints.twitch.batches import Batch, Name, names
from allthepoints.twitch.rows import Doubt, Page
from allthepoints.web import Answer, odd

GIVE_UP = 2
"""Failed calls in a row after which a read asks no more: Helix is out, and each call may take ten seconds to say so."""


class Book(Protocol):
    """Keeps the outcome of a read that takes many calls."""

    trouble: Trouble

    def take(self, batch: Batch, answer: Answer, page: Page) -> None:
        """The answer for these."""
        ...


class Trouble:
    """What went wrong on the way, and whether to go on."""

    def __init__(self) -> None:
        self.errors: list[OutsideError] = []
        self.answers = 0
        self._in_a_row = 0

    def failed(self, error: OutsideError) -> None:
        """A call brought nothing."""
        self.errors.append(error)
        self._in_a_row += 1

    def answered(self) -> None:
        """A call brought something."""
        self.answers += 1
        self._in_a_row = 0

    @property
    def out(self) -> bool:
        """Whether further calls are useless now."""
        return self._in_a_row >= GIVE_UP or isinstance(self.worst, Limited)

    @property
    def worst(self) -> OutsideError | None:
        """The one to report: a limit that tells when to come back, or else the first."""
        limits = [error for error in self.errors if isinstance(error, Limited)]
        return next(iter(limits + self.errors), None)

    def text(self, aside: Iterable[Name] = ()) -> str | None:
        """All of it in one line; None if there was none."""
        texts = list(dict.fromkeys(str(error) for error in self.errors))[:3]
        if left := sorted(value for _, value in aside):
            texts.append(f"set aside for a day, Helix calls it malformed: {', '.join(left[:10])}")
        return "; ".join(texts) or None


class LiveBook:
    """The book of one poll of who is live."""

    def __init__(self, ask: ReadLive) -> None:
        self.trouble = Trouble()
        self._ask = ask
        self._streams: dict[UserId, Stream] = {}
        self._doubts: list[Doubt] = []
        self._ids: set[UserId] = set()
        self._logins: set[Login] = set()

    def open(self) -> list[Name]:
        """Those that are asked for and about whom nothing is known yet."""
        seen = self._seen_logins()
        return names((self._ask.followed | self._ask.ids) - self._ids - self._streams.keys(), self._ask.logins - seen)

    def take_followed(self, page: Page) -> bool:
        """A page of what the account follows. False if a row hides whom it speaks of."""
        doubts = self._enter(page)
        return all(doubt.id is not None for doubt in doubts)

    def followed_whole(self) -> None:
        """All pages came: whom the account follows and who was not there is not live."""
        self._ids |= self._ask.followed

    def take(self, batch: Batch, answer: Answer, page: Page) -> None:
        """The answer for these. A row that hides whom it speaks of may be any of those that seem to be missing."""
        doubts = self._enter(page)
        if all(doubt.id is not None for doubt in doubts):
            self._ids |= {UserId(value) for kind, value in batch if kind == "id"}
        if all(doubt.login is not None for doubt in doubts):
            self._logins |= {Login(value) for kind, value in batch if kind == "login"}
        if any(doubt.id is None and doubt.login is None for doubt in doubts):
            self.trouble.errors.append(odd(answer, "rows that make no sense"))

    def read(self, at: float, aside: frozenset[Name]) -> LiveRead:
        """The fact. Raises the trouble if nothing was learned."""
        if not self.trouble.answers and self.trouble.worst is not None:
            raise self.trouble.worst
        doubtful_logins = {doubt.login for doubt in self._doubts} - self._seen_logins()
        return LiveRead(
            at,
            frozenset(self._ids | ((self._ask.followed | self._ask.ids) & self._streams.keys())),
            frozenset((self._logins | (self._ask.logins & self._seen_logins())) - doubtful_logins),
            tuple(self._streams.values()),
            frozenset({doubt.id for doubt in self._doubts if doubt.id is not None} - self._streams.keys()),
            self.trouble.text(name for name in aside if self._asked(name)),
        )

    def _asked(self, name: Name) -> bool:
        kind, value = name
        return value in self._ask.logins if kind == "login" else value in self._ask.followed or value in self._ask.ids

    def _enter(self, page: Page) -> list[Doubt]:
        found, doubts = rows.streams(page.data)
        for stream in found:
            self._streams.setdefault(stream.channel.id, stream)
        self._doubts += doubts
        self.trouble.answered()
        return doubts

    def _seen_logins(self) -> set[Login]:
        return {stream.channel.login for stream in self._streams.values()}


class UsersBook:
    """The book of one look-up of who exists."""

    def __init__(self, ids: frozenset[UserId], logins: frozenset[Login]) -> None:
        self.trouble = Trouble()
        self._wanted = names(ids, logins)
        self._found: dict[UserId, ChannelRef] = {}
        self._answered: set[Name] = set()
        self._hidden: set[Name] = set()

    def open(self) -> list[Name]:
        """All that is asked for."""
        return self._wanted

    def take(self, batch: Batch, answer: Answer, page: Page) -> None:
        """The answer for these."""
        found, doubts = rows.users(page.data)
        if doubts and not found:
            raise odd(answer, "users that make no sense")
        self._found.update({channel.id: channel for channel in found})
        self._answered.update(batch)
        for kind, value in batch:
            if any(getattr(doubt, kind) in (None, value) for doubt in doubts):
                self._hidden.add((kind, value))
        self.trouble.answered()

    def nobody(self, malformed: Iterable[Name]) -> None:
        """Helix calls these malformed: nobody is called so."""
        self._answered.update(malformed)

    def read(self, at: float) -> UsersRead:
        """The fact. Raises the trouble unless all was answered."""
        if not self._answered.issuperset(self._wanted) and self.trouble.worst is not None:
            raise self.trouble.worst
        have: set[Name] = {("id", channel.id) for channel in self._found.values()}
        have |= {("login", channel.login) for channel in self._found.values()}
        missing = set(self._wanted) - have - self._hidden
        return UsersRead(
            at,
            tuple(self._found.values()),
            frozenset(UserId(value) for kind, value in missing if kind == "id"),
            frozenset(Login(value) for kind, value in missing if kind == "login"),
        )
