"""Changes to the person's own config file that keep every comment, and never leave a file that cannot be used."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import tomlkit
import tomlkit.exceptions

from allthepoints.base.errors import ConfigError
from allthepoints.base.files import write_atomically
from allthepoints.base.types import Login, NotALogin, as_login
from allthepoints.config.load import load, parse
from allthepoints.config.wishes import WishChange, changed

__all__ = ["Change", "WishChange", "edit"]

LISTS = ("include", "exclude", "priority", "paused")
"""The keys of [channels] that can be edited."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Change:
    """Have `login` in the list `key` of [channels], or not have it there."""

    key: str
    login: Login
    present: bool = True


AnyChange = TypeVar("AnyChange", Change, WishChange)


def edit(path: Path, changes: Sequence[AnyChange]) -> tuple[AnyChange, ...]:
    """Make the changes in the file at `path`, which is made if it is missing; answers those that were not so already.

    A file that cannot be used stays as it is. Raises ConfigError.
    """
    load(path, named=False)
    before, mode, bom = _read(path)
    after, made = before, []
    for change in changes:
        if (text := _changed(after, path, change)) is not None:
            after = text
            made.append(change)
    if not made:
        return ()
    _see_that_it_says(after, path, made)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, bom + after.encode(), mode)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be written: {error.strerror}",
            "The file and its folder must be writable (in a container: mount the folder, not the file).",
        ) from error
    return tuple(made)


def _changed(text: str, path: Path, change: Change | WishChange) -> str | None:
    """The text with the change; None where it is so already."""
    document = _document(text, path)
    if isinstance(change, WishChange):
        return changed(document, text, change)
    return tomlkit.dumps(document) if _apply(document, change) else None


def _see_that_it_says(text: str, path: Path, made: Sequence[Change | WishChange]) -> None:
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


def _apply(document: tomlkit.TOMLDocument, change: Change) -> bool:
    if change.key not in LISTS:
        raise ValueError(change.key)
    if change.present:
        return _add(document, change)
    entries = document.get("channels", {}).get(change.key, [])
    places = [at for at, entry in enumerate(entries) if _login(entry) == change.login]
    for at in reversed(places):
        del entries[at]
    return bool(places)


def _add(document: tomlkit.TOMLDocument, change: Change) -> bool:
    if "channels" not in document:
        document["channels"] = tomlkit.table()
    channels: Any = document["channels"]
    if change.key not in channels:
        channels[change.key] = tomlkit.array()
    entries = channels[change.key]
    if any(_login(entry) == change.login for entry in entries):
        return False
    entries.append(str(change.login))
    return True


def _login(entry: object) -> Login | None:
    try:
        return as_login(str(entry))
    except NotALogin:
        return None
