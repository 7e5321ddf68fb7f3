"""The sign-in on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from allthepoints.base.secret import Secret
from allthepoints.ports import StoredTokens
from allthepoints.storage.secretfile import SecretFile


class TokenFile:
    """Fulfils `ports.TokenStore`. `warnings`: sentences for the person about what `load` had to do."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = SecretFile(path, "token file")
        self.warnings = self._file.warnings

    def load(self) -> StoredTokens | None:
        """See `ports.TokenStore`. Raises FaultError for a folder in its place, and where the file may not be read."""
        data = self._file.read()
        if data is None:
            return None
        try:
            return decoded(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            self._file.set_aside("Sign in again.")
            return None

    def save(self, tokens: StoredTokens) -> None:
        """See `ports.TokenStore`."""
        self._file.replace(msgspec.json.format(msgspec.json.encode(tokens, enc_hook=_reveal)))

    def forget(self) -> None:
        """See `ports.TokenStore`."""
        self._file.forget()


def decoded(data: bytes) -> StoredTokens:
    """What stands in such a file. Raises ValueError, RecursionError or msgspec.MsgspecError for something else."""
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
