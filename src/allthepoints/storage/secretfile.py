"""A file with a secret in it: only its owner may read it, and it is replaced as a whole."""

from __future__ import annotations

import os
from pathlib import Path

from allthepoints.base.errors import FaultError
from allthepoints.base.files import set_aside, write_atomically

_MODE = 0o600
_TOO_LARGE = 1 << 20


class SecretFile:
    """`warnings`: sentences for the person about what had to be done. All methods raise FaultError."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path
        self.warnings: list[str] = []
        self._kind = kind

    def read(self) -> bytes | None:
        """What is in it; None if there is no file. One that others can read is closed to them first."""
        try:
            if self.path.is_dir():
                raise self._folder()
            with self.path.open("rb") as file:
                if os.name != "nt" and os.fstat(file.fileno()).st_mode & 0o077:
                    self._tighten(file.fileno())
                return file.read(_TOO_LARGE)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._fault("cannot be read", error) from error

    def replace(self, data: bytes) -> None:
        """Put `data` in its place: when this returns, it is on the disk."""
        try:
            if self.path.is_dir():
                raise self._folder()
            write_atomically(self.path, data, _MODE)
        except OSError as error:
            raise self._fault("cannot be written", error) from error

    def forget(self) -> None:
        """Remove it."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._fault("cannot be removed", error) from error

    def set_aside(self, cure: str) -> None:
        """Keep what cannot be understood under another name. The error is not told: it may quote the file."""
        try:
            aside = set_aside(self.path)
        except OSError as error:
            raise self._fault("is damaged and cannot be renamed", error) from error
        self.warnings.append(f"{self.path} cannot be understood; it is kept as {aside.name}. {cure}")

    def _tighten(self, handle: int) -> None:
        try:
            os.fchmod(handle, _MODE)
        except OSError:
            self.warnings.append(f"{self.path} can be read by others, and its mode cannot be changed")
        else:
            self.warnings.append(f"{self.path} could be read by others; now only by its owner")

    def _folder(self) -> FaultError:
        return FaultError(
            f"{self.path} is a folder, where the {self._kind} is expected",
            "Remove the folder (a container makes one when it mounts a file that does not exist: mount the data "
            "directory instead).",
        )

    def _fault(self, what: str, error: OSError) -> FaultError:
        uid = f" by user {os.getuid()}" if hasattr(os, "getuid") else ""
        return FaultError(
            f"{self.path} {what}{uid}: {error.strerror}", "Make the file and its folder this user's own, and try again."
        )
