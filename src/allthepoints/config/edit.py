"""Changes to the person's own config file that keep every comment, and never leave a file that cannot be used."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import tomlkit
import tomlkit.exceptions
import tomlkit.items

from allthepoints.base.errors import ConfigError
from allthepoints.base.files import write_atomically
from allthepoints.base.types import Login, NotALogin, as_login
from allthepoints.config.load import load, parse

LISTS = ("include", "exclude", "priority", "paused")
"""The keys of [channels] that can be edited."""

_WISH = frozenset({"channel", "item"})
"""What makes a wish that wish."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Change:
    """Have `login` in the list `key` of [channels], or not have it there."""

    key: str
    login: Login
    present: bool = True


@dataclass(frozen=True, slots=True)
class WishChange:
    """Have a [[wish]] of `item` in `channel`, with these other keys and no more; or not have it. `remark`: a comment
    behind the item, when it is added."""

    channel: Login
    item: str
    options: Mapping[str, bool | int] = field(default_factory=dict)
    present: bool = True
    remark: str = ""


AnyChange = TypeVar("AnyChange", Change, WishChange)


def edit(path: Path, changes: Sequence[AnyChange]) -> tuple[AnyChange, ...]:
    """Make the changes in the file at `path`, which is made if it is missing; answers those that were not so already.

    A file that cannot be used stays as it is. Raises ConfigError.
    """
    load(path, named=False)
    before, mode, bom = _read(path)
    document = _document(before, path)
    made = tuple(
        change
        for change in changes
        if (_apply_wish(document, change) if isinstance(change, WishChange) else _apply(document, change))
    )
    if not made:
        return ()
    after = tomlkit.dumps(document)
    parse(after, str(path))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, bom + after.encode(), mode)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be written: {error.strerror}",
            "The file and its folder must be writable (in a container: mount the folder, not the file).",
        ) from error
    return made


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


def _apply_wish(document: tomlkit.TOMLDocument, change: WishChange) -> bool:
    wishes: Any = document.get("wish")
    places = [at for at, entry in enumerate(wishes or ()) if _same_wish(entry, change)]
    if not change.present:
        for at in reversed(places):
            del wishes[at]
        if places and not wishes:
            del document["wish"]
        return bool(places)
    if places:
        return _set_options(wishes[places[0]], change.options)
    _add_wish(document, wishes, change)
    return True


def _add_wish(document: tomlkit.TOMLDocument, wishes: Any, change: WishChange) -> None:
    inline = isinstance(wishes, tomlkit.items.Array)  # wish = [{channel = ...}], as nobody writes it but a program
    entry: Any = tomlkit.inline_table() if inline else tomlkit.table()
    entry["channel"] = str(change.channel)
    entry["item"] = change.item
    if change.remark and not inline:
        entry["item"].comment(change.remark)
    _set_options(entry, change.options)
    if wishes is None:
        wishes = document["wish"] = tomlkit.aot()
    wishes.append(entry)


def _set_options(entry: Any, options: Mapping[str, bool | int]) -> bool:
    """Have these keys in a wish beside its channel and item; answers whether that was not so already."""
    before = {key: value for key, value in entry.unwrap().items() if key not in _WISH}
    if before == dict(options):
        return False
    for key in before.keys() - options.keys():
        del entry[key]
    for key, value in options.items():
        if before.get(key) != value:
            entry[key] = value
    return True


def _same_wish(entry: Any, change: WishChange) -> bool:
    named = str(entry.get("item", "")).strip().casefold() == change.item.casefold()
    return named and _login(entry.get("channel")) == change.channel


def _login(entry: object) -> Login | None:
    try:
        return as_login(str(entry))
    except NotALogin:
        return None
