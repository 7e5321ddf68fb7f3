"""What the doctor measures of this machine. All of it blocks, and is called on a thread; nothing is changed.

One probe file is written into the data directory, and removed. Files with secrets are read as they are: the service
closes them to others and sets damaged ones aside, the doctor only says so.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
from pathlib import Path

import msgspec

from allthepoints.base.addresses import is_loopback, listen_parts
from allthepoints.base.clock import Stopwatch, new_key
from allthepoints.base.errors import AllThePointsError
from allthepoints.config.load import load
from allthepoints.config.paths import ConfigPath, DataDir
from allthepoints.config.settings import Dashboard as Where
from allthepoints.config.settings import Settings
from allthepoints.core import checkup_here as c
from allthepoints.storage import jwtfile, lock, tokenfile

LARGEST_SECRET = 1 << 20
"""Bytes."""

ANSWER_WITHIN = 2.0
"""Seconds for our own dashboard to answer."""

FOLDER_CURE = "Remove the folder; in a container, mount the data directory instead."
TOKENS_CURE = "Sign in anew with `allthepoints login`."
JWT_CURE = "Give the JWT anew to `allthepoints login streamelements`."
PASSWORD_CURE = "Set it anew with `allthepoints dashboard password`."  # noqa: S105 -- a sentence


def look_at_config(path: ConfigPath, signed_in: bool) -> tuple[Settings | None, c.Config]:
    """The settings, if there are any that can be used. `signed_in`: then a client id is not asked for."""
    exists = os.path.exists(path.path)
    try:
        loaded = load(path.path, path.named)
    except AllThePointsError as error:
        return None, c.Config(str(path.path), exists, str(error), error.hint)
    has_id = signed_in or bool(loaded.settings.twitch.client_id)
    return loaded.settings, c.Config(str(path.path), exists, warnings=loaded.warnings, client_id=has_id)


# -- files ---------------------------------------------------------------------------------------------------------
def look_at_folder(path: Path) -> c.Folder:
    """The data directory: whose it is, who may use it, whether a probe file can be written."""
    parent = next(folder for folder in (path, *path.parents) if os.path.exists(folder))
    if parent != path:
        makeable = parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)
        return c.Folder(str(path), False, False, str(parent), makeable)
    if not path.is_dir():
        return c.Folder(str(path), is_folder=False)
    stat, mine = path.stat(), hasattr(os, "geteuid")
    return c.Folder(
        str(path),
        owner=stat.st_uid if mine else None,
        me=os.geteuid() if mine else None,
        mode=stat.st_mode & 0o777 if mine else None,
        error=_probe(path),
    )


def _probe(folder: Path) -> str:
    """Write a file and remove it. Answers why that did not work."""
    path = folder / f".doctor-{new_key()}.probe"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    try:
        os.write(handle, b"allthepoints doctor was here\n" * 150)  # a page of the disk: a full one takes no more
        os.fsync(handle)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    finally:
        os.close(handle)
        path.unlink(missing_ok=True)
    return ""


def look_at_secrets(data: DataDir) -> list[c.SecretFile]:
    """The files with secrets: who may read them, and whether they can be understood."""
    return [
        _secret(data.tokens, "token file", TOKENS_CURE),
        _secret(data.jwt, "file of the StreamElements JWT", JWT_CURE),
        _secret(data.password, "file of the dashboard's password", PASSWORD_CURE),
    ]


def _secret(path: Path, kind: str, cure: str) -> c.SecretFile:
    if path.is_dir():
        return c.SecretFile(
            str(path), kind, "Remove the folder, and mount the data directory instead.", error="is a folder"
        )
    try:
        data = read_secret(path)
        if data is None:
            return c.SecretFile(str(path), kind, cure, exists=False)
        mode = path.stat().st_mode & 0o777 if os.name != "nt" else None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        return c.SecretFile(str(path), kind, "Make it this user's own.", error=f"cannot be read ({why})")
    wrong = "" if _understood(path, data) else "cannot be understood"
    return c.SecretFile(str(path), kind, cure, mode=mode, error=wrong)


def read_secret(path: Path) -> bytes | None:
    """What is in the file, which is left as it is; None if there is none. Raises OSError."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_SECRET)
    except FileNotFoundError:
        return None


def _understood(path: Path, data: bytes) -> bool:
    try:
        if path.name == "tokens.json":
            tokenfile.decoded(data)
        elif path.name == "streamelements-token.json":
            return jwtfile.decoded(data) is not None
        else:
            return isinstance(msgspec.json.decode(data), dict)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return True


def look_at_disk(path: Path) -> c.Disk:
    """Room where the data directory is, or will be."""
    there = next(folder for folder in (path, *path.parents) if os.path.exists(folder))
    try:
        usage = shutil.disk_usage(there)
    except OSError as error:
        return c.Disk(str(path), error=(error.strerror or str(error)).lower())
    return c.Disk(str(path), usage.free, usage.total)


# -- what runs -----------------------------------------------------------------------------------------------------
def who_runs(data: DataDir) -> int | None:
    """The pid of the service; 0 if it cannot be told, None for nobody."""
    return lock.holder(data.lock)


def look_at_port(where: Where, data: DataDir, running: bool = False) -> c.Dashboard:
    """Whether the dashboard's port is free, or who answers there. `running`: then it is not even tried to be taken, for
    the service may be about to."""
    if not where.listen:
        return c.Dashboard("")
    host, port = listen_parts(where.listen)
    state, text = (c.Port.TAKEN, "") if running else _bind(host, port)
    if state is c.Port.TAKEN and ((listens := _who_listens(where, host, port)) is not c.Port.FREE or running):
        state = listens
    return c.Dashboard(where.listen, state, is_loopback(host), bool(where.hosts), data.password.exists(), text)


def _bind(host: str, port: int) -> tuple[c.Port, str]:
    """As the dashboard would, without listening."""
    try:
        for family, kind, number, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind, number) as one:
                if os.name == "posix":
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                one.bind(address)
    except OSError as error:
        text = (error.strerror or str(error)).lower()
        if error.errno == errno.EADDRINUSE:
            return c.Port.TAKEN, text
        return c.Port.FORBIDDEN if error.errno in {errno.EACCES, errno.EPERM} else c.Port.NO_ADDRESS, text
    return c.Port.FREE, ""


def _who_listens(where: Where, host: str, port: int) -> c.Port:
    """A dashboard of ours is known by its word on how it is, which it gives to anybody."""
    near = "127.0.0.1" if host in {"0.0.0.0", "localhost"} else "::1" if host == "::" else host  # noqa: S104
    name = f"[{near}]" if ":" in near else near
    request = f"GET {where.base_path}/healthz HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: close\r\n\r\n"
    watch, said = Stopwatch(), b""
    try:
        with socket.create_connection((near, port), ANSWER_WITHIN) as one:
            one.settimeout(ANSWER_WITHIN)
            one.sendall(request.encode())
            while len(said) < 8192 and watch.elapsed() < ANSWER_WITHIN and (more := one.recv(4096)):
                said += more
    except ConnectionRefusedError:
        return c.Port.FREE
    except OSError:
        return c.Port.TAKEN
    head, _, body = said.partition(b"\r\n\r\n")
    ours = b"content-security-policy: default-src 'none'" in head.lower() and body in {b"ok\n", b"not ok\n"}
    return c.Port.OURS if ours else c.Port.TAKEN
