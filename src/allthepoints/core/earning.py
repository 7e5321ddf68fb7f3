"""Is it earning? The verdict on one channel, and the likeliest causes where it is not.

Theory. Points are claimed only when they were read. So the verdict looks at the time of the last reading, not at the
clock: a channel is *flat* when a reading late enough showed no rise, and not because nobody looked. `RULES` is read
from above; the first rule that holds decides:

- what StreamElements does not pay for at all (not offered) is known without us;
- who is not in a live chat can earn nothing and can prove nothing (unknown: nothing is wrong with the channel);
- a name on the ignore list never earns (flat, at once);
- what was not asked, or not answered for long, is unknown: an outage is not a channel's fault, and raises no alarm;
- a rise not long ago is proof (earning);
- then it is early until it is flat.

A *stay* is confirmed, live presence without a gap. A rise within it proves for `flat_after`; one before it only until
the next payment is due, so that a chat that was lost for a moment does not look like a new one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from allthepoints.base.types import Login
from allthepoints.core.loyalty import LAG, Loyalty

SELDOM = 5
"""Polls without a reading after which the last one is old: where nothing moves, one in four is made."""

SILENT = 2
"""The same while StreamElements does not answer: no reading is on its way."""

ROUND = 150.0
"""Seconds that a round of readings takes where all rooms are full, however short the polls."""


class Word(StrEnum):
    """The verdicts of the outside contract."""

    EARNING = "earning"
    EARLY = "early"
    FLAT = "flat"
    NOT_OFFERED = "not_offered"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Why points do not come. Each has a sentence, and what can be done, in `views/words.py`."""

    NOT_LIVE = "not_live"
    NOT_CONFIRMED = "not_confirmed"
    NO_STREAMELEMENTS = "no_streamelements"
    LOYALTY_OFF = "loyalty_off"
    IGNORED = "ignored"
    RERUN = "rerun"
    LIST_LAGS = "list_lags"
    NEVER_TYPED = "never_typed"
    HIDE_GAMBLING = "hide_gambling"
    BOT_ABSENT = "bot_absent"
    NOT_READ = "not_read"
    """StreamElements has not been asked yet."""
    NO_ANSWER = "no_answer"
    """StreamElements does not answer."""


@dataclass(frozen=True, slots=True)
class Sight:
    """All that the verdict looks at. Times in epoch seconds.

    `found`: whether StreamElements has the channel (None: not asked yet). `loyalty` None: not read yet.
    `present_since`: confirmed, live presence without a gap, None while there is none. `read_at`: the last good reading
    of the balance. `rose_at`: the last earned rise. `failing`: StreamElements does not answer now. `paid_before`:
    points came here at some time, as a balance above 0 shows.
    """

    viewer: Login | None
    live: bool | None
    rerun: bool
    present_since: float | None
    found: bool | None
    loyalty: Loyalty | None
    read_at: float | None
    rose_at: float | None
    interval: float
    failing: bool
    paid_before: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`causes`: the likeliest first; empty while all is well."""

    word: Word
    causes: tuple[Cause, ...] = ()


def verdict(sight: Sight, now: float, flat_after: float, poll: float) -> Verdict:
    """The verdict on one channel. `flat_after`, `poll`: the policy's, in seconds."""
    case = _Case(sight, now, flat_after, poll)
    return next(answer(case) for holds, answer in RULES if holds(case))


def turns_at(sight: Sight, now: float, poll: float) -> float:
    """When the verdict may be another one though nothing was learned; now, where times lie ahead of the clock."""
    case = _Case(sight, now, 0.0, poll)
    if sight.present_since is None:
        return inf
    if max(sight.present_since, sight.read_at or 0.0, sight.rose_at or 0.0) > now:
        return now
    turns = (case.unheard_at, case.present_since + case.due, (sight.rose_at or 0.0) + case.due)
    return min((at for at in turns if at >= now), default=inf)


@dataclass(frozen=True, slots=True)
class _Case:
    """A sight at a moment. Times that lie ahead are of a clock that was set back: they tell nothing."""

    sight: Sight
    now: float
    flat_after: float
    poll: float

    @property
    def present_since(self) -> float:
        return min(self.sight.present_since or 0.0, self.now)

    @property
    def read_at(self) -> float:
        """The last reading; 0 where there is none."""
        read_at = self.sight.read_at or 0.0
        return read_at if read_at <= self.now else 0.0

    @property
    def rose_at(self) -> float | None:
        rose_at = self.sight.rose_at
        return rose_at if rose_at is not None and rose_at <= self.now else None

    @property
    def ignored(self) -> bool:
        loyalty, viewer = self.sight.loyalty, self.sight.viewer
        return loyalty is not None and viewer is not None and viewer in loyalty.ignored

    @property
    def due(self) -> float:
        """Seconds within which a payment must have come and been read."""
        return self.sight.interval + LAG + self.poll

    @property
    def patience(self) -> float:
        """Seconds without a rise, as of the last reading, that make it flat. Never before a payment was due."""
        return max(self.flat_after, self.due)

    @property
    def unheard_at(self) -> float:
        """When a reading should have come."""
        polls = SILENT if self.sight.failing else SELDOM
        return max(self.read_at, self.present_since) + max(polls * self.poll, ROUND)

    @property
    def unheard(self) -> bool:
        """Whether a reading should have come since, and did not."""
        return self.now > self.unheard_at

    @property
    def proven(self) -> bool:
        """Whether a rise proves that points come."""
        if self.rose_at is None:
            return False
        if self.rose_at >= self.present_since:
            return self.read_at - self.rose_at < self.patience
        return self.now - self.rose_at < self.due

    @property
    def early(self) -> bool:
        """Whether no reading of this stay is late enough to call it flat."""
        return self.read_at - max(self.present_since, self.rose_at or 0.0) < self.patience


def _always(word: Word, *causes: Cause) -> Callable[[_Case], Verdict]:
    answer = Verdict(word, causes)
    return lambda _: answer


def _away(cause: Cause) -> Callable[[_Case], Verdict]:
    """Nothing can be earned now; and never, where we are on the ignore list."""
    return lambda case: Verdict(Word.UNKNOWN, (cause, Cause.IGNORED) if case.ignored else (cause,))


def _early(case: _Case) -> Verdict:
    """At first the list lags; when a payment was due, what makes it flat is likelier day by day."""
    if case.now - case.present_since < case.due:
        return Verdict(Word.EARLY, (Cause.LIST_LAGS,))
    return Verdict(Word.EARLY, (Cause.LIST_LAGS, *_doubts(case)))


def _flat(case: _Case) -> Verdict:
    return Verdict(Word.FLAT, _doubts(case))


def _doubts(case: _Case) -> tuple[Cause, ...]:
    """What is left, the likeliest first. Where points came before, it is not we who do something wrong."""
    if case.sight.paid_before or case.sight.rose_at is not None:
        return (Cause.BOT_ABSENT, Cause.RERUN, Cause.HIDE_GAMBLING)
    return (Cause.NEVER_TYPED, Cause.HIDE_GAMBLING, Cause.BOT_ABSENT, Cause.RERUN)


RULES: tuple[tuple[Callable[[_Case], bool], Callable[[_Case], Verdict]], ...] = (
    (lambda case: case.sight.found is False, _always(Word.NOT_OFFERED, Cause.NO_STREAMELEMENTS)),
    (
        lambda case: case.sight.loyalty is not None and not case.sight.loyalty.enabled,
        _always(Word.NOT_OFFERED, Cause.LOYALTY_OFF),
    ),
    (lambda case: case.sight.rerun, _away(Cause.RERUN)),
    (lambda case: case.sight.live is False, _away(Cause.NOT_LIVE)),
    (lambda case: case.sight.present_since is None, _away(Cause.NOT_CONFIRMED)),
    (lambda case: case.ignored, _always(Word.FLAT, Cause.IGNORED)),
    (
        lambda case: case.sight.failing and (case.sight.found is None or case.unheard),
        _always(Word.UNKNOWN, Cause.NO_ANSWER),
    ),
    (lambda case: case.sight.found is None or case.unheard, _always(Word.UNKNOWN, Cause.NOT_READ)),
    (lambda case: case.proven, _always(Word.EARNING)),
    (lambda case: case.early, _early),
    (lambda _: True, _flat),
)
"""From above: the first that holds. `live` None is left to presence: a chat that has us is worth a look."""
