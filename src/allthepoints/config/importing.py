"""What another program's file says, taken into the person's own config: only what is not there yet comes in."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from allthepoints.base.addresses import host_of, is_loopback
from allthepoints.base.types import Login
from allthepoints.config.durations import format_duration, parse_duration
from allthepoints.config.edit import Change, Value, edit, edited
from allthepoints.config.foreign import TAKEN, Found, Remark
from allthepoints.config.kinds import Bad, Context, Duration, quote
from allthepoints.config.load import load, text_of
from allthepoints.config.settings import Settings, keys_of
from allthepoints.config.starter import starter

KEPT = "kept"
"""What became of something that the config says already, in its own way."""


@dataclass(frozen=True, slots=True)
class Import:
    """What an import does. `result`: the whole file where it is new, else the lines that come and go."""

    remarks: tuple[Remark, ...]
    added: tuple[Login, ...]
    changes: tuple[Change | Value, ...]
    result: str
    new_file: bool
    client_id_missing: bool
    followed: bool


def prepared(found: Found, path: Path) -> Import:
    """What taking `found` into the config at `path` comes to; nothing is written. Raises ConfigError."""
    settings = load(path, named=False).settings
    text = text_of(path)
    merge = _Merge(settings, tomllib.loads(text) if text is not None else {})
    merge.take(found)
    before, after, _ = edited(path, merge.changes, starter()) if merge.changes else ("", "", ())
    missing = not settings.twitch.client_id and not any(
        isinstance(c, Value) and c.key == "client_id" for c in merge.changes
    )
    remarks = sorted([*found.remarks, *merge.remarks], key=lambda remark: remark.line)
    return Import(
        tuple(remarks),
        tuple(change.login for change in merge.changes if isinstance(change, Change)),
        tuple(merge.changes),
        after if text is None else _difference(before, after),
        text is None,
        missing,
        settings.channels.followed,
    )


def carried_out(plan: Import, path: Path) -> bool:
    """Write it; answers whether there was anything to write. Raises ConfigError."""
    return bool(plan.changes) and bool(edit(path, plan.changes, starter()))


class _Merge:
    """What of a file is new to a config. `has`: the config's text, parsed."""

    def __init__(self, settings: Settings, has: Mapping[str, Any]) -> None:
        self.changes: list[Change | Value] = []
        self.remarks: list[Remark] = []
        self._settings = settings
        self._has = has

    def take(self, found: Found) -> None:
        if found.client_id is not None:
            line, client_id = found.client_id
            self._value(Remark(line, "client_id", TAKEN, ""), "twitch", "client_id", client_id)
        if found.live is not None:
            self._wait_time(*found.live)
        channels = self._settings.channels
        named: set[Login] = set()
        for line, login in found.logins:
            remark = Remark(line, login, KEPT, "named twice")
            if login not in named and login in channels.exclude:
                remark = replace(remark, text="your config excludes it, which stays")
            elif login not in named and login in channels.include:
                remark = replace(remark, text="in your config already")
            elif login not in named:
                self.changes.append(Change("include", login))
                remark = replace(remark, outcome=TAKEN, text="into channels.include")
            named.add(login)
            self.remarks.append(remark)

    def _wait_time(self, line: int, seconds: float) -> None:
        """As `poll.live`; what is too often for Twitch's hosts, or too seldom, becomes what is allowed."""
        kind = keys_of("poll")["live"].kind
        assert isinstance(kind, Duration)
        local = is_loopback(host_of(self._settings.endpoints.helix))
        text, note = format_duration(seconds), ""
        try:
            kind.read(text, Context(lambda _: local, lambda _: None))
        except Bad:
            low = seconds < 60
            text, note = (kind.lowest, ", the least that may be") if low else (kind.highest, ", the most that may be")
        self._value(Remark(line, "wait_time", TAKEN, note), "poll", "live", text)

    def _value(self, remark: Remark, section: str, key: str, value: str) -> None:
        """`remark.text`: what is said behind the name of the key."""
        there = self._has.get(section, {}).get(key)
        name = f"{section}.{key}"
        if there in (None, ""):
            self.changes.append(Value(section, key, quote(value)))
            shown = f" = {quote(value)}" if section == "poll" else ""
            self.remarks.append(replace(remark, text=f"as {name}{shown}{remark.text}"))
        elif there == value or (section == "poll" and parse_duration(str(there)) == parse_duration(value)):
            self.remarks.append(replace(remark, outcome=KEPT, text=f"{name} says so already"))
        else:
            self.remarks.append(replace(remark, outcome=KEPT, text=f"{name} says something else, which stays"))


def _difference(before: str, after: str) -> str:
    """The lines that go (-) and come (+). Others are not shown: addresses of notifications are secrets."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))
