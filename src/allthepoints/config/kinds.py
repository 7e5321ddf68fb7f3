"""What may stand behind a key: each kind reads the TOML value into a plain one, and writes it back for a person.

A kind raises Bad, with what was expected and the cure. Values are shown in messages only where they cannot be secrets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Protocol
from zoneinfo import available_timezones

from allthepoints.base.addresses import BadAddress, check_base_path, check_host, check_http, check_listen, irc_address
from allthepoints.base.secret import Secret
from allthepoints.base.types import NotALogin, as_login
from allthepoints.config.durations import format_duration, parse_duration

_SECRETIVE = re.compile(r"(?i)oauth:|\beyJ[\w-]+\.|\A\s*[a-z0-9]{30,}\s*\Z")
"""A chat token, a JWT; or thirty letters and digits, which is how Twitch's tokens look."""


class Bad(Exception):
    """A value that cannot be used. `entry`: which of a list it was, as the file has it. `also`: others of the list."""

    def __init__(self, text: str, cure: str = "", entry: str | None = None, secret: bool = False) -> None:
        super().__init__(text)
        self.text, self.cure, self.entry, self.secret = text, cure, entry, secret
        self.also: tuple[Bad, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What a kind may know of the rest. `local`: whether an endpoint is on this machine; `warn` takes a sentence."""

    local: Callable[[str], bool]
    warn: Callable[[str], None]


class Kind(Protocol):
    """What may stand behind a key."""

    @property
    def expected(self) -> str:
        """In a person's words."""
        ...

    def read(self, raw: object, context: Context, /) -> object:
        """The plain value. Raises Bad."""
        ...

    def write(self, value: Any) -> str:
        """As TOML."""
        ...


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no."""

    expected: str = "true or false"

    def read(self, raw: object, _: Context, /) -> bool:
        if isinstance(raw, bool):
            return raw
        raise mismatch(self, raw)

    def write(self, value: bool) -> str:
        return "true" if value else "false"


@dataclass(frozen=True, slots=True)
class Text:
    """Free text in one line. `form` is a pattern it must have, unless it is empty."""

    expected: str = "a text"
    form: re.Pattern[str] = field(default_factory=lambda: re.compile(r"[^\x00-\x1f\x7f]{1,500}\Z"))
    secretive: bool = True
    """Text that looks like a token is refused."""

    def read(self, raw: object, _: Context, /) -> str:
        if not isinstance(raw, str):
            raise mismatch(self, raw)
        text = raw.strip()
        if self.secretive and _SECRETIVE.search(text):
            raise Bad("this looks like a secret", secret=True)
        if text and not self.form.match(text):
            raise Bad(f"expected {self.expected}")
        return text

    def write(self, value: str) -> str:
        return quote(value)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `lowest`; above `cap` it is taken for `cap`, with a warning that says `why`."""

    lowest: int
    cap: int
    why: str

    @property
    def expected(self) -> str:
        return f"a whole number from {self.lowest} to {self.cap}"

    def read(self, raw: object, context: Context, /) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int):
            raise mismatch(self, raw)
        if raw < self.lowest:
            raise Bad(f"expected {self.expected}, found {shown(raw)}")
        if raw > self.cap:
            context.warn(f"{shown(raw)} is more than {self.cap} ({self.why}); {self.cap} is used")
        return min(raw, self.cap)

    def write(self, value: int) -> str:
        return str(value)


@dataclass(frozen=True, slots=True)
class Duration:
    """A time. Below `lowest` it is impolite to the host of `endpoint`: not asked of a host on this machine."""

    lowest: str
    highest: str
    endpoint: str | None = None

    @property
    def expected(self) -> str:
        return f'a duration from "{self.lowest}" to "{self.highest}"'

    def read(self, raw: object, context: Context, /) -> float:
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            cure = f'A bare number has no unit: write "{shown(raw)}s".' if raw > 0 else self._why()
            raise Bad(f"expected {self.expected}, found {shown(raw)}", cure)
        if not isinstance(raw, str):
            raise mismatch(self, raw)
        seconds = parse_duration(raw)
        if seconds is None:
            raise Bad(f"expected {self.expected}, found {shown(raw)}", 'Write "250ms", "30s", "10m", "1h" or "1h30m".')
        free = self.endpoint is not None and context.local(self.endpoint)
        if seconds <= 0 or (seconds < _seconds(self.lowest) and not free):
            raise Bad(f"expected {self.expected}, found {shown(raw)}", self._why())
        if seconds > _seconds(self.highest):
            raise Bad(f"expected {self.expected}, found {shown(raw)}")
        return seconds

    def write(self, value: float) -> str:
        return quote(format_duration(value))

    def _why(self) -> str:
        if self.endpoint is None:
            return ""
        return f"The lowest value is politeness towards the host of endpoints.{self.endpoint}."


@dataclass(frozen=True, slots=True)
class Names:
    """Channels: logins, or what a person may write for them."""

    expected: str = 'a list of channels, such as ["alpha", "beta"]'

    def read(self, raw: object, _: Context, /) -> tuple[str, ...]:
        if not isinstance(raw, list):
            raise mismatch(self, raw)
        found: dict[str, None] = {}
        bad: list[Bad] = []
        for entry in raw:
            try:
                found[login(entry)] = None
            except Bad as no:
                bad.append(no)
        if bad:
            bad[0].also = tuple(bad[1:])
            raise bad[0]
        return tuple(found)

    def write(self, value: tuple[str, ...]) -> str:
        return f"[{', '.join(map(quote, value))}]"


@dataclass(frozen=True, slots=True)
class Name:
    """One channel."""

    expected: str = 'a channel, such as "alpha"'

    def read(self, raw: object, _: Context, /) -> str:
        return login(raw)

    def write(self, value: str) -> str:
        return quote(value)


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of texts."""

    expected: str = "a list of texts"

    def read(self, raw: object, _: Context, /) -> tuple[str, ...]:
        if not isinstance(raw, list) or not all(isinstance(entry, str) for entry in raw):
            raise mismatch(self, raw)
        return tuple(dict.fromkeys(entry.strip() for entry in raw))

    def write(self, value: tuple[str, ...]) -> str:
        return f"[{', '.join(map(quote, value))}]"


@dataclass(frozen=True, slots=True)
class Choices:
    """A list of words out of `known`."""

    known: tuple[str, ...]

    @property
    def expected(self) -> str:
        return f"a list of: {', '.join(self.known)}"

    def read(self, raw: object, _: Context, /) -> tuple[str, ...]:
        if not isinstance(raw, list):
            raise mismatch(self, raw)
        found: dict[str, None] = {}
        for entry in raw:
            word = entry.strip().lower() if isinstance(entry, str) else ""
            if word not in self.known:
                near = get_close_matches(word, self.known, n=1)
                cure = f'Did you mean "{near[0]}"?' if near else f"There are: {', '.join(self.known)}."
                raise Bad(f"{shown(entry)} is none of them", cure, str(entry))
            found[word] = None
        return tuple(found)

    def write(self, value: tuple[str, ...]) -> str:
        return f"[{', '.join(map(quote, value))}]"


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone by its IANA name; empty is this machine's own."""

    expected: str = 'a time zone such as "Europe/Rome"'

    def read(self, raw: object, _: Context, /) -> str:
        if not isinstance(raw, str):
            raise mismatch(self, raw)
        name = raw.strip()
        known = available_timezones() if name else set()
        if name and name not in known:
            near = get_close_matches(name, known, n=1)
            cure = f'Did you mean "{near[0]}"?' if near else "Names are of the form Continent/City."
            raise Bad(f"expected {self.expected}, found {shown(raw)}", cure)
        return name

    def write(self, value: str) -> str:
        return quote(value)


@dataclass(frozen=True, slots=True)
class Hidden:
    """A list of addresses that are secrets themselves (who knows a web hook's address can write to it)."""

    expected: str = "a list of addresses"

    def read(self, raw: object, _: Context, /) -> tuple[Secret, ...]:
        if not isinstance(raw, list) or not all(isinstance(entry, str) and entry.strip() for entry in raw):
            raise Bad(f"expected {self.expected}")
        return tuple(Secret(entry) for entry in dict.fromkeys(entry.strip() for entry in raw))

    def write(self, value: tuple[Secret, ...]) -> str:
        return f"[{', '.join(map(quote, ['***'] * len(value)))}]"


@dataclass(frozen=True, slots=True)
class Address:
    """An address that `check` accepts, and perhaps writes better."""

    expected: str
    check: Callable[[str], str]

    def read(self, raw: object, _: Context, /) -> str:
        if not isinstance(raw, str):
            raise mismatch(self, raw)
        try:
            return self.check(raw.strip())
        except BadAddress as error:
            raise Bad(f"{error}", f"Expected {self.expected}.") from None

    def write(self, value: str) -> str:
        return quote(value)


@dataclass(frozen=True, slots=True)
class Hosts:
    """Names of hosts, as a browser sends them."""

    expected: str = 'a list of host names, such as ["points.example.org"]'

    def read(self, raw: object, _: Context, /) -> tuple[str, ...]:
        if not isinstance(raw, list) or not all(isinstance(entry, str) for entry in raw):
            raise mismatch(self, raw)
        found: dict[str, None] = {}
        for entry in raw:
            try:
                found[check_host(entry)] = None
            except BadAddress as error:
                raise Bad(f"{shown(entry)}: {error}", "Give the name alone, without https:// and port.") from None
        return tuple(found)

    def write(self, value: tuple[str, ...]) -> str:
        return f"[{', '.join(map(quote, value))}]"


def chat_endpoint() -> Address:
    """Where the chat is."""
    return Address('an address such as "ircs://irc.chat.twitch.tv:6697"', _checked_irc)


def http_endpoint() -> Address:
    """Where an HTTP interface is."""
    return Address('an address such as "https://api.twitch.tv/helix"', check_http)


def listen_address() -> Address:
    """Where to listen."""
    return Address('"127.0.0.1:7771", or "" to turn it off', check_listen)


def base_path() -> Address:
    """What stands before every path, behind a proxy that serves other things too."""
    return Address('a path such as "/points", or ""', check_base_path)


def login(entry: object) -> str:
    """The login that an entry means. Raises Bad, naming the entry and the reason."""
    if not isinstance(entry, str):
        raise Bad(f"expected a channel's name, found {shown(entry)}", "Put the name in quotes.", str(entry))
    if _SECRETIVE.search(entry):
        raise Bad("an entry looks like a secret", entry=entry, secret=True)
    try:
        return as_login(entry)
    except NotALogin as error:
        raise Bad(f"{shown(entry)} is not a channel: {error}", entry=entry) from None


def mismatch(kind: Kind, raw: object) -> Bad:
    """A value of another type than the kind expects."""
    return Bad(f"expected {kind.expected}, found {shown(raw)}")


def shown(raw: object) -> str:
    """A value for a message: short, and never a secret."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, str):
        if _SECRETIVE.search(raw):
            return "a text that looks like a secret"
        return _visible(quote(raw if len(raw) <= 40 else raw[:39] + "…"))
    if isinstance(raw, int | float):
        return str(raw) if abs(raw) < 10**15 else "a huge number"
    return "a table" if isinstance(raw, dict) else "a list" if isinstance(raw, list) else "a date or time"


def _visible(text: str) -> str:
    """Nothing in it steers a terminal, or turns the direction of what follows."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def quote(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _checked_irc(url: str) -> str:
    irc_address(url)
    return url


def _seconds(text: str) -> float:
    seconds = parse_duration(text)
    if seconds is None:
        raise ValueError(text)
    return seconds
