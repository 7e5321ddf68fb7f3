"""The support bundle: what somebody who helps needs to see, and nothing that they must not.

Theory. A bundle is a list of named parts. Each is read for itself: one that cannot be read says why, and the others
are there all the same, for a bundle is made when something is broken. All go through one `Redaction`. The same input
gives the same bytes: names are sorted, times are fixed, and what changes by itself is left out.

Who is named in a log can be told only by the database. Of lines from before it began, and of all where it cannot be
read, only those of parts of the program that know no channel are kept.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
import locale
import os
import platform
import re
import shutil
import stat
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import apsw

from allthepoints._version import __version__
from allthepoints.base.errors import AllThePointsError, FaultError
from allthepoints.base.types import JSON
from allthepoints.config import load
from allthepoints.config.environment import PREFIX
from allthepoints.config.paths import ConfigPath, DataDir
from allthepoints.config.show import to_plain
from allthepoints.operation.aliases import Redaction, aliases
from allthepoints.storage.anatomy import Known, anatomy, known
from allthepoints.storage.read import Reader
from allthepoints.views.plain import event_plain, status_plain
from allthepoints.views.report import read_report

EVENTS = 500
LOG_BYTES = 400_000
"""Of each log file, its end."""

FILES = 500

NAMELESS = ("allthepoints.wiring:", "allthepoints.storage", "allthepoints.service.recorder:", "allthepoints.cli.run:")
"""Beginnings of the names of loggers that know no channel."""

MANIFEST = "MANIFEST.txt"

ABOUT = """This was made by `allthepoints support-bundle`.

There are no tokens, passwords, access codes or addresses of notifications in it. {names}
MANIFEST.txt lists every part with its size and SHA-256. Look through it before you give it to anybody.
"""
ALIASED = "The account and the channels have aliases, the same in all parts."
NAMED = "The account and the channels stand in it by their names."


@dataclass(frozen=True, slots=True)
class Part:
    """`problem`: why it is not what it should be; then `data` says so too."""

    name: str
    data: bytes
    problem: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Asked:
    """`checkup`: the doctor's findings as JSON; None where he was not asked."""

    config: ConfigPath
    data: DataDir
    environ: Mapping[str, str]
    checkup: JSON = None
    with_names: bool = False


def collect(asked: Asked) -> tuple[Part, ...]:
    """All parts by name, the manifest among them. Raises nothing on purpose."""
    files = _listed(asked)  # before a database is opened, which may leave files beside it
    try:
        found, unknown = known(asked.data.database), ""
    except AllThePointsError as error:
        found, unknown = Known({}), str(error)
    redaction = _redaction(asked, found)

    def with_channels(make: Callable[[], JSON]) -> Callable[[], JSON]:
        """Of those whose names cannot be told, nothing is told."""
        return make if asked.with_names or not unknown else lambda: _left_out(unknown)

    makers: dict[str, Callable[[], JSON]] = {
        "README.txt": lambda: ABOUT.format(names=NAMED if asked.with_names else ALIASED),
        "machine.json": lambda: _machine(asked),
        "config.json": lambda: to_plain(load.load(asked.config.path, asked.config.named).settings),
        "status.json": with_channels(lambda: status_plain(read_report(asked.data))),
        "events.json": with_channels(lambda: [*map(event_plain, Reader(asked.data.database).events(EVENTS))]),
        "database.json": lambda: anatomy(asked.data.database),
        "files.json": lambda: files,
    }
    if asked.checkup is not None:
        makers["doctor.json"] = lambda: asked.checkup
    begins = inf if found.since is None else found.since
    for path in _logs(asked.data.log):
        makers[f"logs/{path.name}"] = partial(_tail, path, None if asked.with_names else begins)
    parts = [_part(name, make, redaction) for name, make in sorted(makers.items())]
    return (Part(MANIFEST, "".join(f"{line}\n" for line in manifest(parts)).encode()), *parts)


def manifest(parts: Iterable[Part]) -> list[str]:
    """SHA-256, bytes and name of each part, and what is wrong with it."""
    return [
        f"{part.sha256}  {len(part.data):>8}  {part.name}{f'  ({part.problem})' if part.problem else ''}"
        for part in parts
        if part.name != MANIFEST
    ]


def zipped(parts: Iterable[Part]) -> bytes:
    """The parts as a zip. The same parts give the same bytes."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for part in sorted(parts, key=lambda part: part.name):
            entry = zipfile.ZipInfo(part.name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            entry.external_attr = (stat.S_IFREG | 0o600) << 16
            out.writestr(entry, part.data)
    return data.getvalue()


def _left_out(why: str) -> JSON:
    raise FaultError(f"{why}. So nobody can tell whose names stand in this; --with-names has it")


def _part(name: str, make: Callable[[], JSON], redaction: Redaction) -> Part:
    problem = ""
    try:
        made = make()
    except Exception as error:  # whatever it is, the other parts are wanted
        ours = isinstance(error, AllThePointsError)
        problem = redaction.text(str(error) if ours else f"{type(error).__name__}: {error}").split("\n")[0]
        made = {"error": problem}
    text = isinstance(made, str)
    told = redaction.text(str(made)) if text else json.dumps(redaction.plain(made), ensure_ascii=False, indent=1) + "\n"
    return Part(name, told.encode("utf-8", "backslashreplace"), problem)


# -- what is cut, and what is renamed ----------------------------------------------------------------------------------
def _redaction(asked: Asked, found: Known) -> Redaction:
    raw = _raw_config(asked.config.path)
    home = str(Path(asked.environ.get("HOME") or Path.home()))
    places = {str(asked.config.path): "<config>", str(asked.data.path): "<data>"}
    places |= {home: "~"} if len(home) > 1 else {}
    secrets = tuple(_secrets(asked, raw))
    if asked.with_names:
        return Redaction(secrets, places)
    account = (*found.account, *_account(asked))
    words, phrases = aliases(found.names, account, (*found.others, *_names_in(raw)))
    words |= {"": ""}  # names are looked for, also where none is known
    numbers = {channel: number for number, channel in enumerate(found.names, 1)}
    for channel, currency in sorted((found.currencies or {}).items()):
        if len(currency) > 3 and currency.lower() not in {"points", *words}:
            phrases.setdefault(currency, f"currency-of-channel-{numbers.get(channel, 0)}")
    for number, host in enumerate(_strings(raw.get("dashboard", {}), "hosts"), 1):
        phrases.setdefault(host, f"host-{number}")
    return Redaction(secrets, places, words, phrases)


def _secrets(asked: Asked, raw: Mapping[str, Any]) -> Iterator[str]:
    """Everything that is known to be secret, as it stands."""
    for name, value in asked.environ.items():
        if name.startswith(PREFIX) and ("TOKEN" in name or "SECRET" in name or "JWT" in name):
            yield from filter(None, (value, value.strip(), value.strip().removeprefix("oauth:")))
    yield from filter(None, _strings(raw.get("notify", {}), "urls"))
    for path in (asked.data.tokens, asked.data.jwt, asked.data.password):
        try:
            yield from re.findall(r"[A-Za-z0-9._~+/=-]{16,}", path.read_text("utf-8", "replace"))
        except OSError:
            continue


def _account(asked: Asked) -> Iterator[str]:
    """Whose sign-in it is, also where nothing was recorded yet."""
    try:
        stored = json.loads(asked.data.tokens.read_bytes())
    except (OSError, ValueError, RecursionError):
        stored = {}
    if isinstance(stored, dict):
        yield from (str(stored[key]) for key in ("login", "user_id") if stored.get(key))
    yield from re.findall(r"\b(?:as|is) ([A-Za-z0-9_]{1,25})'s\b", json.dumps(asked.checkup, ensure_ascii=False))


def _raw_config(path: Path) -> dict[str, Any]:
    """What stands in the config file, right or wrong. A file that is no TOML: every word in quotes may be anything."""
    try:
        text = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError:
        return {}
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        words = [word[1:-1] for word in re.findall(r"'[^'\n]+'|\"[^\"\n]+\"", text)]
        return {"notify": {"urls": [word for word in words if "://" in word]}, "channels": {"include": words}}


def _names_in(raw: Mapping[str, Any]) -> list[str]:
    channels, wishes = raw.get("channels"), raw.get("wish")
    found = [name for value in (channels.values() if isinstance(channels, dict) else ()) for name in _texts(value)]
    for wish in wishes if isinstance(wishes, list) else ():
        found += _texts(wish.get("channel")) if isinstance(wish, dict) else []
    return [name.strip().lstrip("#@").rpartition("/")[2] for name in found if len(name) < 100]


def _strings(table: object, key: str) -> list[str]:
    return _texts(table.get(key)) if isinstance(table, dict) else []


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [entry for entry in value if isinstance(entry, str) and entry]
    return [value] if isinstance(value, str) and value else []


# -- the parts ---------------------------------------------------------------------------------------------------------
def _machine(asked: Asked) -> JSON:
    environ = asked.environ
    return {
        "allthepoints": __version__,
        "python": sys.version,
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "bits": 64 if sys.maxsize > 2**32 else 32,
        "processors": os.cpu_count(),
        "sqlite": apsw.sqlite_lib_version(),
        "libraries": _libraries(),
        "encoding": {"files": sys.getfilesystemencoding(), "text": locale.getpreferredencoding(False)},
        "environment": sorted(name for name in environ if name.startswith(PREFIX) and environ[name]),
        "locale": {name: environ[name] for name in ("LANG", "LC_ALL", "TZ") if name in environ},
        "proxies": sorted(
            name for name in environ if name.lower() in {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
        ),
        "under_systemd": "INVOCATION_ID" in environ,
        "in_a_container": any(Path(mark).exists() for mark in ("/run/.containerenv", "/.dockerenv")),
        "root": hasattr(os, "geteuid") and os.geteuid() == 0,
        "disk_free": _room(asked.data.path),
    }


def _libraries() -> dict[str, JSON]:
    """The versions of what we are made with."""
    try:
        needed = importlib.metadata.requires("allthepoints") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    names = sorted({re.split(r"[^A-Za-z0-9._-]", line)[0] for line in needed if "extra ==" not in line})
    found: dict[str, JSON] = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def _room(path: Path) -> str:
    """Roughly: the exact number is another one each time."""
    try:
        free = shutil.disk_usage(path).free
    except OSError:
        return "unknown"
    steps = ((10_000_000, "less than 10 MB"), (100_000_000, "less than 100 MB"), (1_000_000_000, "less than 1 GB"))
    return next((words for limit, words in steps if free < limit), "1 GB or more")


def _listed(asked: Asked) -> JSON:
    """Every file of ours: where, how big, for whom."""
    paths = sorted(asked.data.path.rglob("*"))[:FILES] if asked.data.path.is_dir() else []
    rows = [row for path in paths if (row := _file(path, str(path.relative_to(asked.data.path)))) is not None]
    config = _file(asked.config.path, "<config>")
    return [*([config] if config else []), *rows]


def _file(path: Path, name: str) -> dict[str, JSON] | None:
    try:
        seen = path.lstat()
    except OSError:
        return None
    if name.endswith("-shm") or (name.endswith("-wal") and not seen.st_size):
        return None  # who reads a database makes these
    mine = not hasattr(os, "geteuid") or seen.st_uid == os.geteuid()
    kind = "folder" if stat.S_ISDIR(seen.st_mode) else "link" if stat.S_ISLNK(seen.st_mode) else "file"
    size = None if kind == "folder" else seen.st_size
    return {"path": name, "type": kind, "mode": f"{stat.S_IMODE(seen.st_mode):04o}", "bytes": size, "mine": mine}


def _logs(log: Path) -> list[Path]:
    return sorted(path for path in log.parent.glob(f"{log.name}*") if path.is_file())


def _tail(path: Path, since: float | None) -> str:
    """The end of a log. `since`: of what is older, only lines of NAMELESS; None: everything."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_BYTES))
        if file.tell():
            file.readline()  # half a line
        lines = file.read().decode("utf-8", "replace").splitlines(keepends=True)
    kept, keeps = [], False
    for line in lines:
        if at := _AT.match(line):
            keeps = since is None or _moment(at[1]) >= since or at[2].startswith(NAMELESS)
        if keeps or since is None:
            kept.append(line)
    if left := len(lines) - len(kept):
        kept.append(f"({left} lines are left out: whose names are in them cannot be told. --with-names has them.)\n")
    return "".join(kept)


_AT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+)Z [A-Z]+ (\S+)")


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
