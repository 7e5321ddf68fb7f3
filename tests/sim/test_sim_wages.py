"""Wages are added up as time goes by, and come out as if they had been worked out in one go."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from allthepoints.sim.points import Earned, Loyalty, Terms, Wages, paid

Span = tuple[float, float | None]

KINDS = ("enter", "leave", "live", "offline", "on", "off", "amount", "ignore", "pay", "away", "read", "read")


def by_the_book(
    changes: list[tuple[float, Loyalty]],
    away: list[tuple[float, float]],
    streams: list[Span],
    sat: list[Span],
    now: float,
) -> Earned:
    """The rules, one payment at a time, without remembering anything."""
    points = times = 0
    for start, end in streams:
        number = 1
        while (at := start + number * 600.0) <= (now if end is None else min(end, now)):
            number += 1
            read_at = math.floor(at / 300.0) * 300.0
            loyalty = [one for since, one in changes if since < at][-1]
            there = any(a <= read_at and (b is None or read_at < b) for a, b in sat)
            gone = any(a < at <= b for a, b in away)
            if there and not gone and loyalty.enabled and "me" not in loyalty.ignored and loyalty.amount:
                points, times = points + loyalty.amount, times + 1
    return Earned(points, times)


@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.sampled_from([0, 1, 60, 100, 299, 300, 301, 600, 900, 1800])), max_size=60
    ),
    st.sampled_from([0.0, 1.0, 150.0]),
)
def test_read_often_or_once_it_is_the_same(events: list[tuple[str, int]], start: float) -> None:
    now = start
    loyalty = Loyalty(interval=600.0, lag=300.0)
    changes, terms, wages = [(-math.inf, loyalty)], Terms(loyalty), Wages("me", -1.0)
    streams: list[Span] = []
    sat: list[Span] = []
    away: list[tuple[float, float]] = []

    def change(**what: object) -> None:
        changed = Loyalty(**{**{n: getattr(changes[-1][1], n) for n in Loyalty.__dataclass_fields__}, **what})  # type: ignore[arg-type]
        changes.append((now, changed))
        terms.change(now, changed)

    for kind, seconds in events:
        now += seconds
        match kind:
            case "enter" if not sat or sat[-1][1] is not None:
                sat.append((now, None))
            case "leave" if sat and sat[-1][1] is None:
                sat[-1] = (sat[-1][0], now)
            case "live" if not streams or streams[-1][1] is not None:
                streams.append((now, None))
            case "offline" if streams and streams[-1][1] is None:
                streams[-1] = (streams[-1][0], now)
            case "on" | "off":
                change(enabled=kind == "on")
            case "amount":
                change(amount=seconds % 7)
            case "ignore":
                change(ignored=frozenset(("me",)))
            case "pay":
                change(ignored=frozenset())
            case "away":
                away.append((now, now + 1000.0))
                terms.away(now, now + 1000.0)
            case "read":
                assert wages.so_far(terms, streams, sat, now) == by_the_book(changes, away, streams, sat, now)
    expected = by_the_book(changes, away, streams, sat, now)
    assert wages.so_far(terms, streams, sat, now) == expected
    assert Wages("me", -1.0).so_far(terms, streams, sat, now) == expected


def test_a_subscriber_gets_more() -> None:
    loyalty = Loyalty(amount=5, subscriber_multiplier=3, lag=0)
    wages = Wages("me", 0.0, subscribed=True)
    assert wages.so_far(Terms(loyalty), [(0.0, None)], [(0.0, None)], 1200.0) == Earned(30, 2)
    assert paid(loyalty, "me", [(0.0, None)], [(0.0, None)], 0.0, 1200.0) == 10


def test_a_stream_that_is_noted_late_is_still_paid_from_its_start() -> None:
    """The day notes a stream a moment after its planned start; what was read in between must not lose a payment."""
    terms, wages = Terms(Loyalty(interval=60.0, lag=0.0)), Wages("me", 0.0)
    sat: list[Span] = [(0.0, None)]
    assert wages.so_far(terms, [], sat, 1000.0) == Earned()
    assert wages.so_far(terms, [(900.0, None)], sat, 1001.0) == Earned(5, 1)
