"""StreamElements' JWTs: real ones in shape and signature, good in this sandbox only. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any

import msgspec

_KEY = b"a key of the sandbox, which opens nothing"


def mint(claims: dict[str, Any], key: bytes = _KEY) -> str:
    """header.payload.signature, by HS256."""
    signed = f"{_encode({'alg': 'HS256', 'typ': 'JWT'})}.{_encode(claims)}"
    return f"{signed}.{_text(_sign(signed, key))}"


def read(text: str, now: float) -> dict[str, Any] | None:
    """The claims, if the JWT is one of ours and good at that moment."""
    signed, _, signature = text.rpartition(".")
    try:
        if not hmac.compare_digest(_bytes(signature), _sign(signed, _KEY)):
            return None
        claims = msgspec.json.decode(_bytes(signed.partition(".")[2]), type=dict[str, Any])
    except (binascii.Error, msgspec.DecodeError, ValueError):
        return None
    return claims if now < claims.get("exp", 0) else None


def _encode(value: object) -> str:
    return _text(msgspec.json.encode(value))


def _sign(text: str, key: bytes) -> bytes:
    return hmac.digest(key, text.encode(), hashlib.sha256)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
