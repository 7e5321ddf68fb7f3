"""The dashboard's password: only its scrypt hash is kept, in a file that only its owner may read."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from allthepoints.base.errors import UsageError
from allthepoints.storage.secretfile import SecretFile

SHORTEST = 8
LONGEST = 500
"""Characters."""

_N, _R, _P = 2**15, 8, 1
"""scrypt's cost: 32 MiB and about a tenth of a second for each try."""

_MEMORY = 80 * 2**20
_MOST_N = 2**17
"""A file that asks for more than this was not written by us."""


@dataclass(frozen=True, slots=True)
class _Kept:
    n: int
    r: int
    p: int
    salt: bytes
    digest: bytes

    def of(self, password: str) -> bytes:
        return hashlib.scrypt(_bytes(password), salt=self.salt, n=self.n, r=self.r, p=self.p, maxmem=_MEMORY, dklen=32)


class Password:
    """The password in the file at `path`. Methods raise FaultError."""

    def __init__(self, path: Path) -> None:
        self._file = SecretFile(path, "dashboard's password file")

    def is_set(self) -> bool:
        """Whether there is one. A file that cannot be understood counts: it lets nobody in."""
        return self._file.read() is not None

    def set(self, password: str) -> None:
        """Replace it. Raises UsageError for one that will not do."""
        if len(password) < SHORTEST:
            raise UsageError(f"the password has fewer than {SHORTEST} characters", "Four random words are a good one.")
        if len(password) > LONGEST:
            raise UsageError(f"the password has more than {LONGEST} characters")
        kept = _Kept(_N, _R, _P, os.urandom(16), b"")
        fields = {"kind": "scrypt", "n": _N, "r": _R, "p": _P, "salt": kept.salt.hex()}
        self._file.replace(json.dumps({**fields, "hash": kept.of(password).hex()}).encode() + b"\n")

    def remove(self) -> None:
        """Have none."""
        self._file.forget()

    def is_right(self, password: str) -> bool:
        """Whether this is it. Takes as long for a wrong one, and blocks: call it on a thread."""
        kept = _kept(self._file.read())
        if kept is None or len(password) > LONGEST:
            return False
        return hmac.compare_digest(kept.of(password), kept.digest)

    def stands(self) -> bool:
        """Whether there is a file, or nobody knows. Cheap: it is asked with every request."""
        try:
            os.stat(self._file.path)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True

    def stamp(self) -> tuple[int, int] | None:
        """Changes when the password does; None where there is none. Cheap."""
        try:
            found = os.stat(self._file.path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino


def _bytes(password: str) -> bytes:
    """The same password from every keyboard."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _kept(data: bytes | None) -> _Kept | None:
    try:
        found = json.loads(data or b"")
        kept = _Kept(found["n"], found["r"], found["p"], bytes.fromhex(found["salt"]), bytes.fromhex(found["hash"]))
        sound = found["kind"] == "scrypt" and 2**14 <= kept.n <= _MOST_N and kept.r == _R and kept.p == _P
    except (ValueError, TypeError, KeyError):
        return None
    return kept if sound and len(kept.digest) == 32 and len(kept.salt) >= 16 else None
