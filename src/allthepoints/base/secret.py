"""A string that does not show itself: not in repr, str, format, logs or tracebacks."""

from __future__ import annotations

import hmac
import sys


def keep_from_core_dumps() -> None:
    """From now on this process leaves no picture of its memory behind when it crashes: tokens would be in it."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 -- not everywhere

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Secret:
    """Holds a token. `reveal()` is the only way to the text: call it where it leaves for the wire or the token file."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself."""
        return self.__text

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__text.encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash(self.__text)

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Secret is not pickled")
