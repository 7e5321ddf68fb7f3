"""Changes to the person's own config file that keep every comment, and never leave a file that cannot be used."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import tomlkit
import tomlkit.exceptions

from allthepoints.base.errors import ConfigError
from allthepoints.base.files import write_atomically
from allthepoints.base.types import Login, as_login
from allthepoints.config.keys import with_logins, with_value
from allthepoints.config.load import load, parse
from allthepoints.config.wishes import WishChange, changed

__all__ = ["Change", "Listed", "Value", "WishChange", "edit", "edited"]

LISTS = ("include", "exclude", "priority", "paused")
"""The keys of [channels] that can be edited."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Change:
    """Have `login` in the list `key` of [channels], or not have it there."""

    key: str
    login: Login
    present: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """Have the list `key` of [channels] name exactly these, in this order."""

    key: str
    logins: tuple[Login, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """Have `key` of [section] be `value`, as TOML."""

    section: str
    key: str
    value: str


AnyChange = TypeVar("AnyChange", bound=Change | Listed | Value | WishChange)


def edit(path: Path, changes: Sequence[AnyChange], fresh: str = "") -> tuple[AnyChange, ...]:
    """Make the changes in the file at `path`, which is made if it is missing; answers those that were not so already.

    `fresh`: what a file that is missing begins with. A file that cannot be used stays as it is. Raises ConfigError.
    """
    before, after, made = edited(path, changes, fresh)
    if after != before:
        _write(path, after)
    return made


def edited(path: Path, changes: Sequence[AnyChange], fresh: str = "") -> tuple[str, str, tuple[AnyChange, ...]]:
    """The same without a trace: what the file says ("" if it is missing), what it would say, and what would be new."""
    load(path, named=False)
    before, found = _read(path)[0], path.exists()
    after = before if found else fresh
    made: list[AnyChange] = []
    try:
        after = _lists(after, [c for c in changes if isinstance(c, Change | Listed)], made.append)
        for change in changes:
            if isinstance(change, Change | Listed):
                continue
            if (text := _changed(after, path, change)) is not None:
                after = text
                made.append(change)
    except (ValueError, tomlkit.exceptions.TOMLKitError) as error:
        raise ConfigError(f"{path}: cannot be edited: it is written in an unusual way", "Edit it by hand.") from error
    if made or after != before:
        _see_that_it_says(after, path, made)
    return before, after, tuple(made)


def _lists(text: str, changes: Sequence[Any], done: Callable[[Any], None]) -> str:
    """All changes of lists at once: an import may bring two thousand names."""
    channels = tomllib.loads(text).get("channels", {}) if changes else {}
    now: dict[str, list[Login]] = {}
    touched: list[str] = []
    for change in changes:
        if change.key not in LISTS:
            raise AssertionError(change.key)
        names = now.setdefault(change.key, list(dict.fromkeys(map(as_login, channels.get(change.key, [])))))
        if isinstance(change, Listed):
            wanted = list(dict.fromkeys(change.logins))
        elif change.present and change.login not in names:
            wanted = [*names, change.login]
        elif not change.present:
            wanted = [name for name in names if name != change.login]
        else:
            wanted = names
        if wanted != names:
            now[change.key] = wanted
            touched.append(change.key)
            done(change)
    for key in dict.fromkeys(touched):
        text = with_logins(text, "channels", key, tuple(now[key]))
    return text


def _changed(text: str, path: Path, change: Value | WishChange) -> str | None:
    """The text with the change; None where it is so already."""
    document = _document(text, path)
    if isinstance(change, WishChange):
        return changed(document, text, change)
    fresh = with_value(text, change.section, change.key, change.value)
    return fresh if tomllib.loads(fresh) != tomllib.loads(text) else None


def _see_that_it_says(text: str, path: Path, made: Sequence[Change | Listed | Value | WishChange]) -> None:
    """Nothing is written that cannot be read, or that does not say what was asked last of each wish."""
    try:
        settings = parse(text, str(path)).settings
    except ConfigError as error:
        raise ConfigError(f"{path}: cannot be edited: {error}", "Edit it by hand.") from error
    wishes = {(wish.channel, wish.item.casefold()): wish for wish in settings.wish}
    for change in {(c.channel, c.item.casefold()): c for c in made if isinstance(c, WishChange)}.values():
        wish = wishes.get((change.channel, change.item.casefold()))
        said = wish is not None and all(getattr(wish, key) == value for key, value in change.options.items())
        if (wish is not None) != change.present or (change.present and not said):
            raise ConfigError(f"{path}: cannot be edited: its [[wish]] tables are unusual", "Edit it by hand.")


def _write(path: Path, text: str) -> None:
    _, mode, bom = _read(path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, bom + text.encode(), mode)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be written: {error.strerror}",
            "The file and its folder must be writable (in a container: mount the folder, not the file).",
        ) from error


def _read(path: Path) -> tuple[str, int, bytes]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return "", 0o600, b""
    bom = _BOM if data.startswith(_BOM) else b""
    return data.removeprefix(bom).decode(), stat.S_IMODE(path.stat().st_mode), bom


def _document(text: str, path: Path) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except tomlkit.exceptions.TOMLKitError as error:
        raise ConfigError(f"{path}: cannot be edited: {error}", "Edit it by hand.") from error
