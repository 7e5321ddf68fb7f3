"""How the doctor's findings are shown: what is wrong first, then every line; and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

from allthepoints.core.checkup import NAMES, Finding, Grade, is_sound
from allthepoints.views.columns import wrapped
from allthepoints.views.plain import Field, Shape
from allthepoints.views.text import Standing, clean, count

SIGNS = {
    Grade.OK: Standing("●", "*", "ok"),
    Grade.WARNING: Standing("◐", "~", "warning"),
    Grade.FAULT: Standing("✕", "x", "fault"),
}

TITLES = {
    "": "This machine",
    "chat": "Chat",
    "helix": "Who is live (Helix)",
    "oauth": "Twitch's sign-in",
    "streamelements": "StreamElements",
    "you": "Your sign-ins",
}

YOURS = frozenset({"token", "scopes", "jwt"})

LABELS = {"data_dir": "directory", "secret_files": "secrets", "tcp": "TCP", "tls": "TLS", "http": "HTTP", "jwt": "JWT"}

_LABEL = 10
_INDENT = 2
_GRADE = len("● warning  ")

NARROWEST = 30
"""Cells that a text has at least."""


def headline(findings: Sequence[Finding]) -> str:
    """The first line: how it is, in one sentence."""
    faults, warnings = (sum(one.grade is grade for one in findings) for grade in (Grade.FAULT, Grade.WARNING))
    checks = count(len(findings), "check")
    if not faults and not warnings:
        return f"All is well: {checks}, nothing found."
    parts = [count(number, word) for number, word in ((faults, "fault"), (warnings, "warning")) if number]
    return f"{' and '.join(parts)} in {checks}." if faults else f"It works, with {parts[0]} in {checks}."


def lines(findings: Sequence[Finding], width: int | None, ascii_only: bool) -> Iterator[str]:
    """The headline, and every finding under its heading with its cure, in at most `width` cells."""
    yield from wrapped(headline(findings), width)
    for key, title in TITLES.items():
        group = [finding for finding in findings if _group(finding) == key]
        if group:
            yield ""
            yield title
        for finding in group:
            yield from _finding(finding, width, ascii_only)
    if troubles := _troubles(findings):
        yield ""
        yield from wrapped(troubles, width)


def _troubles(findings: Sequence[Finding]) -> str:
    """The last line, which is what a terminal still shows: where to look."""
    parts = [
        f"{word}: {', '.join(names)}."
        for grade, word in ((Grade.FAULT, "Faults"), (Grade.WARNING, "Warnings"))
        if (names := [finding.name for finding in findings if finding.grade is grade])
    ]
    return " ".join(parts)


def _group(finding: Finding) -> str:
    return "you" if finding.name in YOURS else finding.name.rpartition(".")[0]


def _finding(finding: Finding, width: int | None, ascii_only: bool) -> Iterator[str]:
    last = finding.name.rpartition(".")[2]
    sign = SIGNS[finding.grade].shown(ascii_only)
    head = f"{'':{_INDENT}}{sign:<{_GRADE}}{LABELS.get(last, last):<{_LABEL}}  "
    room = None if width is None else max(NARROWEST, width - len(head))
    first, *rest = wrapped(clean(finding.text), room) or [""]
    yield f"{head}{first}".rstrip()
    told = [*rest, *(wrapped(f"Cure: {clean(finding.cure)}", room) if finding.cure else ())]
    for line in told:
        yield f"{'':{len(head)}}{line}"


_NAMES = (
    f"Which check: {', '.join(f'`{name}`' for name in NAMES)}. "
    "One that makes no sense because an earlier one failed is left out."
)

FINDING: Shape[Finding] = Shape(
    "A check",
    "`doctor --json`: `checks`",
    (
        Field("name", "str", _NAMES, attrgetter("name")),
        Field("grade", '"ok|warning|fault"', "`fault`: the service, or a part of it, fails.", attrgetter("grade")),
        Field("text", "str", "What is so.", attrgetter("text")),
        Field("cure", "str", "What to do; empty where there is nothing.", attrgetter("cure")),
    ),
)

CHECKUP: Shape[Sequence[Finding]] = Shape(
    "The doctor",
    "`doctor --json`",
    (
        Field("ok", "bool", "Whether there is no fault. The exit code says the same.", is_sound),
        Field(
            "checks", "list", "Every check, in a fixed order.", lambda findings: [FINDING.of(one) for one in findings]
        ),
    ),
)
