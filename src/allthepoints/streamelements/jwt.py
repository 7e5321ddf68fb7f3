"""The viewer's JWT: where it comes from, and what it says of its own end.

StreamElements gives it to the person, who copies it; there is no way to renew it from here. Its signature is
StreamElements' own matter: only `exp` is read, so that a dead one is not sent at all and its end is told in time. No
text made here holds any part of it.
"""

from __future__ import annotations

import base64
import binascii
import re

import msgspec

from allthepoints.base.clock import Clock
from allthepoints.base.errors import FaultError
from allthepoints.base.secret import Secret
from allthepoints.core.loyalty import JwtState
from allthepoints.ports import JwtStore, JwtUnusable

CURE = (
    "At https://streamelements.com/dashboard/account/channels turn on `Show secrets`, copy the JWT token, and give it "
    "to `allthepoints login streamelements`."
)

LONGEST = 16_384
"""Characters. Real ones have about 400."""

BEGINS = "eyJ"
"""How every JWT begins: the base64 of `{"`."""

_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z")


class JwtKeeper:
    """The present JWT: the one that is `given` (the environment's, or one that is being tried), else the stored one.

    The store is looked at for each call, so that a JWT that a command has just saved counts at once.
    """

    def __init__(self, clock: Clock, store: JwtStore | None = None, given: Secret | None = None) -> None:
        self._clock = clock
        self._store = store
        self._given = tidy(given) if given else None

    def present(self) -> Secret:
        """One that can be tried. Raises JwtUnusable."""
        jwt = self._find()
        expires_at = end_of(jwt)
        if expires_at is not None and expires_at <= self._clock.now():
            raise JwtUnusable("the StreamElements JWT has expired", JwtState.EXPIRED, CURE, expires_at)
        return jwt

    def expires_at(self) -> float | None:
        """What the present JWT says of its own end, epoch seconds; None if nothing. Raises JwtUnusable."""
        return end_of(self.present())

    def _find(self) -> Secret:
        if self._given:
            return self._given
        try:
            stored = self._store.load() if self._store is not None else None
        except FaultError as error:
            raise JwtUnusable(str(error), JwtState.MISSING, error.hint) from error
        if not stored:
            raise JwtUnusable("there is no StreamElements JWT", JwtState.MISSING, CURE)
        return tidy(stored)


def tidy(jwt: Secret) -> Secret:
    """As it was copied, without what does not belong to it: quotes, `Bearer`, spaces and the ends of lines."""
    text = jwt.reveal().strip().strip("\"'").strip()
    return Secret(re.sub(r"\Abearer\s+|\s+", "", text, flags=re.IGNORECASE))


def end_of(jwt: Secret) -> float | None:
    """`exp` in epoch seconds; None if it says none. Raises JwtUnusable (MALFORMED) for what is no JWT at all."""
    text = jwt.reveal()
    claims = _claims(text) if len(text) <= LONGEST and _SHAPE.match(text) else None
    if claims is None:
        raise JwtUnusable(_malformed(text), JwtState.MALFORMED, CURE)
    exp = claims.get("exp")
    if isinstance(exp, bool) or not isinstance(exp, int | float) or not 0 < exp < 1e15:
        return None
    return exp / 1000.0 if exp > 1e11 else float(exp)


def _claims(text: str) -> dict[str, object] | None:
    header, payload, _ = (_part(part) for part in text.split("."))
    return payload if header is not None else None


def _part(text: str) -> dict[str, object] | None:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return msgspec.json.decode(raw, type=dict[str, object])
    except (binascii.Error, ValueError, RecursionError):
        return None


def _malformed(text: str) -> str:
    if not text:
        return "the StreamElements JWT is empty"
    if len(text) > LONGEST:
        return "the StreamElements JWT has other text around it"
    if "." not in text and not text.startswith(BEGINS):
        return "this is not a JWT, which has three parts with dots between them (perhaps it is the overlay token)"
    return "the StreamElements JWT is not whole"
