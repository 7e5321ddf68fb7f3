"""A log file that never takes more room than it may, and never stands in anybody's way.

It is rotated; the files together are bounded, also where they cannot be renamed: then the old content goes. A file that
was moved or removed under it is made again. A line is written whole or not at all. What cannot be written raises
OSError, and the next line is a new try.

Writing is the work of a thread of its own: a disk that hangs holds up the log and nothing else. What waits for the disk
is bounded too; beyond it lines are let go, and the next one that is written says how many.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from threading import Condition, Thread

LOG_BYTES = 1_000_000
LOG_FILES = 3
"""The logs together take at most LOG_BYTES * (LOG_FILES + 1)."""

WAITING = 5_000
"""Lines that wait for the disk at most."""

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class BoundedFile:
    """The file at `path`, and `files` older ones beside it: `<path>.1` is the newest of them. Raises OSError."""

    def __init__(self, path: Path, most: int = LOG_BYTES, files: int = LOG_FILES) -> None:
        self._path = path
        self._most = most
        self._files = files
        self._handle: int | None = None

    def open(self) -> None:
        """Open or make it, for its owner only. A folder that is missing is made too."""
        if self._handle is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = os.open(self._path, _FLAGS, 0o600)

    def write(self, data: bytes) -> None:
        """Put whole lines behind the rest; of more than fits into a file, the first part."""
        if not self._is_there():
            self.close()
        self.open()
        data = data[: self._most]
        if self._size() + len(data) > self._most:
            self._rotate()
        self._append(data)

    def close(self) -> None:
        """May be called again."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def _append(self, data: bytes) -> None:
        assert self._handle is not None
        before = self._size()
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(self._handle, left) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, before)  # half a line is none
            raise

    def _size(self) -> int:
        assert self._handle is not None
        return os.fstat(self._handle).st_size

    def _is_there(self) -> bool:
        """Whether the open file is still the one at `path`."""
        if self._handle is None:
            return False
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._handle))
        except OSError:
            return False

    def _rotate(self) -> None:
        self.close()
        try:
            for number in range(self._files, 0, -1):
                older = self._numbered(number)
                newer = self._numbered(number - 1)
                if newer.exists():
                    os.replace(newer, older)
        except OSError:  # it cannot be renamed: no old lines are better than a full disk
            os.truncate(self._path, 0)
        self.open()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path


class Writer:
    """Writes lines to `file` on a thread of its own. `failed` is told, there, once for each time that it goes wrong."""

    def __init__(self, file: BoundedFile, failed: Callable[[OSError], None], waiting: int = WAITING) -> None:
        self._file = file
        self._failed = failed
        self._most = waiting
        self._lines: deque[str] = deque()
        self._changed = Condition()
        self._ending = False
        self._missed = 0
        self._broken = False
        self._thread = Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Have it written. Never waits for the disk."""
        with self._changed:
            if len(self._lines) >= self._most:
                self._missed += 1
            else:
                self._lines.append(line)
                self._changed.notify()

    def close(self, seconds: float = 1.0) -> None:
        """Write what waits, for so many seconds at most. May be called again."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._ending)
                if not self._lines:
                    break
                line = self._lines.popleft()
            self._write(line)
        self._file.close()

    def _write(self, line: str) -> None:
        missed = self._missed
        notice = f"(lines missing here, because they could not be written: {missed})\n" if missed else ""
        try:
            self._file.write(f"{notice}{line}\n".encode("utf-8", "backslashreplace"))
        except OSError as error:
            with self._changed:
                self._missed += 1
            if not self._broken:
                self._broken = True
                self._failed(error)
        else:
            self._broken = False
            with self._changed:
                self._missed -= missed
