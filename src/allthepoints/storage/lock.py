"""One service for each data directory: a lock that dies with its holder, and tells who that is.

The operating system's file lock is the truth: it is gone the moment the process is, however that ended, so a file left
behind locks nobody out. The pid in the file is only for people.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from allthepoints.base import clock
from allthepoints.base.errors import AlreadyRunning, FaultError

_TRIES = 20
_PAUSE = 0.005
"""Seconds. `holder` has the lock for a moment, in shared mode; who really wants it tries again a few times."""

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
"""What a link leads to would be emptied."""

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30
    """The locked byte stands far behind the pid: Windows lets nobody read what is locked."""

    def _try_lock(handle: int, shared: bool) -> bool:  # noqa: ARG001
        os.lseek(handle, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(handle: int, shared: bool) -> bool:
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Lock:
    """The held lock. Let it go with `release`, or by leaving the `with` block, or by dying."""

    def __init__(self, handle: int) -> None:
        self._handle: int | None = handle

    def release(self) -> None:
        """Let it go. May be called again. The file stays: removing it would open a gap for two holders."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.ftruncate(handle, 0)
            os.close(handle)

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def acquire(path: Path, pause: Callable[[float], None] = clock.pause) -> Lock:
    """Take the lock for this process. Raises AlreadyRunning (with the pid) or FaultError."""
    handle = _open(path)
    try:
        for tried in range(_TRIES):
            if _try_lock(handle, shared=False):
                _write(handle)
                return Lock(handle)
            if tried + 1 < _TRIES:
                pause(_PAUSE)
        pid = _pid(handle)
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    who = f"process {pid}" if pid else "another process"
    raise AlreadyRunning(
        f"allthepoints already runs on {path.parent} ({who})",
        "Look at it with: allthepoints status. To run a second account, give it its own --data-dir.",
        pid,
    )


def holder(path: Path) -> int | None:
    """The pid of the process that holds the lock (0 if it cannot be told), None if nobody does. Never takes it away."""
    try:
        handle = os.open(path, os.O_RDWR | _NO_LINK)
    except OSError:
        return None
    try:
        return None if _try_lock(handle, shared=True) else _pid(handle) or 0
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o600)
    except OSError as error:
        raise FaultError(
            f"{path} cannot be opened: {error.strerror}",
            "It must be a file that this user may write; remove it if it is something else.",
        ) from error


def _write(handle: int) -> None:
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, f"{os.getpid()}\n".encode())


def _pid(handle: int) -> int | None:
    os.lseek(handle, 0, os.SEEK_SET)
    text = os.read(handle, 32).strip()
    return int(text) if text.isdigit() else None
