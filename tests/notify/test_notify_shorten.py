"""Text made fit to be sent."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.notify.shorten import cut, inert, plain, shorten


@pytest.mark.parametrize(
    ("body", "limit", "lines", "expected"),
    [
        ("a\nb", 10, 0, "a\nb"),
        ("a\nb\nc", 99, 2, "a\n… and 2 more"),
        ("aaaa\nbbbb\ncccc\ndddd\neeee", 20, 0, "aaaa\n… and 4 more"),
        ("a" * 30, 10, 0, "a" * 9 + "…"),
        ("a" * 30 + "\nb", 20, 0, "a" * 19 + "…"),
        ("<<<<<<", 9, 0, "<<…"),
        ("", 0, 0, ""),
        ("a", 0, 0, ""),
    ],
)
def test_shorten(body: str, limit: int, lines: int, expected: str) -> None:
    assert shorten(body, limit, lines) == expected


@given(st.text(max_size=300), st.integers(0, 200), st.integers(0, 5))
def test_it_fits(body: str, limit: int, lines: int) -> None:
    made = shorten(body, limit, lines)
    assert len(html.escape(made)) <= limit
    assert not lines or made.count("\n") < lines
    assert len(html.escape(cut(body, limit))) <= limit


@pytest.mark.parametrize("call", ["@everyone", "@here", "@Everyone", "<!channel>", "<@1234>", "<@&5>", "<#6>", "@all"])
def test_nobody_is_called(call: str) -> None:
    assert call not in inert(f"hello {call} you")
    assert inert(f"hello {call} you").replace("\u200b", "") == f"hello {call} you"


def test_names_are_left_alone() -> None:
    assert inert("me@example.com <b> @allen @mods") == "me@example.com <b> @allen @mods"


@given(st.text())
def test_plain_has_no_markup(text: str) -> None:
    assert not set(plain(text)) & set("*_`~[]<>&|\\")
