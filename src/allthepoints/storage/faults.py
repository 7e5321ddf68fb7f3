"""SQLite's errors in our words: what is wrong with which file, and what a person can do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from allthepoints.base.errors import FaultError

_KNOWN: tuple[tuple[type[apsw.Error], str, str], ...] = (
    (apsw.FullError, "the disk is full", "Make room; nothing that was recorded before is lost."),
    (
        apsw.BusyError,
        "another program holds it locked",
        "End the program that has the database open for writing (a database browser, a backup).",
    ),
    (
        apsw.ReadOnlyError,
        "it is read-only",
        "Make the file and its folder writable for this user, or choose another --data-dir.",
    ),
    (
        apsw.CantOpenError,
        "it cannot be opened",
        "Make the file and its folder readable and writable for this user, or choose another --data-dir.",
    ),
    (
        apsw.CorruptError,
        "it is damaged",
        "Stop the service and move the file away; it starts with a fresh one. Backups end in .before-v….",
    ),
    (apsw.NotADBError, "it is not a database", "Move the file away; the service starts with a fresh one."),
    (apsw.IOError, "the disk gave an error", "Check the disk and its free space (the system's log tells more)."),
)


def refuse_folder(path: Path) -> None:
    """Raises FaultError if `path` is a folder."""
    if path.is_dir():
        raise FaultError(
            f"{path} is a folder, where a database file is expected",
            "Remove the folder (a container makes one when it mounts a file that does not exist: mount the data "
            "directory instead).",
        )


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Raises FaultError for every error of SQLite, or of the file system, inside."""
    try:
        yield
    except apsw.Error as error:
        raise fault(path, error) from error
    except OSError as error:
        raise _of_the_system(path, error) from error


def fault(path: Path, error: apsw.Error) -> FaultError:
    """`error` about the database at `path`, in our words."""
    for kind, text, hint in _KNOWN:
        if isinstance(error, kind):
            return FaultError(f"{path}: {text}", hint)
    return FaultError(f"{path}: {type(error).__name__}: {error}")


_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG}


def _of_the_system(path: Path, error: OSError) -> FaultError:
    if error.errno in _FULL:
        return FaultError(f"{path}: the disk is full", "Make room; nothing that was recorded before is lost.")
    return FaultError(f"{path}: {error.strerror or error}", "Check who may use the file and its folder.")
