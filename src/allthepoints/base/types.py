"""Names for the identifiers that travel through every floor.

A channel's identity is its user id; its login is only its present address (people rename).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NewType, TypeAlias

UserId = NewType("UserId", str)
"""Twitch's numeric user id, as a string of digits."""

Login = NewType("Login", str)
"""Twitch's login: lower case, what stands behind `#` on the wire."""

StreamId = NewType("StreamId", str)
"""The id of one live session, from go-live to its end."""

SeId = NewType("SeId", str)
"""StreamElements' id of a channel: 24 hexadecimal digits. Keeps when the channel is renamed."""

ItemId = NewType("ItemId", str)
"""StreamElements' id of an item in a store."""

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
"""A plain JSON value."""

LAST_MOMENT = 32_503_680_000.0
"""The year 3000, in epoch seconds: no moment that somebody tells us is later, and every calendar and zone has it."""

_LOGIN = re.compile(r"[a-z0-9_]{1,25}\Z")
_URL = re.compile(r"(?:https?://)?(?:www\.|m\.)?twitch\.tv/([^/?#\s]+)(?:[/?#].*)?\Z", re.IGNORECASE)


class NotALogin(ValueError):
    """The text cannot be a Twitch login; the message says why and what would do."""


def as_login(text: str) -> Login:
    """The login that a person meant by `text`: `#Alpha`, ` beta `, `@gamma` and a channel's URL are understood.

    Raises NotALogin with a reason that a person can act on.
    """
    name = text.strip()
    if url := _URL.match(name):
        name = url.group(1)
    name = name.removeprefix("#").removeprefix("@").lower()
    if _LOGIN.match(name):
        return Login(name)
    raise NotALogin(_why_not(name))


def believable(at: float) -> float:
    """A moment that somebody told us, in epoch seconds; 0 (not known) for one that no face could show."""
    return at if 0.0 <= at <= LAST_MOMENT else 0.0


def _why_not(name: str) -> str:
    if not name:
        return "it is empty"
    if not name.isascii():
        return "it looks like a display name; give the login, the name in the channel's address (a-z, 0-9, _)"
    if "/" in name or ":" in name:
        return "it is an address, but not of a Twitch channel (https://www.twitch.tv/NAME)"
    if len(name) > 25:
        return f"a login has at most 25 characters, this has {len(name)}"
    return "a login has only a-z, 0-9 and _"
