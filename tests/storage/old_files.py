"""Database files as older versions left them, kept as text under `old/`, and what stands in them."""

from __future__ import annotations

from pathlib import Path

import apsw

OLD = Path(__file__).with_name("old")

VERSIONS = sorted(int(file.stem.removeprefix("v")) for file in OLD.glob("v*.sql"))

ALIVE = 1_795_597_920.0
"""When the machine of all of them lost its power."""


def old_file(path: Path, version: int) -> Path:
    """The file of `version`, at `path`."""
    connection = apsw.Connection(str(path))
    connection.execute((OLD / f"v{version}.sql").read_text("utf-8")).fetchall()
    connection.close()
    return path
