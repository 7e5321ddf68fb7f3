"""Write docs/presence.md from the table in core/presence.py; with `--check`, only say whether it is fresh."""

from __future__ import annotations

import sys
from pathlib import Path

from allthepoints.core.presence import diagram

PATH = Path(__file__).parent.parent / "docs" / "presence.md"


def page() -> str:
    """The whole page."""
    return f"""# Being in a room

Made from the table in `src/allthepoints/core/presence.py` by `scripts/presence_doc.py`; a test keeps it fresh.
Inputs that leave a state as it is are not drawn. Only the server's word (`joined`) makes a room present.

```mermaid
{diagram()}
```
"""


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PATH.read_text(encoding="utf-8") == page() else "docs/presence.md is not fresh")
    PATH.write_text(page(), encoding="utf-8")
