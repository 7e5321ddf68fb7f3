"""The viewer's StreamElements JWT on disk."""

from __future__ import annotations

from pathlib import Path

import msgspec

from allthepoints.base.secret import Secret
from allthepoints.storage.secretfile import SecretFile


class JwtFile:
    """Fulfils `ports.JwtStore`. `warnings`: sentences for the person about what `load` had to do."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = SecretFile(path, "file of the StreamElements JWT")
        self.warnings = self._file.warnings

    def load(self) -> Secret | None:
        """See `ports.JwtStore`. Raises FaultError for a folder in its place, and where the file may not be read."""
        data = self._file.read()
        if data is None:
            return None
        jwt = decoded(data)
        if jwt is None:
            self._file.set_aside("Run `allthepoints login streamelements` again.")
            return None
        return jwt

    def save(self, jwt: Secret) -> None:
        """See `ports.JwtStore`."""
        self._file.replace(msgspec.json.format(msgspec.json.encode(_Held(jwt.reveal()))) + b"\n")

    def forget(self) -> None:
        """See `ports.JwtStore`."""
        self._file.forget()


def decoded(data: bytes) -> Secret | None:
    """What stands in such a file; None for something else."""
    try:
        held = msgspec.json.decode(data, type=_Held)
    except (ValueError, RecursionError):
        return None
    return Secret(held.jwt) if held.jwt else None


class _Held(msgspec.Struct):
    """What stands in the file; more is a later version's."""

    jwt: str
