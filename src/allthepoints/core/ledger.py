"""The ledger of one channel's points: readings become earned, spent or adjusted. Pure values.

Theory. A reading tells a balance, not a change. What it rose by while we were in the chat was earned; what it rose by
otherwise, or by more than could have been earned, was given or set back to an old value: adjusted. What it fell by was
spent where we know of a redemption, else adjusted (a bet, a refund taken back, a reset). So the sum of all postings is
always the last reading less the first, and nobody else's doing becomes an earning, nor a negative one.

A rise beyond the most that can have been earned is adjusted as a whole. How much of a raffle's 1,005 points was pay
nobody can tell, and a balance that is set back to an old value is no pay at all: five points that are missed in the
statistics are better than a thousand that are invented. The bound grows with the time since the last reading, so half
an hour without an answer of StreamElements stays earned; and it is generous, for a bound that is too low would turn
honest pay into adjustments for good. Without known settings there is no bound.

For redemptions, `spent` is what is owed: paid, and not yet seen in a balance. The reading shows it where what is left
after adding it back can have been earned. A smaller fall takes its part of what is owed. So a reading that came too
early, or a bet in between, is right again with the next one.

The rate is learned only from readings that tell what was earned: those with an adjustment are left out, with the time
before them. It counts from one rise to another, because between two rises lie whole payments.

Readings count in the order in which they came. Where the clock was set back between two runs, the time between them is
none, and sums stay right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import gcd

from allthepoints.core.loyalty import INTERVAL, LAG, Loyalty
from allthepoints.core.records import Change, LedgerEntry

WINDOW = 3 * 3600.0
"""Seconds of presence from which the interval and the rate are learned."""

STALE = 7 * 86_400.0
"""Seconds after which a reading says nothing about the rate any more: settings change."""

SHORTEST = 60.0
LONGEST = 600.0
"""StreamElements' own limits of an interval, in seconds; it is set in whole minutes."""

MULTIPLIER = 3
"""StreamElements' multiplier for subscribers where nobody changed it. Settings that leave it out read as 1."""

LATE = 2
"""Payments beyond the whole intervals that may fall between two readings: one because both ends of that time cut an
interval, one that was booked late."""

ENOUGH = 2 * INTERVAL + LAG
"""Seconds of presence by which two payments must have come, if any come at all."""

MOST_ROWS = 512
"""No more readings than this are kept, whatever they say."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One change of a balance, to `points`."""

    change: Change
    delta: int
    points: int


@dataclass(frozen=True, slots=True)
class Rise:
    """What was earned between two readings; `at` is the later one, `present_s` our presence between them."""

    at: float
    delta: int
    present_s: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """The last reading, and the readings of the last WINDOW seconds of presence, rises and flat ones (delta 0)."""

    points: int | None = None
    at: float = 0.0
    recent: tuple[Rise, ...] = ()

    @property
    def rose_at(self) -> float | None:
        """When something was last earned."""
        return next((rise.at for rise in reversed(self.recent) if rise.delta > 0), None)


def post(
    ledger: Ledger, at: float, points: int, *, present_s: float, spent: int = 0, most: int | None = None
) -> tuple[Ledger, tuple[Posting, ...]]:
    """Post a reading. The sum of the postings' deltas is `points` less the last reading.

    `present_s`: seconds in the list of viewers since the last reading (0: we were not there, so nothing was earned).
    `spent`: what is owed for redemptions that no balance showed yet; the SPENT postings say how much of it this one
    shows. `most`: what can have been earned in that time (None: not known). After an OPENING nothing is owed.
    """
    if ledger.points is None:
        return Ledger(points, at), (Posting(Change.OPENING, 0, points),)
    delta = points - ledger.points
    most = most if present_s > 0 else 0
    paid = _paid(delta, spent, most)
    rest = delta + paid
    pay = rest >= 0 and (most is None or rest <= most)
    postings = _postings(ledger.points, (Change.SPENT, -paid), (Change.EARNED if pay else Change.ADJUSTED, rest))
    tells = pay and present_s > 0 and (paid == spent or delta >= 0)
    elapsed = min(present_s, max(0.0, at - ledger.at))
    recent = _recent((*ledger.recent, Rise(at, rest, elapsed))) if tells else ledger.recent
    return Ledger(points, at, recent), postings


def restore(points: int, at: float, entries: Iterable[LedgerEntry] = ()) -> Ledger:
    """The ledger as it was before a restart: the last reading, and the channel's entries of the last hours, in order.

    How long we were present is not kept with them: two payments less than an interval and two lags apart are taken as
    one stay. Entries that are later than `at` were made by a clock that was set back since: they say nothing.
    """
    recent: tuple[Rise, ...] = ()
    for entry in entries:
        if entry.change is Change.EARNED and entry.at <= at:
            gap = entry.at - recent[-1].at if recent else 0.0
            recent = (*recent, Rise(entry.at, entry.delta, gap if 0 < gap <= INTERVAL + 2 * LAG else 0.0))
    return Ledger(points, at, _recent(recent))


def most_earned(loyalty: Loyalty | None, present_s: float) -> int | None:
    """The most that so many seconds in the list of viewers can have brought by the settings; None: not known.

    We may be a subscriber. Bonuses (follow, raid, cheer) are no pay for presence and are not allowed for; a small one
    fits in anyway. Whether loyalty is on is not looked at: the settings may be an hour old, and a rise is newer.
    """
    if loyalty is None or loyalty.amount is None:
        return None
    if present_s <= 0:
        return 0
    payments = int(present_s // (loyalty.interval or SHORTEST)) + LATE
    return payments * loyalty.amount * max(loyalty.subscriber_multiplier, MULTIPLIER)


def expected(loyalty: Loyalty | None, interval: float, present_s: float) -> int | None:
    """Points that a stay of so many seconds should have brought one who does not subscribe; None: not known.

    A promise that the settings keep for certain: whole intervals only, after the list's lag.
    """
    if loyalty is None or loyalty.amount is None:
        return None
    if not loyalty.enabled:
        return 0
    return int(max(0.0, present_s - LAG) // interval) * loyalty.amount


def learned_interval(ledger: Ledger, loyalty: Loyalty | None) -> float:
    """Seconds between payments: as the settings say, else as the rises say, else INTERVAL."""
    if loyalty is not None and loyalty.interval:
        return loyalty.interval
    rises, seconds, total = _between(ledger.recent)
    award = _award(rises, loyalty)
    if not rises or total < 2 * award:
        return INTERVAL
    minutes = round(seconds * award / total / 60.0)
    return min(max(minutes * 60.0, SHORTEST), LONGEST)


def rate_per_hour(ledger: Ledger, now: float) -> float | None:
    """Points an hour of presence, by what was earned in the last WINDOW of it; None: too little is known yet.

    Too little is less than two payments after a first one, and less than ENOUGH seconds. Nothing in ENOUGH seconds
    is 0.
    """
    rows = [rise for rise in ledger.recent if now - STALE <= rise.at]
    rises, seconds, total = _between(rows)
    whole = sum(rise.present_s for rise in rows)
    if len(rises) >= 2 and seconds > 0 and (len(rises) >= 3 or whole >= ENOUGH):
        return total * 3600.0 / seconds
    may_be_due = _quiet(rows) <= INTERVAL + LAG
    if whole < ENOUGH or may_be_due:
        return None
    return sum(rises) * 3600.0 / whole


def _paid(delta: int, spent: int, most: int | None) -> int:
    """How much of what is owed a change of `delta` shows."""
    rest = delta + spent
    fits = rest <= most if most is not None else 2 * delta <= -spent
    return spent if fits else max(0, -delta)


def _postings(before: int, *changes: tuple[Change, int]) -> tuple[Posting, ...]:
    """Those of the changes that move the balance, one after the other."""
    made: list[Posting] = []
    for change, delta in changes:
        if delta:
            before += delta
            made.append(Posting(change, delta, before))
    return tuple(made)


def _recent(rows: Sequence[Rise]) -> tuple[Rise, ...]:
    """The rows of the last WINDOW seconds of presence."""
    seconds, first = 0.0, len(rows)
    while first > 0 and seconds < WINDOW:
        first -= 1
        seconds += rows[first].present_s
    return tuple(rows[max(first, len(rows) - MOST_ROWS) :])


def _between(rows: Sequence[Rise]) -> tuple[list[int], float, int]:
    """All rises; the seconds from the first one on, and the sum of what came in them.

    They end with the last rise while the next payment may still be on its way, and with the last reading after that.
    Rows of no duration have their time unknown: they count with neither.
    """
    rises = [row.delta for row in rows if row.delta > 0]
    first = next((i for i, row in enumerate(rows) if row.delta > 0), len(rows))
    after = [row for row in rows[first + 1 :] if row.present_s > 0]
    seconds = sum(row.present_s for row in after)
    quiet = _quiet(rows)
    return rises, seconds - (quiet if quiet <= INTERVAL + LAG else 0.0), sum(row.delta for row in after)


def _quiet(rows: Sequence[Rise]) -> float:
    """Seconds of presence since the last rise."""
    seconds = 0.0
    for row in reversed(rows):
        if row.delta > 0:
            break
        seconds += row.present_s
    return seconds


def _award(rises: Sequence[int], loyalty: Loyalty | None) -> int:
    """Points of one payment: as the settings say, else what divides all rises that were seen more than once."""
    often = [delta for delta, times in Counter(rises).items() if times > 1]
    common = gcd(*(often or rises))
    if loyalty is None or not loyalty.amount or common % loyalty.amount:
        return common
    subscribed = loyalty.amount * max(1, loyalty.subscriber_multiplier)
    return subscribed if common % subscribed == 0 else loyalty.amount
