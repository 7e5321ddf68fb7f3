"""Values as cells of a CSV file. A spreadsheet takes a cell that begins with `=` (or some other signs) for a formula,
and other people's text (an item's name, a title) must not become one."""

from __future__ import annotations

import re
import unicodedata

_STARTS = frozenset("=+-@\t\n")
_BLANK = " \u00a0\u3000"
"""What is not looked at before a sign."""

_CUT = re.compile(rf"(?<=[;\t\n])([{_BLANK}]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b])")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?\Z", re.ASCII)

Value = str | int | float | bool | None


def cell(value: Value) -> str:
    """Text that no spreadsheet runs: what would begin a formula gets an apostrophe before it. Numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    value = value.replace("\r\n", "\n").replace("\r", "\n")  # a lone CR would end the line for some readers
    # Where the list separator is a semicolon, a spreadsheet cuts inside a cell too, quoted or not.
    value = _CUT.sub(r"\1'", value)
    # Full-width signs are taken for the plain ones by some, and blanks before a sign are not looked at.
    first = unicodedata.normalize("NFKC", value.lstrip(_BLANK)[:1])
    if first in _STARTS and not _NUMBER.match(value):
        return "'" + value
    return value
