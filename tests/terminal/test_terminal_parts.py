"""The parts that need no screen: the chart, what a line may hold, warnings that have to fit, what is found."""

from datetime import UTC

import pytest
from rich.cells import cell_len

from allthepoints.views.terminal.graph import Graph, graph_lines
from allthepoints.views.terminal.listing import Row, harmless
from allthepoints.views.terminal.now import worry_rows
from allthepoints.views.terminal.page import found
from allthepoints.views.terminal.reading import JUDGED, MEANT, help_rows
from allthepoints.views.text import STATES, VERDICTS

END = 1_795_640_400.0
BEGIN = END - 86_400.0


def test_a_chart_is_steps_with_gaps_and_its_bands_share_the_axis() -> None:
    graph = Graph(
        BEGIN,
        END,
        [(BEGIN + 21_600, 100), (BEGIN + 43_200, 200), (BEGIN + 64_800, 150)],
        live=[(BEGIN + 21_600, BEGIN + 64_800)],
        present=[(BEGIN + 23_000, BEGIN + 43_200), (BEGIN + 54_000, BEGIN + 64_800)],
    )
    assert graph_lines(graph, 29, 2, UTC) == [
        f" 200 {' ' * 12}██████▁▁▁▁▁▁",
        f" 100 {' ' * 6}▁▁▁▁▁▁████████████",
        f"live {' ' * 6}━━━━━━━━━━━━",
        f"  in {' ' * 6}━━━━━━   ━━━",
        "     21:00 03:00 09:00    now",
    ]


def test_a_balance_that_never_moves_and_none_at_all() -> None:
    flat = graph_lines(Graph(BEGIN, END, [(BEGIN, 7)]), 30, 4, UTC)
    assert flat[0] == "   7"
    assert flat[2].strip() == "█" * 25
    assert graph_lines(Graph(BEGIN, END, ()), 30, 4, UTC)[:2] == ["live", "  in"]


@pytest.mark.parametrize("width", range(0, 140, 7))
@pytest.mark.parametrize("span", [86_400.0, 7 * 86_400.0])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_chart_fits(width: int, span: float, ascii_only: bool) -> None:
    steps = [(END - span + n * span / 50, n * n) for n in range(50)]
    lines = graph_lines(Graph(END - span, END, steps, [(END - span, END)], []), width, 5, UTC, ascii_only)
    assert all(cell_len(line) <= width for line in lines)
    assert len(lines) in (0, 8)
    assert not ascii_only or "".join(lines).isascii()


def test_ascii_has_as_many_heights() -> None:
    graph = Graph(BEGIN, END, [(BEGIN, 0), (BEGIN + 43_200, 10)])
    assert graph_lines(graph, 20, 1, UTC, ascii_only=True)[0].split()[-1] == "_" * 7 + "#" * 8


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain  text", "plain  text"),
        ("\x1b[2J", "[2J"),
        ("a\nb\rc\td", "abcd"),
        ("\u202eevil\u2069", "evil"),
        ("👩‍👧", "👩‍👧"),
        ("\udcff", ""),
        ("[red]x[/]", "[red]x[/]"),
    ],
)
def test_harmless(text: str, expected: str) -> None:
    assert harmless(text) == expected


def test_warnings_that_do_not_fit_are_counted() -> None:
    worries = [
        "error: it burns. Put it out.",
        "warning: it smokes, and that for a long time already",
        "info: it is warm",
    ]
    assert [row.text for row in worry_rows(worries, 30, 9)] == [
        "error: it burns. Put it out.",
        "warning: it smokes, and that",
        "for a long time already",
        "info: it is warm",
    ]
    assert [row.text for row in worry_rows(worries, 30, 2)] == [
        "error: it burns. Put it out.",
        "and 2 more warnings: ! shows…",
    ]
    assert [row.text for row in worry_rows(worries, 12, 1)] == ["error: it b…"]
    assert worry_rows(worries, 30, 0) == []
    assert worry_rows([], 30, 4) == []
    assert worry_rows(worries, 30, 9)[0] == Row("error: it burns. Put it out.", "red")


@pytest.mark.parametrize(
    ("sought", "is_found"), [("", True), ("alp", True), ("ALPHA banned", True), ("alpha live", False), ("ß", True)]
)
def test_found(sought: str, is_found: bool) -> None:
    assert found(sought, "alpha", None, "you are BANNED", "STRASSE") is is_found


def test_the_help_knows_every_sign() -> None:
    assert set(MEANT) == set(STATES)
    assert set(JUDGED) == set(VERDICTS)
    for width in (10, 40, 80):
        assert help_rows(width, ascii_only=True)
