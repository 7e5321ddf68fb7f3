"""Where everything lies: the config file, and the data directory with what is in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from allthepoints.base.errors import UsageError

_APP = "allthepoints"


@dataclass(frozen=True, slots=True)
class ConfigPath:
    """The config file, and whether a person named it: then it must exist."""

    path: Path
    named: bool


@dataclass(frozen=True, slots=True)
class DataDir:
    """The data directory. `path` may not exist yet; `prepare` makes it."""

    path: Path

    @property
    def database(self) -> Path:
        return self.path / "allthepoints.db"

    @property
    def tokens(self) -> Path:
        return self.path / "tokens.json"

    @property
    def jwt(self) -> Path:
        """The viewer's own StreamElements token."""
        return self.path / "streamelements-token.json"

    @property
    def password(self) -> Path:
        """The hash of the dashboard's password."""
        return self.path / "dashboard-password.json"

    @property
    def lock(self) -> Path:
        return self.path / "allthepoints.lock"

    @property
    def log(self) -> Path:
        return self.path / "logs" / "allthepoints.log"


def config_path(flag: str | Path | None, environ: Mapping[str, str]) -> ConfigPath:
    """`--config`, else ALLTHEPOINTS_CONFIG, else the platform's place."""
    if given := (flag or environ.get("ALLTHEPOINTS_CONFIG")):
        return ConfigPath(Path(given).expanduser().absolute(), True)
    from platformdirs import user_config_path  # noqa: PLC0415 - most runs name the file, and `status` starts faster

    return ConfigPath(user_config_path(_APP, appauthor=False) / "config.toml", False)


def data_dir(flag: str | Path | None, environ: Mapping[str, str]) -> DataDir:
    """`--data-dir`, else ALLTHEPOINTS_DATA_DIR, else the platform's place."""
    if given := (flag or environ.get("ALLTHEPOINTS_DATA_DIR")):
        return DataDir(Path(given).expanduser().absolute())
    from platformdirs import user_data_path  # noqa: PLC0415 - as above

    return DataDir(user_data_path(_APP, appauthor=False))


def prepare(data: DataDir) -> DataDir:
    """Make the data directory (for its owner only) if it is missing, and see that it can be used. Raises UsageError."""
    path = data.path
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise UsageError(
            f"{path} is a file, where the data directory is expected", "Choose another --data-dir."
        ) from None
    except NotADirectoryError:
        raise UsageError(f"{path} cannot be made: a part of its path is a file", "Choose another --data-dir.") from None
    except OSError as error:
        raise UsageError(
            f"{path} cannot be made by {_me()}: {error.strerror}", f"Make the folder for {_me()}, or choose --data-dir."
        ) from error
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise UsageError(f"{path}{_owner(path)} cannot be written by {_me()}", _fix(path))
    return data


def _me() -> str:
    return f"uid {os.geteuid()}" if hasattr(os, "geteuid") else "this user"


def _owner(path: Path) -> str:
    return f" belongs to uid {path.stat().st_uid} and" if hasattr(os, "geteuid") else ""


def _fix(path: Path) -> str:
    if not hasattr(os, "geteuid"):
        return "Give this user the right to write there, or choose another --data-dir."
    return f"Give it to the user that runs this (chown -R {os.geteuid()} {path}), or run as its owner."
