"""Write the pages under docs/ that are made from the program's own tables, and the README's table of what was measured;
a test keeps them fresh."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pages_readme
import pages_reference

from allthepoints.config.settings import KEYS, LISTS, SECTIONS, Key
from allthepoints.core import presence
from allthepoints.irc import states

DOCS = Path(__file__).parent.parent / "docs"
README = DOCS.parent / "README.md"

PRESENCE = """# Being in a room

Made by `scripts/pages.py` from the table in `src/allthepoints/core/presence.py`.
Inputs that leave a state as it is are not drawn. Only the server's word (`joined`) makes a room present.

```mermaid
{diagram}
```
"""

SESSION = """# The states of a chat session

Made by `scripts/pages.py` from the table in `src/allthepoints/irc/states.py`.
A cause that has no arrow from a state changes nothing there.

```mermaid
{diagram}
```
"""

CONFIG = """# The config file

Made by `scripts/pages.py` from the table in `src/allthepoints/config/settings.py`.

`allthepoints config path` says where the file is, `allthepoints config show` what is in force, and
`allthepoints config check` whether it can be used. Secrets never stand here.
Durations are written `"250ms"`, `"30s"`, `"10m"`, `"1h30m"`.

A running service takes up a saved change by itself: at once what it wants (`channels`, `poll`, `wish`, and of `chat`
`rooms_per_connection`, `ask_timeout` and `forced_part_is_ban`) and whom it notifies (`notify`), at its next start the
rest.

{sections}
"""


def config_page() -> str:
    """Every key with its default and its help."""
    return CONFIG.format(sections="\n\n".join(_section(name) for name in SECTIONS))


def _section(name: str) -> str:
    keys = [key for key in KEYS if key.section == name]
    head = f"[[{name}]]" if name in LISTS else f"[{name}]"
    return "\n".join((f"## {head}", "", "| key | default | |", "|---|---|---|", *map(_row, keys)))


def _row(key: Key) -> str:
    default = "" if key.default in (None, '""') else f"`{key.default}`"
    return f"| `{key.name}` | {default} | {key.help} Expects {key.kind.expected}. |"


PAGES: dict[str, Callable[[], str]] = {
    "presence.md": lambda: PRESENCE.format(diagram=presence.diagram()),
    "session-states.md": lambda: SESSION.format(diagram=states.diagram()),
    "config.md": config_page,
    **pages_reference.PAGES,
    "../README.md": lambda: pages_readme.readme(README.read_text(encoding="utf-8")),
}


def write(docs: Path = DOCS) -> None:
    """Write every page. All are made before any is written: where one cannot be made, all stay as they are."""
    made = {name: page() for name, page in PAGES.items()}
    for name, text in made.items():
        (docs / name).parent.mkdir(exist_ok=True)
        (docs / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
