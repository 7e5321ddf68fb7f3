"""Files of other programs: a `config.json` as small bots have it, or a plain list of channels.

Theory. What is in such a file is other people's: it may be huge, binary, nested without end, or hold a token in any
place. So it is read to a bound, all that is wrong with it is told at once with its place, and a value is quoted in a
message only where a channel's name was expected and the text does not look like a secret or a setting.
`false`, `0` and `[]` are values like any other; what is missing is `null`, or not there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]
from typing import Any

from allthepoints.base.errors import ConfigError
from allthepoints.base.types import Login
from allthepoints.config.kinds import Bad, Context, login, shown
from allthepoints.config.load import names_secret
from allthepoints.config.settings import keys_of

MOST_BYTES = 256 * 1024
MOST_CHANNELS = 5_000
_TOLD = 20
"""Problems named at once."""

TAKEN, NOT_NEEDED, NOT_TAKEN, IGNORED = "taken", "not_needed", "not_taken", "ignored"
"""What became of a thing. NOT_TAKEN: it is a secret."""

_LOGIN = "Run `allthepoints login`"
_NEVER = "a secret never stands in the config"
_SECRETS = {
    "oauth_token": f"{_NEVER}. {_LOGIN}; a machine without a person gives it as ALLTHEPOINTS_TWITCH_TOKEN",
    "client_secret": (
        f"{_NEVER}. An app that is registered as Public needs none: {_LOGIN.lower()}; for another one give it as "
        "ALLTHEPOINTS_TWITCH_CLIENT_SECRET"
    ),
}
_OTHER_SECRET = f"{_NEVER}. {_LOGIN}, or give it in the environment"
_NAMES = 'Write one name a line, or ["alpha", "beta"] in JSON. A comment begins with "# ".'
_TOML = re.compile(r"^[ \t]*\[\[?[A-Za-z_][\w.-]*\]\]?[ \t]*(#.*)?\r?$", re.MULTILINE)
_SETTING = re.compile(r"[=:]")
_ADDRESS = re.compile(r"(?i)https?://|(www\.|m\.)?twitch\.tv/")


@dataclass(frozen=True, slots=True)
class Remark:
    """What became of one thing in the file. `text` says why."""

    line: int
    what: str
    outcome: str
    text: str


@dataclass(slots=True)
class Found:
    """What the file says that a config can say. `form`: "json" or "names". `live` in seconds."""

    form: str
    client_id: tuple[int, str] | None = None
    live: tuple[int, float] | None = None
    logins: list[tuple[int, Login]] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


def read_foreign(data: bytes, name: str) -> Found:
    """What `data` says; `name` is what messages call it. Raises ConfigError, with every problem and its cure."""
    text = _text(data, name)
    begin = text.lstrip()[:1]
    if head := _TOML.search(text):
        raise ConfigError(
            f"{name}:{_line(text, head.start())}: this is TOML, as the config itself is",
            "Use it with --config, or copy it to where `allthepoints config path` says.",
        )
    reading = _Reading(name, Found("json" if begin in ("{", "[") else "names"))
    if reading.found.form == "json":
        reading.json(_checked_json(text, name))
    else:
        reading.names(text)
    if reading.problems:
        problems = reading.problems[:_TOLD]
        left = len(reading.problems) - len(problems)
        more = (f"{name}: and {left} more",) if left else ()
        raise ConfigError("\n".join((*(p for p, _ in problems), *more)), _cures(problems))
    if len(reading.found.logins) > MOST_CHANNELS:
        raise ConfigError(
            f"{name}: {len(reading.found.logins):,} channels are named here; {MOST_CHANNELS:,} can be taken at most",
            "An account is in 100 chats at a time. Leave out who is never live.",
        )
    return reading.found


class _Reading:
    """One pass over a file, gathering what it says and what is wrong with it."""

    def __init__(self, name: str, found: Found) -> None:
        self.found = found
        self.problems: list[tuple[str, str]] = []
        self._name = name

    # -- JSON ----------------------------------------------------------------------------------------------------------
    def json(self, text: str) -> None:
        start = _past_space(text, 0)
        if text[start] == "[":
            self._channels("", _entries(text, start))
            return
        kinds: dict[str, Callable[[int, Any], None]] = {
            "client_id": self._client_id,
            "wait_time": self._wait_time,
            "bot_username": lambda at, _: self._no_need(at, "bot_username", "the sign-in says who you are"),
            "verbose": self._verbose,
        }
        members = list(_members(text, start))
        last = {key: at for at, (_, key, _) in enumerate(members)}
        for at, (begin, key, value) in enumerate(members):
            line = _line(text, begin)
            if last[key] != at:
                self._remark(line, _called(key), IGNORED, "it is there once more below, and the last one counts")
            elif key in _SECRETS:
                self._remark(line, key, NOT_TAKEN, _SECRETS[key])
            elif value is None:
                self._remark(line, _called(key), IGNORED, "null says nothing")
            elif key == "channels":
                self._named_channels(text, line, begin, value)
            elif key in kinds:
                kinds[key](line, value)
            elif names_secret(key):
                self._remark(line, _called(key), NOT_TAKEN, _OTHER_SECRET)
            else:
                self._remark(line, _called(key), IGNORED, "not a key that is known here")

    def _named_channels(self, text: str, line: int, begin: int, value: object) -> None:
        if not isinstance(value, list):
            self._problem(line, f'channels: expected a list such as ["alpha"], found {_kind(value)}', "")
            return
        if not value:
            self._remark(line, "channels", TAKEN, "the list is empty, so there is nothing to add")
        at = _past_space(text, scanstring(text, begin + 1)[1])
        self._channels("channels", _entries(text, _past_space(text, at + 1)))

    def _channels(self, key: str, entries: Iterator[tuple[int, Any]]) -> None:
        for place, (line, entry) in enumerate(entries, 1):
            where = f"{key}[{place}]"
            if isinstance(entry, str):
                self._channel(line, entry, f"{where}: ")
            else:
                self._problem(line, f"{where}: expected a name in quotes, found {_kind(entry)}", _NAMES)

    def _client_id(self, line: int, value: object) -> None:
        if value == "":
            self._remark(line, "client_id", IGNORED, "it is empty")
            return
        try:
            read = keys_of("twitch")["client_id"].kind.read(value, Context(lambda _: True, lambda _: None))
        except Bad:
            self._problem(
                line, "client_id: expected a client id: letters and digits", "Copy it from the page of your app."
            )
            return
        self.found.client_id = line, str(read)

    def _wait_time(self, line: int, value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._problem(line, f"wait_time: expected seconds, found {_kind(value)}", "Write a number, such as 60.")
        elif not 0 <= value < 10**9:
            self._problem(line, f"wait_time: expected seconds, found {shown(value)}", "Write a number, such as 60.")
        else:
            self.found.live = line, float(value)

    def _verbose(self, line: int, value: object) -> None:
        told = "it says little by itself" if value in (False, 0) else "`allthepoints run --verbose` says more"
        self._no_need(line, "verbose", told)

    # -- names ---------------------------------------------------------------------------------------------------------
    def names(self, text: str) -> None:
        for line, whole in enumerate(text.splitlines(), 1):
            row = re.split(r"\s#(?=\s|\Z)", whole, maxsplit=1)[0].strip()
            if not row:
                if whole.strip():
                    self._remark(line, "#", IGNORED, "a comment")
                continue
            parts = [part.strip() for part in row.split(",")]
            if row.startswith("#") and not all(re.fullmatch(r"#[^\s#]+", part) for part in parts if part):
                self._remark(line, "#", IGNORED, "a comment")
                continue
            for part in parts:
                if part:
                    self._channel(line, part.strip("\"'"), "")

    def _channel(self, line: int, entry: str, where: str) -> None:
        if _SETTING.search(entry) and not _ADDRESS.match(entry):
            self._problem(line, f"{where}a setting seems to stand here, where a channel's name is expected", _NAMES)
            return
        try:
            self.found.logins.append((line, Login(login(entry))))
        except Bad as bad:
            cure = "One name a line, or commas between them." if re.search(r"\S\s+\S", entry) else ""
            self._problem(line, f"{where}{bad.text}", "Take it out of the file." if bad.secret else cure)

    # -- what is told --------------------------------------------------------------------------------------------------
    def _no_need(self, line: int, what: str, why: str) -> None:
        self._remark(line, what, NOT_NEEDED, why)

    def _remark(self, line: int, what: str, outcome: str, text: str) -> None:
        self.found.remarks.append(Remark(line, what, outcome, text))

    def _problem(self, line: int, text: str, cure: str) -> None:
        self.problems.append((f"{self._name}:{line}: {text}", cure))


def _text(data: bytes, name: str) -> str:
    if len(data) > MOST_BYTES:
        raise ConfigError(f"{name}: this is too large for a config or a list of channels", _NAMES)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigError(f"{name}:1: this is UTF-16", "Save the file as UTF-8.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}:{line}: this is not UTF-8", "Save the file as UTF-8.") from None
    if odd := re.search(r"[\x00-\x08\x0e-\x1f\x7f]", text):
        raise ConfigError(f"{name}:{_line(text, odd.start())}: this is not text", _NAMES)
    if not text.strip():
        raise ConfigError(f"{name}: there is nothing in it", _NAMES)
    return text


# -- JSON with places --------------------------------------------------------------------------------------------------
def _checked_json(text: str, name: str) -> str:
    try:
        json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise ConfigError(f"{name}: this is nested too deeply", "A config is flat.") from None
    except JSONDecodeError as error:
        what = f"{error.msg[:1].lower()}{error.msg[1:]}"
        raise ConfigError(
            f"{name}:{error.lineno}: this is not JSON: {what}, column {error.colno}",
            "Text stands in double quotes, and no comma before a closing bracket.",
        ) from None
    except ValueError:
        raise ConfigError(f"{name}: it holds a number that is none", "Write seconds such as 60.") from None
    return text


def _members(text: str, start: int) -> Iterator[tuple[int, str, Any]]:
    """Where each key of a JSON object stands, the key, and its value. The text was checked."""
    at = _past_space(text, start + 1)
    while text[at] != "}":
        begin = at
        key, at = scanstring(text, begin + 1)
        at = _past_space(text, _past_space(text, at) + 1)
        value, at = _DECODER.raw_decode(text, at)
        yield begin, key, value
        at = _past_space(text, at)
        at = _past_space(text, at + 1) if text[at] == "," else at


def _entries(text: str, start: int) -> Iterator[tuple[int, Any]]:
    """The line of each entry of a JSON list, and the entry."""
    at = _past_space(text, start + 1)
    while text[at] != "]":
        line = _line(text, at)
        value, at = _DECODER.raw_decode(text, at)
        yield line, value
        at = _past_space(text, at)
        at = _past_space(text, at + 1) if text[at] == "," else at


_DECODER = json.JSONDecoder()


def _past_space(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t", "\n", "\r"):
        at += 1
    return at


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _no_number(_: str) -> float:
    raise ValueError


def _kind(value: object) -> str:
    """What it is, and never what it says."""
    if isinstance(value, str):
        return "a text"
    return "nothing" if value is None else shown(value)


def _called(key: str) -> str:
    """A key of theirs for a message."""
    return key if re.fullmatch(r"[a-z_]{1,40}", key) else shown(key)


def _cures(problems: list[tuple[str, str]]) -> str:
    return "\n".join(dict.fromkeys(cure for _, cure in problems if cure))
