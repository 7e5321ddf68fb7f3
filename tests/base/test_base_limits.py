"""Windows and back-off: what holds for all numbers."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from allthepoints.base.backoff import Backoff
from allthepoints.base.budget import Window

EPOCH = st.sampled_from([0.0, 1_700_000_000.0])
STEPS = st.lists(st.tuples(st.floats(0, 8), st.integers(1, 4)), max_size=40)
LUCK = st.floats(0, 1, exclude_max=True)


# -- windows -------------------------------------------------------------------------------------------------------
@given(start=EPOCH, steps=STEPS, limit=st.integers(1, 6), span=st.floats(0.1, 20))
def test_no_window_ever_holds_more_than_its_limit(
    start: float, steps: list[tuple[float, int]], limit: int, span: float
) -> None:
    """Whoever spends only what is free never exceeds the limit, wherever the window is laid."""
    window, now, spent = Window(limit, span), start, []
    for step, want in steps:
        now += step
        count = min(want, window.free(now))
        window = window.spend(now, count)
        spent += [now] * count
        assert window.free(now) >= 0
    for begin in spent:
        assert sum(1 for at in spent if begin <= at and begin + span > at) <= limit


@given(start=EPOCH, steps=STEPS, limit=st.integers(1, 6), span=st.floats(0.1, 20))
def test_waiting_until_free_at_is_enough_and_needed(
    start: float, steps: list[tuple[float, int]], limit: int, span: float
) -> None:
    """Whatever rounding does to the sum: at `free_at` there is a free attempt, and just before there is none."""
    window, now = Window(limit, span), start
    for step, count in steps:
        now += step
        window = window.spend(now, count)
        at = window.free_at(now)
        assert at >= now
        assert window.free(at) >= 1
        if at > now:
            assert window.free(now) == 0
            assert window.free(max(now, at - 0.01)) == 0


@given(steps=STEPS, more=st.floats(0, 30))
def test_what_is_forgotten_made_no_difference(steps: list[tuple[float, int]], more: float) -> None:
    kept, whole, now = Window(5, 10.0), Window(5, 10.0), 0.0
    for step, count in steps:
        now += step
        kept = kept.spend(now, count)
        whole = replace(whole, times=(*whole.times, *([now] * count)))
    assert kept.free(now + more) == whole.free(now + more)
    assert kept.free_at(now + more) == whole.free_at(now + more)
    assert len(kept.times) <= len(whole.times)


def test_attempts_that_are_still_to_arrive_count() -> None:
    window = Window(2, 10.0, (100.0, 105.0))
    assert window.free(101.0) == 0
    assert window.free_at(101.0) == 110.0
    assert window.spend(104.0).times == (100.0, 104.0, 105.0)


# -- back-off ------------------------------------------------------------------------------------------------------
SHAPES = st.builds(
    Backoff, first=st.floats(0.01, 60), cap=st.floats(0.01, 600), floor=st.sampled_from([0.0, 0.25, 1.0])
)


@given(shape=SHAPES, failures=st.integers(0, 10_000), luck=LUCK)
def test_delays_are_bounded(shape: Backoff, failures: int, luck: float) -> None:
    assert shape.floor <= shape.delay(failures, luck) <= max(shape.floor, shape.cap)


@given(shape=SHAPES, failures=st.integers(1, 100), luck=LUCK)
def test_delays_grow_with_failures_and_with_the_cap(shape: Backoff, failures: int, luck: float) -> None:
    assert shape.delay(failures, luck) <= shape.delay(failures + 1, luck)
    assert shape.delay(failures, luck) <= replace(shape, cap=shape.cap * 2).delay(failures, luck)


@given(shape=SHAPES, failures=st.integers(1, 30))
def test_jitter_is_full(shape: Backoff, failures: int) -> None:
    ceiling = min(shape.cap, shape.first * 2.0 ** (failures - 1))
    assert shape.delay(failures, 0.0) == shape.floor
    assert shape.delay(failures, 0.5) == max(shape.floor, ceiling / 2)
