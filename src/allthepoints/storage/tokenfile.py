"""The sign-in on disk: one JSON file that only its owner may read, replaced as a whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from allthepoints.base.errors import FaultError
from allthepoints.base.files import set_aside, write_atomically
from allthepoints.base.secret import Secret
from allthepoints.ports import StoredTokens

_MODE = 0o600
_TOO_LARGE = 1 << 20


class TokenFile:
    """Fulfils `ports.TokenStore`. `warnings`: sentences for the person about what `load` had to do."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []

    def load(self) -> StoredTokens | None:
        """See `ports.TokenStore`. Raises FaultError for a folder in its place, and where the file may not be read."""
        try:
            data = self._read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._fault("cannot be read", error) from error
        try:
            return _decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            self._set_aside()  # the error is not told: it may quote what stands in the file
            return None

    def save(self, tokens: StoredTokens) -> None:
        """See `ports.TokenStore`."""
        if self.path.is_dir():
            raise self._folder()
        try:
            write_atomically(self.path, msgspec.json.format(msgspec.json.encode(tokens, enc_hook=_reveal)), _MODE)
        except OSError as error:
            raise self._fault("cannot be written", error) from error

    def forget(self) -> None:
        """See `ports.TokenStore`."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._fault("cannot be removed", error) from error

    def _read(self) -> bytes:
        if self.path.is_dir():
            raise self._folder()
        with self.path.open("rb") as file:
            if os.name != "nt" and os.fstat(file.fileno()).st_mode & 0o077:
                self._tighten(file.fileno())
            return file.read(_TOO_LARGE)

    def _tighten(self, handle: int) -> None:
        try:
            os.fchmod(handle, _MODE)
        except OSError:
            self.warnings.append(f"{self.path} can be read by others, and its mode cannot be changed")
        else:
            self.warnings.append(f"{self.path} could be read by others; now only by its owner")

    def _set_aside(self) -> None:
        try:
            aside = set_aside(self.path)
        except OSError as error:
            raise self._fault("is damaged and cannot be renamed", error) from error
        self.warnings.append(f"{self.path} cannot be understood; it is kept as {aside.name}. Sign in again.")

    def _folder(self) -> FaultError:
        return FaultError(
            f"{self.path} is a folder, where the token file is expected",
            "Remove the folder (a container makes one when it mounts a file that does not exist: mount the data "
            "directory instead).",
        )

    def _fault(self, what: str, error: OSError) -> FaultError:
        uid = f" by user {os.getuid()}" if hasattr(os, "getuid") else ""
        return FaultError(
            f"{self.path} {what}{uid}: {error.strerror}", "Make the file and its folder this user's own, and try again."
        )


def _decode(data: bytes) -> StoredTokens:
    tokens = msgspec.json.decode(data, type=StoredTokens, dec_hook=_conceal)  # unknown fields are a later version's
    if not tokens.access:
        raise ValueError("no token")
    return tokens


def _reveal(value: Any) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(type(value).__name__)


def _conceal(kind: type, value: Any) -> Secret:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError("not a token")
