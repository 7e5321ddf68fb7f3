"""A redemption, and why it is never paid twice. All of it is decided here; nothing here does anything.

Theory. StreamElements knows no idempotency key: a POST that is sent again may buy again. So the rule is not "retry
safely" but "send once":

1. An intent is a *key*. Asking with a key that is known changes nothing (two clicks, a command asked again).
2. While one redemption of an item is open, another of that item is refused (two faces at once).
3. `SEND` stands in one cell of the table, CONFIRMED -> SENT, and the row that says SENT is on the disk before the POST
   leaves (the loop performs `SendRedemption` only after the write has returned). No cell leads back to CONFIRMED.
4. A row that says SENT when the program starts is one whose answer we never heard: it becomes UNKNOWN, as does every
   answer that means nothing (time-out, reset, 5xx, a page of a proxy).
5. UNKNOWN is settled by *reading*: our own redemptions, of which those known before the POST are kept in the row, and
   the balance. Only readings of the account that it was sent as count: what another account sees proves nothing. Where
   readings never settle it, the person may say what became of it. It is never settled by sending.

Before it is sent, everything is read anew and compared with what the person confirmed; what differs stops it.
What a reading proves is weighed in `core.settling`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core.loyalty import Bought, Item, JwtState, Viewer

CHECK_WITHIN = 60.0
"""Seconds for the reads before a POST. What cannot be checked by then is not bought."""

ABSENT_AFTER = 180.0
"""Seconds after the POST from which on our redemptions, read without it, prove that it was never taken. A proxy in
front of StreamElements gives up after 100 s; the request behind it may still come through until then."""

KEPT = 3 * 86_400.0
"""Seconds for which one that is settled is remembered with all that is known of it: longer than a day's budget looks
back. The memory on the disk keeps it for ever."""

FOUND = "no answer came; it stands among your redemptions"
"""What is said of one whose answer, and the code in it, was lost."""

SAID_TAKEN = "no answer came; you said that it was taken"
"""The same, where the person settled it."""


class State(StrEnum):
    """PROPOSED is what a face shows before a yes; no row is kept of it."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    CHECKED = "checked"
    """All checks passed, and it was asked that nothing be sent."""
    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class Input(StrEnum):
    """What can happen to a redemption."""

    CONFIRM = "confirm"
    FORBID = "forbid"
    """A check before sending says no."""
    CHECK = "check"
    SEND = "send"
    ACCEPT = "accept"
    REFUSE = "refuse"
    NOT_LEFT = "not_left"
    """The request never left this machine."""
    VANISH = "vanish"
    """No answer that means anything, or the program ended before it."""
    FOUND = "found"
    ABSENT = "absent"
    SAY_TAKEN = "say_taken"
    """The person says what became of it."""
    SAY_NOT_TAKEN = "say_not_taken"


TABLE: dict[tuple[State, Input], State] = {
    (State.PROPOSED, Input.CONFIRM): State.CONFIRMED,
    (State.CONFIRMED, Input.FORBID): State.REJECTED,
    (State.CONFIRMED, Input.CHECK): State.CHECKED,
    (State.CONFIRMED, Input.SEND): State.SENT,
    (State.SENT, Input.ACCEPT): State.ACCEPTED,
    (State.SENT, Input.REFUSE): State.REJECTED,
    (State.SENT, Input.NOT_LEFT): State.REJECTED,
    (State.SENT, Input.VANISH): State.UNKNOWN,
    (State.UNKNOWN, Input.FOUND): State.ACCEPTED,
    (State.UNKNOWN, Input.ABSENT): State.REJECTED,
    (State.UNKNOWN, Input.SAY_TAKEN): State.ACCEPTED,
    (State.UNKNOWN, Input.SAY_NOT_TAKEN): State.REJECTED,
}
"""Everything that may happen. What is not here cannot: `step` raises."""

FINAL = frozenset({State.ACCEPTED, State.REJECTED, State.CHECKED})
"""Settled."""


class Reason(StrEnum):
    """Why a redemption was rejected."""

    PRICE_CHANGED = "price_changed"
    NOT_ENOUGH = "not_enough_points"
    SOLD_OUT = "sold_out"
    DISABLED = "disabled"
    NO_SUCH_ITEM = "no_such_item"
    NOT_ON_WEBSITE = "not_on_website"
    ANSWERS_MISSING = "answers_missing"
    NO_MESSAGE = "takes_no_message"
    NOT_AT_STREAMELEMENTS = "not_at_streamelements"
    JWT_MISSING = "jwt_missing"
    JWT_EXPIRED = "jwt_expired"
    JWT_MALFORMED = "jwt_malformed"
    JWT_REFUSED = "jwt_refused"
    WRONG_ACCOUNT = "wrong_account"
    IN_PROGRESS = "in_progress"
    NOT_ALLOWED = "not_allowed"
    """An automatic one that its wish, or the person, does not allow any more."""
    UNCHECKED = "unchecked"
    """It could not be checked in time; nothing was sent."""
    NOT_WRITTEN = "not_written"
    """The database did not take the row; nothing was sent."""
    NOT_SENT = "not_sent"
    """No connection came to be; nothing was sent."""
    REFUSED = "refused"
    """StreamElements said no; `text` has its words."""
    NEVER_ARRIVED = "never_arrived"
    """No answer came, and it does not stand among our redemptions: it was not booked."""
    SAID_NOT_TAKEN = "said_not_taken"
    """No answer came, and the person said that it was not booked."""


OF_JWT = {
    JwtState.MISSING: Reason.JWT_MISSING,
    JwtState.EXPIRED: Reason.JWT_EXPIRED,
    JwtState.MALFORMED: Reason.JWT_MALFORMED,
    JwtState.REFUSED: Reason.JWT_REFUSED,
    JwtState.WRONG_ACCOUNT: Reason.WRONG_ACCOUNT,
}
"""Why nothing is bought with a token that is not good."""


@dataclass(frozen=True, slots=True)
class Redemption:
    """One confirmed intent. Times in epoch seconds.

    `cost` is the price that was confirmed. `known`: ids of our redemptions of this item that StreamElements already
    knew before the POST. `points_before`: the balance then, with what was earned since. `ahead`: seconds by which
    StreamElements' clock was ahead of ours at the POST. `code` is shown to the person and nobody else.
    """

    key: str
    channel: UserId
    login: Login
    item: ItemId
    cost: int
    asked_at: float
    state: State = State.CONFIRMED
    se: SeId | None = None
    name: str = ""
    answers: tuple[str, ...] = ()
    message: str = ""
    auto: bool = False
    dry: bool = False
    sent_at: float | None = None
    settled_at: float | None = None
    known: tuple[str, ...] = ()
    points_before: int | None = None
    bought: str | None = None
    """Its id at StreamElements."""
    code: str | None = field(default=None, repr=False)
    reason: Reason | None = None
    text: str = ""
    account: SeId | None = None
    """As whom it was confirmed and sent, at StreamElements. None: that is not known."""
    account_login: str = ""
    ahead: float | None = None
    by_hand: bool = False
    """The person settled it."""

    @property
    def open(self) -> bool:
        """Whether its outcome is not known yet."""
        return self.state not in FINAL


def step(state: State, what: Input) -> State:
    """The next state. Raises ValueError for what cannot happen."""
    try:
        return TABLE[state, what]
    except KeyError:
        raise ValueError(f"a redemption that is {state} cannot {what}") from None


def forbidden(
    redemption: Redemption, item: Item | None, points: int, jwt: JwtState, account: SeId | None
) -> Reason | None:
    """Why it must not be sent, from what was read a moment ago; None: nothing speaks against it.

    `account`: whose the token is.

    Whether one subscribes, and what a cooldown has left, only StreamElements knows: it will say no by itself.
    """
    if jwt is not JwtState.GOOD:
        return OF_JWT[jwt]
    if redemption.account not in (None, account):
        return Reason.WRONG_ACCOUNT
    if item is None:
        return Reason.NO_SUCH_ITEM
    if not item.enabled:
        return Reason.DISABLED
    if not item.on_website:
        return Reason.NOT_ON_WEBSITE
    if item.cost != redemption.cost:
        return Reason.PRICE_CHANGED
    if item.sold_out:
        return Reason.SOLD_OUT
    if points < item.cost:
        return Reason.NOT_ENOUGH
    if len(redemption.answers) != len(item.asks) or not all(answer.strip() for answer in redemption.answers):
        return Reason.ANSWERS_MISSING
    if redemption.message and not item.takes_message:
        return Reason.NO_MESSAGE
    return None


def forbid(redemption: Redemption, reason: Reason, at: float, text: str = "") -> Redemption:
    """It is not sent, for this reason."""
    return _settled(redemption, Input.FORBID, at, reason=reason, text=text)


def checked(redemption: Redemption, at: float) -> Redemption:
    """It could be sent, and is not: that was all that was asked."""
    return _settled(redemption, Input.CHECK, at)


def send(
    redemption: Redemption,
    at: float,
    known: Iterable[str],
    points: int,
    whose: Viewer,
    ahead: float | None = None,
) -> Redemption:
    """It is sent as soon as this is written down, as `whose`. `known`: ids of its redemptions of this item up to now.

    Raises ValueError for one that was confirmed as somebody else.
    """
    if redemption.account not in (None, whose.id):
        raise ValueError("a redemption is sent as the account that it was confirmed as")
    return replace(
        redemption,
        state=step(redemption.state, Input.SEND),
        sent_at=at,
        known=tuple(sorted(known)),
        points_before=points,
        account=whose.id,
        account_login=whose.login,
        ahead=ahead,
    )


def accept(redemption: Redemption, bought: Bought, at: float) -> Redemption:
    """StreamElements answered that it is bought."""
    return _settled(redemption, Input.ACCEPT, at, bought=bought.id, code=bought.code)


def refuse(redemption: Redemption, at: float, text: str) -> Redemption:
    """StreamElements answered no, in these words."""
    return _settled(redemption, Input.REFUSE, at, reason=Reason.REFUSED, text=text)


def not_left(redemption: Redemption, at: float, reason: Reason, text: str) -> Redemption:
    """The request never left."""
    return _settled(redemption, Input.NOT_LEFT, at, reason=reason, text=text)


def vanish(redemption: Redemption, text: str) -> Redemption:
    """Nobody knows what became of it."""
    return replace(redemption, state=step(redemption.state, Input.VANISH), text=text)


def found(redemption: Redemption, bought: Bought, at: float) -> Redemption:
    """It stands among our redemptions: it was taken."""
    return _settled(redemption, Input.FOUND, at, bought=bought.id, code=bought.code, text=FOUND)


def absent(redemption: Redemption, at: float) -> Redemption:
    """It was never taken, and nothing of it can still come."""
    return _settled(redemption, Input.ABSENT, at, reason=Reason.NEVER_ARRIVED)


def say(redemption: Redemption, taken: bool, at: float) -> Redemption | None:
    """The person says what became of it. None: nobody can know yet that it will not be taken (`may_still_come`)."""
    if taken:
        done = _settled(redemption, Input.SAY_TAKEN, at, text=SAID_TAKEN)
    elif may_still_come(redemption, at) > 0.0:
        return None
    else:
        done = _settled(redemption, Input.SAY_NOT_TAKEN, at, reason=Reason.SAID_NOT_TAKEN)
    return replace(done, by_hand=True)


def may_still_come(redemption: Redemption, at: float) -> float:
    """Seconds for which the POST may still be taken. 0 where it was sent ahead of `at`: the clock was set back."""
    gone = at - (redemption.sent_at or 0.0)
    return ABSENT_AFTER - gone if 0.0 <= gone < ABSENT_AFTER else 0.0


def _settled(
    redemption: Redemption,
    what: Input,
    at: float,
    *,
    bought: str | None = None,
    code: str | None = None,
    reason: Reason | None = None,
    text: str = "",
) -> Redemption:
    state = step(redemption.state, what)
    return replace(
        redemption, state=state, settled_at=at, bought=bought, code=code, reason=reason, text=text or redemption.text
    )
