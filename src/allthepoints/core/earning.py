"""Is it earning? The verdict on one channel, and the likeliest causes where it is not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from allthepoints.base.types import Login
from allthepoints.core.loyalty import Loyalty


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
    of the balance. `rose_at`: the last earned rise. `failing`: StreamElements does not answer now.
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """`causes`: the likeliest first; empty while all is well."""

    word: Word
    causes: tuple[Cause, ...] = ()
