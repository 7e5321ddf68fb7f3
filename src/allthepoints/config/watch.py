"""Tells when the config file was saved, in whichever of the many ways there are.

Theory. Editors write in place, in pieces, or rename a new file over the old one; a ConfigMap changes where a link
leads, two folders away; a file system over the network tells nobody of anything. So three things are done. The folders
of the file, of each link on the way to it and of where it leads in the end are watched, not the file, which may be
another one after each save. A change is told when nothing stirred for a moment. And every few seconds the file is
looked at anyhow, for what no watch could see: then it is news if it is another file, or has another size or time.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

import watchfiles

from allthepoints.base.clock import Clock

log = logging.getLogger(__name__)

SETTLE_MS = 200
"""Milliseconds without another change before a save is taken for finished."""

LOOK_EVERY = 3.0
"""Seconds between looks at the file for changes that nobody told of."""

_LINKS = 40
"""Links followed one after another; a system follows no more either."""

Stamp = tuple[int, int, int, int] | None
"""Device, inode, size and time of change; None where there is no file."""


async def saves(path: Path, clock: Clock) -> AsyncIterator[None]:
    """Yield at once, and then after each save of `path`; also when it vanishes, and when it comes back."""
    seen = stamp_of(path)
    yield
    while True:
        places = _places(path)
        watched = _identities(places)
        async with aclosing(_stirs(places, clock)) as stirs:
            async for named in stirs:
                now = stamp_of(path)
                if now != seen or (named and now is not None):
                    seen = now
                    yield
                if _identities(_places(path)) != watched:
                    break  # a link leads elsewhere, or a folder is another one: watch anew


def stamp_of(path: Path) -> Stamp:
    """What tells one state of a file from another."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


async def _stirs(places: dict[Path, set[str]], clock: Clock) -> AsyncGenerator[bool, None]:
    """Yield whenever something happened in the folders, or LOOK_EVERY seconds went by: whether one of the names was
    told of."""
    try:
        watch = watchfiles.awatch(
            *places,
            watch_filter=None,
            debounce=2_000,
            step=SETTLE_MS,
            rust_timeout=int(LOOK_EVERY * 1000),
            yield_on_timeout=True,
            recursive=False,
        )
        async with aclosing(watch) as changes:
            async for batch in changes:
                yield any(Path(name).name in places.get(Path(name).parent, ()) for _, name in batch)
    except (OSError, RuntimeError) as error:  # no watches left, a folder that cannot be read
        log.info("the folder of the config cannot be watched (%s); it is looked at every %g s", error, LOOK_EVERY)
    await clock.sleep(LOOK_EVERY)
    yield False


def _places(path: Path) -> dict[Path, set[str]]:
    """The folders to watch, and the names in each that lead to the file; of one that is missing the nearest that is
    there."""
    found: dict[Path, set[str]] = {}
    at = path
    for _ in range(_LINKS):
        found.setdefault(_existing(at.parent), set()).add(at.name)
        try:
            at = at.parent / os.readlink(at)
        except OSError:
            break
    real = Path(os.path.realpath(path))
    found.setdefault(_existing(real.parent), set()).add(real.name)
    return found


def _existing(folder: Path) -> Path:
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder


def _identities(folders: dict[Path, set[str]]) -> list[tuple[Path, Stamp]]:
    """Which folders these are: one that was renamed away leaves its name to another."""
    return [(folder, (found := stamp_of(folder)) and (*found[:2], 0, 0)) for folder in folders]
