"""When a chat that was closed to us may be asked again: one rule for each reason.

BY_HAND: never by itself. A ban is the streamer's word; only the person who runs this may go back.
NEXT_SESSION: when the channel goes live anew (another stream id); where a no may be a mistake, once before that.
LATER: after a delay that doubles with every further refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from allthepoints.base.types import StreamId
from allthepoints.core.model import Why

MINUTE = 60.0
HOUR = 60 * MINUTE


class Retry(StrEnum):
    """What must happen before a refused chat is asked again."""

    BY_HAND = "by_hand"
    NEXT_SESSION = "next_session"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Rule:
    """`first` and `cap`: the delays of LATER, in seconds. NEXT_SESSION with a `first` is asked once more after that."""

    retry: Retry
    first: float = 0.0
    cap: float = 0.0


RULES: dict[Why, Rule] = {
    Why.BANNED: Rule(Retry.BY_HAND),
    Why.PUT_OUT: Rule(Retry.BY_HAND),
    Why.SUSPENDED: Rule(Retry.NEXT_SESSION),
    Why.TOS_BAN: Rule(Retry.NEXT_SESSION),
    Why.BLOCKED: Rule(Retry.NEXT_SESSION),
    Why.OTHER: Rule(Retry.NEXT_SESSION),
    # The slots of a dead connection are freed late: minutes, sometimes more.
    Why.ROOM_LIMIT: Rule(Retry.LATER, first=30.0, cap=5 * MINUTE),
    Why.UNANSWERED: Rule(Retry.LATER, first=MINUTE, cap=10 * MINUTE),
    # Only channels that Helix lists as live are asked, so it contradicts itself: look twice before it costs a session.
    Why.NO_SUCH_CHANNEL: Rule(Retry.NEXT_SESSION, first=5 * MINUTE, cap=5 * MINUTE),
    # About our account, not the room: a person must do something at Twitch first.
    Why.ACCOUNT_SUSPENDED: Rule(Retry.LATER, first=HOUR, cap=6 * HOUR),
    Why.NEEDS_EMAIL: Rule(Retry.LATER, first=HOUR, cap=6 * HOUR),
    Why.NEEDS_PHONE: Rule(Retry.LATER, first=HOUR, cap=6 * HOUR),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no that stands. `stream` is the session in which it was said; `until` the end of a delay."""

    why: Why
    at: float
    text: str
    stream: StreamId | None
    until: float | None
    tries: int = 1

    def stands(self, stream: StreamId | None, now: float) -> bool:
        """Whether the chat must still not be asked, with `stream` on the air now."""
        match RULES[self.why].retry:
            case Retry.BY_HAND:
                return True
            case Retry.NEXT_SESSION:
                same = stream is None or stream == self.stream
                return same and (self.until is None or now < self.until)
            case Retry.LATER:
                return self.until is not None and now < self.until


def refuse(why: Why, at: float, text: str, stream: StreamId | None, before: Refusal | None) -> Refusal:
    """The refusal after the server said `why`; `before` is the one that stood last, for delays that double."""
    rule = RULES[why]
    in_a_row = before is not None and before.why is why and (rule.retry is Retry.LATER or before.stream == stream)
    tries = before.tries + 1 if before is not None and in_a_row else 1
    again = rule.retry is Retry.LATER or (rule.retry is Retry.NEXT_SESSION and rule.first > 0.0 and tries == 1)
    until = at + delay(rule, tries) if again else None
    return Refusal(why, at, text, stream, until, tries)


def delay(rule: Rule, tries: int) -> float:
    """Seconds to wait after the `tries`-th refusal in a row."""
    return min(rule.cap, rule.first * 2.0 ** min(tries - 1, 30))
