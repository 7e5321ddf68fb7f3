"""Files that are never seen half written, and damaged ones that are kept under another name.

A file is replaced by writing a new one beside it, flushing that to the disk, renaming it over the old one, and flushing
the folder: whoever looks, and whenever the machine dies, finds the old content or the new one, never a part.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

_SPECIAL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def write_atomically(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace the content of `path`; a link is followed. The file has `mode` from its first byte. Raises OSError."""
    target = Path(os.path.realpath(path))
    drop_leftovers(target, "new")
    fresh = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        _write(fresh, data, mode)
        os.replace(fresh, target)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    flush_folder(target.parent)


def set_aside(path: Path, *companions: Path) -> Path:
    """Rename a file that cannot be used to `<name>.unreadable-<UTC time of its last change>`; answers the new path.

    `companions` (a database's journal) keep their ending behind the new name. Nothing is overwritten. Raises OSError.
    """
    stamp = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y%m%dT%H%M%SZ")
    name = f"{path.name}.unreadable-{stamp}"
    aside, turn = path.with_name(name), 1
    while aside.exists():
        turn += 1
        aside = path.with_name(f"{name}-{turn}")
    os.rename(path, aside)
    for companion in companions:
        if companion.exists():
            os.rename(companion, path.with_name(aside.name + companion.name.removeprefix(path.name)))
    flush_folder(path.parent)
    return aside


def drop_leftovers(target: Path, ending: str) -> None:
    """Remove `<target>.<pid>.<ending>` of processes that are gone: one that was killed while writing leaves its new
    file, perhaps with a secret, and will not come for it."""
    for leftover in target.parent.glob(f"{_plain(target.name)}.*.{ending}"):
        pid = leftover.name.removeprefix(target.name + ".").removesuffix(f".{ending}")
        if pid.isdecimal() and not _lives(int(pid)):
            leftover.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Make a rename in `folder` durable. Windows has no such call and does it by itself."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, data: bytes, mode: int) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SPECIAL, mode)
    with open(handle, "wb") as file:
        if hasattr(os, "fchmod"):  # the umask may have taken bits away that the old file had
            os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _plain(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _lives(pid: int) -> bool:
    if os.name == "nt":
        return True  # signal 0 would end it there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
