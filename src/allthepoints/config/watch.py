"""Tells when the config file was saved. Editors save in many ways (in place, rename over, two writes in a row)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import watchfiles

SETTLE_MS = 200
"""Milliseconds without another change before a save is taken for finished."""


async def saves(path: Path) -> AsyncIterator[None]:
    """Yield after each save of `path`. The folder is watched, because a rename over the file makes it another file."""
    async for _ in watchfiles.awatch(
        path.parent,
        watch_filter=lambda _, changed: Path(changed).name == path.name,
        debounce=2_000,
        step=SETTLE_MS,
        recursive=False,
        raise_interrupt=False,
    ):
        yield
