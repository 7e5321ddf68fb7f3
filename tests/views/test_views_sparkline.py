import pytest
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.views.sparkline import ASCII, BARS, SLOTS, sparkline, with_gaps


@pytest.mark.parametrize(
    ("values", "bars", "plain"),
    [
        ([], "", ""),
        ([None, None], "  ", "  "),
        ([0, 0], "▁▁", "__"),
        ([5, 5, 5], "███", "###"),
        ([None, 0, 1, 50, 100], " ▁▂▅█", " _.=#"),
        ([-5, 10], "▁█", "_#"),
        ([0, 1, 2, 3, 4, 5, 6, 7], BARS, ASCII),
    ],
)
def test_bars(values: list[int | None], bars: str, plain: str) -> None:
    assert sparkline(values) == bars
    assert sparkline(values, ascii_only=True) == plain


@pytest.mark.parametrize(("known_from", "gaps"), [(None, 12), (-5.0, 0), (0.0, 0), (3 * 3600.0, 1), (24 * 3600.0, 12)])
def test_gaps_in_data_are_gaps(known_from: float | None, gaps: int) -> None:
    values = with_gaps([0] * SLOTS, 0.0, 24 * 3600.0, known_from)
    assert values == [None] * gaps + [0] * (SLOTS - gaps)
    assert with_gaps(range(1, SLOTS + 1), 0.0, 24 * 3600.0, known_from) == [*range(1, SLOTS + 1)], "what came is known"


@given(st.lists(st.none() | st.integers(-10, 2**31), max_size=40))
def test_each_value_has_one_cell_and_more_is_never_lower(values: list[int | None]) -> None:
    bars = sparkline(values)
    assert len(bars) == len(values)
    known = sorted((value, BARS.index(bar)) for value, bar in zip(values, bars, strict=True) if value is not None)
    assert [height for _, height in known] == sorted(height for _, height in known)
    assert all((height == 0) == (value <= 0) for value, height in known)
