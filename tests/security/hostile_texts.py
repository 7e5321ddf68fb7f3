"""What strangers write: each of these has done harm to some program."""

from __future__ import annotations

import re

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[1;31mred\x9b31m\x08\x7f"
BIDI = "\u202egnp.exe\u2066\u2069\u200f\u061c"
LINES = "one\r\n2026-01-01T00:00:00.000Z ERROR allthepoints: forged\u2028\u2029\x85two"
FORMULA = '=HYPERLINK("http://evil.example","x")'
HTML = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'{{7*7}}"
MARKUP = "[bold red]x[/] [link=http://evil.example]y[/link] [@click=app.quit]z[/]"
CALLS = "@everyone <!channel> <@1> **b** `c`"

ALL = {
    "escapes": ESCAPES,
    "bidi": BIDI,
    "lines": LINES,
    "formula": FORMULA,
    "html": HTML,
    "markup": MARKUP,
    "calls": CALLS,
    "surrogate": "a\ud800b",
    "tags": "x\U000e0041\ufeff",
    "everything": ESCAPES + BIDI + LINES + HTML,
}

STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff\U000e0000-\U000e007f]"
)
"""What must not reach a terminal, but for line feeds and tabs."""
