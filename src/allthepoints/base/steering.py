"""Signs that steer whoever shows a text: a terminal's commands, and what turns the direction of writing.

A title, a name or a server's words may hold them. They are shown as escapes (`\\x1b`, `\\u202e`): seen, and without
effect. Line ends and tabs stay, and so does what joins the parts of an emoji.
"""

from __future__ import annotations

import json
import re

_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but for tab and line feed, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction
    "\u2028\u2029\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"  # other line ends, and letters that nobody sees
)


def harmless(text: str) -> str:
    """`text` for a terminal or a log."""
    return text if text.isprintable() else _STEERING.sub(_escaped, text)


def harmless_json(text: str) -> str:
    """JSON `text` that is the same value, and shows itself on a terminal without effect."""
    return text if text.isprintable() else _STEERING.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
