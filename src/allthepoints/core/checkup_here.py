"""How the doctor judges this machine: config, files, database, disk, what runs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from allthepoints.core.checkup import Finding, fault, ok, size, span, warning

LITTLE_ROOM = 500 * 10**6
NO_ROOM = 50 * 10**6
"""Bytes free. A year of a big account takes some 100 MB; a migration copies the database first."""

QUIET = 180.0
"""Seconds without a sign of life (one is due every minute) after which a service that runs seems to be stuck."""


# -- the config --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Config:
    """The config file. `error`: why it cannot be used, a line for each problem."""

    path: str
    exists: bool = True
    error: str = ""
    hint: str = ""
    warnings: tuple[str, ...] = ()
    client_id: bool = True


def config(seen: Config) -> Finding:
    """Whether the config can be used."""
    if seen.error:
        text = f"The config cannot be used, so network and sign-in were not looked at. {_sentences(seen.error)}"
        return fault("config", text, seen.hint or "Mend the file; `allthepoints config check` tells if it is good.")
    there = f"{seen.path} can be used." if seen.exists else f"{seen.path} is not there; the defaults are used."
    if not seen.client_id:
        return warning(
            "config",
            _sentences(there, "It has no client id, without which nobody can sign in.", *seen.warnings),
            "Register an app of your own at dev.twitch.tv/console/apps and put its client id under [twitch]; "
            "`allthepoints login` tells how, step by step.",
        )
    if seen.warnings:
        return warning("config", _sentences(there, *seen.warnings), "Look at these lines of the file again.")
    return ok("config", there)


# -- files -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Folder:
    """The data directory. `parent`: where it would be made, the nearest folder that exists; `makeable`: whether it can.

    `owner`, `me` and `mode` are None where the system has none. `error`: why a probe file could not be written.
    """

    path: str
    exists: bool = True
    is_folder: bool = True
    parent: str = ""
    makeable: bool = True
    owner: int | None = None
    me: int | None = None
    mode: int | None = None
    error: str = ""


def folder(seen: Folder) -> Finding:
    """Whether the data directory can be used, and by whom."""
    name, other = "data_dir", "Choose another --data-dir"
    if not seen.exists:
        if seen.makeable:
            return ok(name, f"{seen.path} is not there yet; the first command that needs it makes it, for you alone.")
        return fault(
            name,
            f"{seen.path} is not there, and cannot be made: {seen.parent} is no folder that you may write.",
            f"Make it by hand for the user that runs the service, or: {other.lower()}.",
        )
    if not seen.is_folder:
        return fault(name, f"{seen.path} is a file, where the data directory is expected.", f"{other}.")
    if seen.error:
        mine = seen.me in {0, seen.owner}
        cure = f"Let this user write there (chmod u+rwx {seen.path})" if mine else _chown(seen)
        return fault(name, f"{seen.path} cannot be written: {seen.error}.", f"{cure}, or: {other.lower()}.")
    if seen.owner != seen.me:
        text = f"{seen.path} belongs to uid {seen.owner}, and you are uid {seen.me}: what you write there is yours."
        return warning(name, text, f"Run it as its owner, or give it to yourself: {_chown(seen)}.")
    if seen.mode is not None and seen.mode & 0o077:
        what = "change" if seen.mode & 0o022 else "look into"
        text = f"{seen.path} can be written, but other users of this machine may {what} it (mode {seen.mode:o})."
        return warning(name, text, f"chmod 700 {seen.path}")
    return ok(name, f"{seen.path} can be written" + ("." if seen.mode is None else ", and is yours alone."))


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file with a secret in it. `cure`: how one gets a new one. `error`: why it cannot be read or understood."""

    path: str
    kind: str
    cure: str
    exists: bool = True
    mode: int | None = None
    error: str = ""


def secret_files(seen: Sequence[SecretFile]) -> Finding:
    """Whether what is secret is for its owner only."""
    name = "secret_files"
    there = [one for one in seen if one.exists]
    if broken := [one for one in there if one.error]:
        return fault(
            name,
            " ".join(f"The {one.kind} {one.path} {one.error}." for one in broken),
            " ".join(dict.fromkeys(one.cure for one in broken)),
        )
    if open_ := [one for one in there if one.mode is not None and one.mode & 0o077]:
        return warning(
            name,
            " ".join(f"Other users may read the {one.kind} {one.path} (mode {one.mode:o})." for one in open_),
            f"chmod 600 {' '.join(one.path for one in open_)} (the service does it at its next start). If somebody "
            "may have read it, sign in anew.",
        )
    if not there:
        return ok(name, "There are none yet.")
    kinds = ", ".join(one.kind for one in there)
    return ok(name, f"{kinds[:1].upper()}{kinds[1:]}: for {'their' if len(there) > 1 else 'its'} owner only.")


class DatabaseState(StrEnum):
    """What stands where the database is expected."""

    MISSING = "missing"
    EMPTY = "empty"
    GOOD = "good"
    FOREIGN = "foreign"
    NEWER = "newer"
    OLDER = "older"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Database:
    """The database. `whole`: all of it was read. `text` and `hint`: what makes it unreadable."""

    path: str
    state: DatabaseState
    version: int = 0
    newest: int = 0
    size: int = 0
    whole: bool = True
    text: str = ""
    hint: str = ""


_FRESH = "Move the file away; the service starts with a fresh one. Copies of it end in .before-v…."


def database(seen: Database) -> Finding:
    """Whether the memory can be used, as far as reading tells."""
    name, there = "database", f"{seen.path} ({size(seen.size)})"
    match seen.state:
        case DatabaseState.MISSING:
            return ok(name, f"{seen.path} is not there yet; the first run makes it.")
        case DatabaseState.EMPTY:
            return ok(name, f"{seen.path} is empty; the service fills it at its next start.")
        case DatabaseState.FOREIGN:
            return fault(
                name,
                f"{seen.path} belongs to another program. The service would set it aside by name and begin anew.",
                "Choose another --data-dir, or move the file away.",
            )
        case DatabaseState.NEWER:
            return fault(
                name,
                f"{there} has schema {seen.version}; this program knows schemas up to {seen.newest}.",
                "A newer allthepoints wrote it. Install that version or a later one, or choose another --data-dir.",
            )
        case DatabaseState.DAMAGED:
            return fault(name, f"{there} is damaged: {seen.text}. The service would begin anew without it.", _FRESH)
        case DatabaseState.UNREADABLE:
            return fault(name, f"{seen.path}: {seen.text}.", seen.hint or _FRESH)
        case DatabaseState.OLDER | DatabaseState.GOOD:
            state = "is whole" if seen.whole else "has no fault as far as it was read; it is too big to be read whole"
            older = " The next start brings it to the newest schema, and keeps a copy from before."
            return ok(name, f"{there} {state}." + (older if seen.state is DatabaseState.OLDER else ""))


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes free for this user, and in all. `error`: why that cannot be told."""

    path: str
    free: int = 0
    total: int = 0
    error: str = ""


def disk(seen: Disk) -> Finding:
    """Whether there is room."""
    name = "disk"
    if seen.error:
        return warning(name, f"How much room there is cannot be told: {seen.error}.")
    text = f"{size(seen.free)} of {size(seen.total)} are free where {seen.path} is."
    if seen.free < NO_ROOM:
        return fault(name, text, "Make room: what is earned cannot be recorded on a full disk.")
    if seen.free < LITTLE_ROOM:
        return warning(name, text, "Make room before it is full: then nothing can be recorded.")
    return ok(name, text)


# -- what runs ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Running:
    """Who holds the data directory: `pid`, 0 if it cannot be told, None for nobody. `alive`: its last sign of life."""

    pid: int | None = None
    alive: float | None = None

    @property
    def who(self) -> str:
        """The service, with its process."""
        return f"the service (process {self.pid})" if self.pid else "the service"


def running(seen: Running, now: float) -> Finding:
    """Whether a service runs, and whether it turns."""
    name = "service"
    if seen.pid is None:
        return ok(name, "No service runs on this data directory.")
    who = seen.who[:1].upper() + seen.who[1:]
    if seen.alive is not None and now - seen.alive > QUIET:
        return fault(
            name,
            f"{who} holds the data directory, but gave no sign of life for {span(now - seen.alive)}.",
            "Restart it. If that happens again, its log tells why.",
        )
    seen_at = "" if seen.alive is None else f", last sign of life {span(max(0.0, now - seen.alive))} ago"
    return ok(name, f"{who} runs{seen_at}.")


class Port(StrEnum):
    """Who has the dashboard's port."""

    FREE = "free"
    OURS = "ours"
    TAKEN = "taken"
    """Somebody who does not answer as we do."""
    FORBIDDEN = "forbidden"
    NO_ADDRESS = "no_address"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Where the dashboard listens; `listen` "" where it is off. `local`: for this machine only. `text`: the error."""

    listen: str
    port: Port = Port.FREE
    local: bool = True
    proxied: bool = False
    password: bool = False
    text: str = ""


def dashboard(seen: Dashboard, service: Running) -> Finding:
    """Whether the dashboard can be had where the config wants it."""
    name, elsewhere = "dashboard", "Choose another address: [dashboard] listen."
    if not seen.listen:
        return ok(name, "It is turned off in the config.")
    if not seen.password and (not seen.local or seen.proxied):
        return fault(
            name,
            f"On {seen.listen} other machines can reach it, and it has no password: `run` would refuse to start.",
            'Set one with `allthepoints dashboard password`, or: [dashboard] listen = "127.0.0.1:7771".',
        )
    runs = service.pid is not None
    match seen.port:
        case Port.NO_ADDRESS:
            return fault(name, f"{seen.listen} is no address of this machine ({seen.text}).", elsewhere)
        case Port.FORBIDDEN:
            return fault(name, f"This user may not listen on {seen.listen} ({seen.text}).", elsewhere)
        case Port.FREE if runs:
            return warning(
                name,
                f"A service runs, but nobody listens on {seen.listen}.",
                "If the config was changed since it started, restart it. Else its log tells why.",
            )
        case Port.FREE:
            return ok(name, f"{seen.listen} is free.")
        case Port.OURS if runs:
            return ok(name, f"A dashboard answers on {seen.listen}.")
        case Port.OURS:
            text = f"Another allthepoints listens on {seen.listen}: one with another data directory."
            return fault(name, text, elsewhere)
        case Port.TAKEN:
            text = f"Another program listens on {seen.listen}. The service would run without its dashboard."
            return fault(name, text, f"End that program, or: {elsewhere[:1].lower()}{elsewhere[1:]}")


# -- words ---------------------------------------------------------------------------------------------------------
def _sentences(*texts: str) -> str:
    lines = [line for text in texts for line in text.split("\n")]
    return " ".join(line if line.endswith((".", "!", "?")) else f"{line}." for line in lines)


def _chown(seen: Folder) -> str:
    return f"chown -R {seen.me} {seen.path}"
