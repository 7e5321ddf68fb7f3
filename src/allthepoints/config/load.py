"""From a config file to settings: all of what is wrong with it at once, each with its line, its key and its cure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from allthepoints.base.addresses import host_of, is_loopback
from allthepoints.base.errors import ConfigError
from allthepoints.config.kinds import Bad, Context, shown
from allthepoints.config.lines import Step, line_of
from allthepoints.config.settings import KEYS, LISTS, SECTIONS, Key, Settings, keys_of

_TOO_LARGE = 256 * 1024
"""Bytes. Two thousand channels take 30 kB; a bigger file is not a config."""

_TOLD = 20
"""Problems named at once; who has more has another problem."""

TWITCH, ELEMENTS = "twitch.tv", "streamelements.com"

_ENDLESS = re.compile(
    r"""(?<![A-Za-z0-9_-])(?:(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')[ \t]*\.[ \t]*){64}""",
)
"""A key of so many parts that the parser would not come to an end: its time goes with the third power of them."""

_SECRET_NAME = re.compile(r"(?i)(\A|[_-])(token|secret|password|passwd|pass|jwt|oauth|bearer|api_?key)s?([_-]|\Z)")
_NOT_SECRET = re.compile(r"(?i)_(hash|file|env)\Z")
_WHERE = (
    "Remove it from the file: secrets never stand in the config. Sign in with: allthepoints login. A machine without a "
    "person gives them in the environment: ALLTHEPOINTS_TWITCH_TOKEN, ALLTHEPOINTS_TWITCH_REFRESH_TOKEN, "
    "ALLTHEPOINTS_TWITCH_CLIENT_SECRET, ALLTHEPOINTS_STREAMELEMENTS_JWT."
)
_POSITION = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)\Z")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings that can be used, and sentences about what in them is odd."""

    settings: Settings
    warnings: tuple[str, ...] = ()


def load(path: Path, named: bool = True) -> Loaded:
    """Read the file at `path`. If it is missing, and was not `named` by the person, the defaults stand.

    Raises ConfigError.
    """
    text = text_of(path)
    if text is not None:
        return parse(text, str(path))
    if named:
        raise ConfigError(f"{path}: there is no such file", "Check --config or ALLTHEPOINTS_CONFIG.")
    return Loaded(Settings())


def text_of(path: Path) -> str | None:
    """What the file says; None where there is none. Raises ConfigError if it cannot be read or is no text."""
    try:
        with path.open("rb") as file:
            data = file.read(_TOO_LARGE + 1)
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        raise ConfigError(f"{path}: this is a folder, where the config file is expected") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    return _decoded(data, str(path))


def parse(text: str, name: str) -> Loaded:
    """Settings from TOML `text`; `name` is what messages call it. Raises ConfigError."""
    if len(text) > _TOO_LARGE:
        raise ConfigError(f"{name}: this is too large for a config file")
    reading = _Reading(text, name)
    values = reading.document(_document(text, name))
    if reading.problems:
        raise _error(reading.problems)
    settings = msgspec.convert(values, Settings)
    return Loaded(settings, (*reading.warnings, *_contradictions(settings)))


def names_secret(name: str) -> bool:
    """Whether a key of this name holds a secret."""
    return bool(_SECRET_NAME.search(name)) and not _NOT_SECRET.search(name)


@dataclass(frozen=True, slots=True)
class _Problem:
    line: int
    text: str
    cure: str


class _Reading:
    """One pass over a parsed document, gathering problems and warnings."""

    def __init__(self, text: str, name: str) -> None:
        self.problems: list[_Problem] = []
        self.warnings: list[str] = []
        self._text = text
        self._name = name
        self._remote: set[str] = set()

    def document(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The plain values by section."""
        values: dict[str, Any] = {}
        given = document.get("endpoints", {})
        self._section("endpoints", given, values)
        self._weigh(values.get("endpoints", {}), given)  # how low other values may be depends on them
        for section, raw in document.items():
            if section != "endpoints":
                self._section(section, raw, values)
        return values

    def _section(self, section: str, raw: object, values: dict[str, Any]) -> None:
        if section not in SECTIONS:
            self._unknown(section, raw)
        elif section in LISTS:
            values[section] = self._list(section, raw)
        elif isinstance(raw, dict):
            values[section] = self._table((section,), raw)
        else:
            self._problem((section,), f"expected a table [{section}], found {shown(raw)}")

    def _list(self, section: str, raw: object) -> list[dict[str, Any]]:
        if not isinstance(raw, list) or not all(isinstance(entry, dict) for entry in raw):
            self._problem((section,), f"expected tables, each under [[{section}]], found {shown(raw)}")
            return []
        return [self._table((section, at), entry) for at, entry in enumerate(raw)]

    def _table(self, path: tuple[Step, ...], raw: Mapping[str, Any]) -> dict[str, Any]:
        keys = keys_of(str(path[0]))
        values: dict[str, Any] = {}
        for name, value in raw.items():
            if (key := keys.get(name)) is None:
                self._unknown_key((*path, name), value)
            else:
                self._value(key, (*path, name), value, values)
        for key in keys.values():
            if key.required and key.name not in raw:
                self._problem(path, f"{key.name} is missing: {key.kind.expected}")
        return values

    def _value(self, key: Key, path: tuple[Step, ...], raw: object, values: dict[str, Any]) -> None:
        try:
            values[key.name] = key.kind.read(raw, Context(self._local, lambda text: self._warn(path, text)))
            if key.required and not values[key.name]:
                raise Bad(f"expected {key.kind.expected}, found nothing")
        except Bad as bad:
            for one in (bad, *bad.also):
                self._problem(path, one.text, _WHERE if one.secret else one.cure, one.entry)

    def _weigh(self, endpoints: Mapping[str, str], raw: object) -> None:
        """Which endpoints are another machine. One that could not be read has been told of, and is let be."""
        for key in keys_of("endpoints").values():
            url = endpoints.get(key.name, getattr(Settings().endpoints, key.name))
            broken = isinstance(raw, Mapping) and key.name in raw and key.name not in endpoints
            if not broken and not is_loopback(host_of(url)):
                self._remote.add(key.name)

    def _local(self, endpoint: str) -> bool:
        return endpoint not in self._remote

    def _unknown(self, section: str, raw: object) -> None:
        if not self._secret((section,), raw):
            owner = next((key.section for key in KEYS if key.name == section), None)
            near = get_close_matches(section, SECTIONS, n=1)
            if owner and not isinstance(raw, dict):
                self._problem((section,), f"unknown key; {section} belongs under [{owner}]")
            elif near:
                self._problem((section,), f"unknown section; did you mean [{near[0]}]?")
            else:
                self._problem((section,), "unknown section", f"There are: {', '.join(SECTIONS)}.")

    def _unknown_key(self, path: tuple[Step, ...], raw: object) -> None:
        if self._secret(path, raw):
            return
        name, known = str(path[-1]), keys_of(str(path[0]))
        owner = next((key.section for key in KEYS if key.name == name), None)
        if near := get_close_matches(name, known, n=1):
            self._problem(path, f"unknown key; did you mean {near[0]}?")
        elif owner:
            self._problem(path, f"unknown key; {name} belongs under [{owner}]")
        else:
            self._problem(path, "unknown key", f"[{path[0]}] has: {', '.join(known)}.")

    def _secret(self, path: tuple[Step, ...], raw: object) -> bool:
        """Whether the name (or one within) is a secret's. Tells so, and never the value."""
        name = str(path[-1])
        found = False
        if isinstance(raw, dict):
            for key, value in raw.items():
                found |= self._secret((*path, key), value)
        elif names_secret(name):
            self._problem(path, "a secret stands here", _WHERE)
            found = True
        elif isinstance(raw, list):
            for at, value in enumerate(raw):
                found |= isinstance(value, dict) and self._secret((*path, at), value)
        return found

    def _warn(self, path: tuple[Step, ...], text: str) -> None:
        self.warnings.append(f"{self._at(line_of(self._text, path))}{_dotted(path)}: {text}")

    def _problem(self, path: tuple[Step, ...], text: str, cure: str = "", entry: str | None = None) -> None:
        if len(self.problems) < _TOLD:
            line = line_of(self._text, path, entry)
            self.problems.append(_Problem(line or 0, f"{self._at(line)}{_dotted(path)}: {text}", cure))

    def _at(self, line: int | None) -> str:
        return f"{self._name}: " if line is None else f"{self._name}:{line}: "


def _document(text: str, name: str) -> dict[str, Any]:
    if endless := _ENDLESS.search(text):
        raise ConfigError(f"{name}:{text.count(chr(10), 0, endless.start()) + 1}: this is nested too deeply")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{name}: this is nested too deeply") from None
    except ValueError as error:
        words = str(error)
        place = _POSITION.search(words)
        line = (place.group(1) if place else None) or text.rstrip("\n").count("\n") + 1
        what = words[: place.start()] if place else words
        column = f", column {place.group(2)}" if place and place.group(2) else ""
        raise ConfigError(
            f"{name}:{line}: this is not TOML: {what[:1].lower()}{what[1:]}{column}",
            'Text stands in quotes (live = "30s"), a list in brackets (include = ["alpha"]).',
        ) from None


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}:{line}: this is not UTF-8", "Save the file as UTF-8.") from None


def _error(problems: list[_Problem]) -> ConfigError:
    problems = sorted(problems, key=lambda problem: problem.line)
    cures = dict.fromkeys(problem.cure for problem in problems if problem.cure)
    return ConfigError("\n".join(problem.text for problem in problems), "\n".join(cures))


def _contradictions(settings: Settings) -> list[str]:
    """What can be used, but can hardly be meant."""
    channels = settings.channels
    out = set(channels.exclude)
    told = [
        f"channels.{name}: {login} is also in channels.exclude, which wins"
        for name in ("include", "priority")
        for login in getattr(channels, name)
        if login in out
    ]
    if not channels.followed and not channels.include:
        told.append("channels: nothing is wanted: followed is false and include is empty")
    notify = settings.notify
    if not notify.urls and (notify.events or notify.quiet_hours or notify.digest):
        told.append("notify: nothing is sent while urls is empty")
    if notify.digest and notify.events and "digest" not in notify.events:
        told.append('notify.digest: no digest is sent: events does not name "digest"')
    told += [
        f"wish[{place}]: auto needs max_cost, so that a raised price is not paid unseen; it is told, and not bought"
        for place, wish in enumerate(settings.wish, 1)
        if wish.auto and wish.max_cost is None
    ]
    return [*told, *_strangers(settings)]


def _strangers(settings: Settings) -> Iterator[str]:
    """Endpoints that are nobody's we know: a config from elsewhere may have them, and they are given the tokens."""
    for name, owner in (("oauth", TWITCH), ("helix", TWITCH), ("irc", TWITCH), ("streamelements", ELEMENTS)):
        host = host_of(getattr(settings.endpoints, name))
        if not is_loopback(host) and host != owner and not host.endswith(f".{owner}"):
            told = f"{host} is not of {owner}, and is sent your sign-in; remove the line if it is not yours"
            yield f"endpoints.{name}: {told}"


def _dotted(path: tuple[Step, ...]) -> str:
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text
