"""A whole copy of a database that may be in use: under its final name it is complete, checked and on the disk.

SQLite's own backup reads one moment of the database, its journal included, while others go on writing. The copy is one
file in the rollback mode, so that nothing beside it belongs to it. Until it is whole it has another name, which tells
the process that works on it: what a killed one left is removed by the next.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import apsw

from allthepoints.base.errors import FaultError
from allthepoints.base.files import drop_leftovers, flush_folder

PART = "part"
"""The ending of a copy that is not whole yet."""


def whole_copy(
    source: apsw.Connection,
    target: Path,
    change: Callable[[apsw.Connection], None] | None = None,
    *,
    replaces: bool = True,
    last: Callable[[], None] | None = None,
) -> int:
    """Copy `source` to `target`, for its owner only; answers its size in bytes. `change` may alter the copy first;
    `last` is called when all is done but giving it its name.

    Raises FaultError where the copy is damaged, and where `target` exists by then and it is not meant to be replaced;
    apsw.Error and OSError. Whatever goes wrong, nothing is left, and `target` is as it was.
    """
    drop_leftovers(target, PART)
    part = target.with_name(f"{target.name}.{os.getpid()}.{PART}")
    try:
        _fill(source, part, change)
        _flush(part)
        size = part.stat().st_size
        if last is not None:
            last()
        if replaces:
            os.replace(part, target)
        else:
            _name_anew(part, target)
    finally:
        for leftover in (part, part.with_name(part.name + "-journal")):
            leftover.unlink(missing_ok=True)
    flush_folder(target.parent)
    return size


def free_name(path: Path) -> Path:
    """`path`, or the first of `path-2`, `path-3` … that does not exist."""
    found, turn = path, 1
    while found.exists() or found.is_symlink():
        turn += 1
        found = path.with_name(f"{path.name}-{turn}")
    return found


def _fill(source: apsw.Connection, part: Path, change: Callable[[apsw.Connection], None] | None) -> None:
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    copy = apsw.Connection(str(part), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        with copy.backup("main", source, "main") as backup:
            backup.step(-1)  # in one go: one moment, also where others write all the time
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()
        if change is not None:
            change(copy)
        if (found := copy.execute("PRAGMA quick_check(1)").get) != "ok":
            raise FaultError(
                f"what was read of the database is damaged ({found}); no copy was made",
                "Keep the file and its older copies. `allthepoints doctor` tells more.",
            )
    finally:
        copy.close()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _name_anew(part: Path, target: Path) -> None:
    """Give it its name, unless somebody else has it by now."""
    try:
        os.link(part, target)
        return
    except FileExistsError:
        taken = True
    except OSError:  # a file system without a second name for a file (FAT, some network shares)
        taken = target.exists()
    if taken:
        raise FaultError(f"{target} was made by another program meanwhile; it is as it was")
    os.rename(part, target)
