"""Other people's words on their way into the database: no longer than a bound, and always valid UTF-8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from allthepoints.base.types import JSON

BOUND = 500
"""Characters kept of a title, a server's text or a value of an event. Twitch's titles end at 140."""


def bounded(text: str) -> str:
    """`text` cut to BOUND characters; a lone surrogate, which UTF-8 cannot hold, becomes `?`."""
    return valid(text if len(text) <= BOUND else text[: BOUND - 1] + "…")


def valid(text: str) -> str:
    """`text` as it is, but for lone surrogates: for what must not be cut."""
    return text.encode("utf-8", "replace").decode()


def to_json(value: JSON) -> str:
    """`value` as JSON text, every string in it valid UTF-8."""
    return msgspec.json.encode(_clean(value)).decode()


def from_json(text: str) -> JSON:
    """What `to_json` wrote."""
    value: JSON = msgspec.json.decode(text)
    return value


def json_object(text: str) -> Mapping[str, JSON]:
    """What `to_json` wrote of an object; an empty one for anything else."""
    value = from_json(text)
    return value if isinstance(value, Mapping) else {}


def json_strings(text: str) -> tuple[str, ...]:
    """What `to_json` wrote of a list of texts; whatever else stands there is left out."""
    value = from_json(text)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _clean(value: JSON) -> JSON:
    if isinstance(value, str):
        return valid(value)
    if isinstance(value, Mapping):
        return {str(_clean(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_clean(item) for item in value]
    return value
