"""What the doctor says of config, data directory and secrets: what is seen, and the whole verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_findings import FAULT, OK, WARNING, check

from allthepoints.core import checkup_here as here
from allthepoints.core.checkup import Grade

# -- config and files ------------------------------------------------------------------------------------------------
CONFIG = here.Config("/c.toml")


@pytest.mark.parametrize(
    ("seen", "grade", "text", "cure"),
    [
        (CONFIG, OK, "/c.toml can be used.", ""),
        (replace(CONFIG, exists=False), OK, "/c.toml is not there; the defaults are used.", ""),
        (
            replace(CONFIG, client_id=False),
            WARNING,
            "/c.toml can be used. It has no client id, without which nobody can sign in.",
            (
                "Register an app of your own at dev.twitch.tv/console/apps and put its client id under [twitch]; "
                "`allthepoints login` tells how, step by step."
            ),
        ),
        (
            replace(CONFIG, exists=False, client_id=False),
            WARNING,
            "/c.toml is not there; the defaults are used. It has no client id, without which nobody can sign in.",
            (
                "Register an app of your own at dev.twitch.tv/console/apps and put its client id under [twitch]; "
                "`allthepoints login` tells how, step by step."
            ),
        ),
        (
            replace(CONFIG, warnings=("a is odd", "b too.")),
            WARNING,
            "/c.toml can be used. a is odd. b too.",
            "Look at these lines of the file again.",
        ),
        (
            replace(CONFIG, warnings=("has a?", "has b!\nand c")),
            WARNING,
            "/c.toml can be used. has a? has b! and c.",
            "Look at these lines of the file again.",
        ),
        (
            replace(CONFIG, client_id=False, warnings=("a is odd",)),
            WARNING,
            "/c.toml can be used. It has no client id, without which nobody can sign in. a is odd.",
            (
                "Register an app of your own at dev.twitch.tv/console/apps and put its client id under [twitch]; "
                "`allthepoints login` tells how, step by step."
            ),
        ),
        (
            replace(CONFIG, error="x:1: wrong\nx:2: worse"),
            FAULT,
            "The config cannot be used, so network and sign-in were not looked at. x:1: wrong. x:2: worse.",
            "Mend the file; `allthepoints config check` tells if it is good.",
        ),
        (
            replace(CONFIG, error="cannot be read.", hint="chmod u+r /c.toml"),
            FAULT,
            "The config cannot be used, so network and sign-in were not looked at. cannot be read.",
            "chmod u+r /c.toml",
        ),
    ],
)
def test_config(seen: here.Config, grade: Grade, text: str, cure: str) -> None:
    check(here.config(seen), "config", grade, text, cure)


FOLDER = here.Folder("/d/Me", owner=7, me=7, mode=0o700)
NO_FOLDER = here.Folder("/d/Me", exists=False, is_folder=False, parent="/d")


@pytest.mark.parametrize(
    ("seen", "grade", "text", "cure"),
    [
        (FOLDER, OK, "/d/Me can be written, and is yours alone.", ""),
        (here.Folder("/d/Me"), OK, "/d/Me can be written.", ""),
        (replace(FOLDER, mode=None), OK, "/d/Me can be written.", ""),
        (NO_FOLDER, OK, "/d/Me is not there yet; the first command that needs it makes it, for you alone.", ""),
        (
            replace(NO_FOLDER, makeable=False),
            FAULT,
            "/d/Me is not there, and cannot be made: /d is no folder that you may write.",
            "Make it by hand for the user that runs the service, or: choose another --data-dir.",
        ),
        (
            here.Folder("/d/Me", is_folder=False),
            FAULT,
            "/d/Me is a file, where the data directory is expected.",
            "Choose another --data-dir.",
        ),
        (
            replace(FOLDER, error="read-only file system"),
            FAULT,
            "/d/Me cannot be written: read-only file system.",
            "Let this user write there (chmod u+rwx /d/Me), or: choose another --data-dir.",
        ),
        (
            replace(FOLDER, me=0, error="disk full"),
            FAULT,
            "/d/Me cannot be written: disk full.",
            "Let this user write there (chmod u+rwx /d/Me), or: choose another --data-dir.",
        ),
        (
            replace(FOLDER, me=1, error="permission denied"),
            FAULT,
            "/d/Me cannot be written: permission denied.",
            "chown -R 1 /d/Me, or: choose another --data-dir.",
        ),
        (
            replace(FOLDER, owner=None, me=None, mode=None, error="permission denied"),
            FAULT,
            "/d/Me cannot be written: permission denied.",
            "Let this user write there (chmod u+rwx /d/Me), or: choose another --data-dir.",
        ),
        (
            replace(FOLDER, me=0),
            WARNING,
            "/d/Me belongs to uid 7, and you are uid 0: what you write there is yours.",
            "Run it as its owner, or give it to yourself: chown -R 0 /d/Me.",
        ),
        (
            replace(FOLDER, me=9, mode=0o755),
            WARNING,
            "/d/Me belongs to uid 7, and you are uid 9: what you write there is yours.",
            "Run it as its owner, or give it to yourself: chown -R 9 /d/Me.",
        ),
        (
            replace(FOLDER, mode=0o755),
            WARNING,
            "/d/Me can be written, but other users of this machine may look into it (mode 755).",
            "chmod 700 /d/Me",
        ),
        (
            replace(FOLDER, mode=0o701),
            WARNING,
            "/d/Me can be written, but other users of this machine may look into it (mode 701).",
            "chmod 700 /d/Me",
        ),
        (
            replace(FOLDER, mode=0o720),
            WARNING,
            "/d/Me can be written, but other users of this machine may change it (mode 720).",
            "chmod 700 /d/Me",
        ),
        (
            replace(FOLDER, mode=0o702),
            WARNING,
            "/d/Me can be written, but other users of this machine may change it (mode 702).",
            "chmod 700 /d/Me",
        ),
        (replace(FOLDER, mode=0o2700), OK, "/d/Me can be written, and is yours alone.", ""),
    ],
)
def test_data_directory(seen: here.Folder, grade: Grade, text: str, cure: str) -> None:
    check(here.folder(seen), "data_dir", grade, text, cure)


FILE = here.SecretFile("/t.json", "token file", "Sign in anew.", mode=0o600)
KEY = here.SecretFile("/k", "key", "Make a key.", mode=0o600)


@pytest.mark.parametrize(
    ("seen", "grade", "text", "cure"),
    [
        ((), OK, "There are none yet.", ""),
        ((replace(FILE, exists=False, mode=None),), OK, "There are none yet.", ""),
        ((FILE,), OK, "Token file: for its owner only.", ""),
        ((FILE, replace(KEY, exists=False)), OK, "Token file: for its owner only.", ""),
        ((KEY, FILE), OK, "Key, token file: for their owner only.", ""),
        ((here.SecretFile("/t.json", "token file", "Sign in anew."),), OK, "Token file: for its owner only.", ""),
        (
            (replace(FILE, mode=0o640), KEY),
            WARNING,
            "Other users may read the token file /t.json (mode 640).",
            "chmod 600 /t.json (the service does it at its next start). If somebody may have read it, sign in anew.",
        ),
        (
            (replace(FILE, mode=0o604), replace(KEY, mode=0o601)),
            WARNING,
            "Other users may read the token file /t.json (mode 604). Other users may read the key /k (mode 601).",
            "chmod 600 /t.json /k (the service does it at its next start). If somebody may have read it, sign in anew.",
        ),
        ((replace(FILE, exists=False, mode=0o640, error="is odd"), KEY), OK, "Key: for its owner only.", ""),
        (
            (replace(FILE, mode=0o644), replace(KEY, error="cannot be read")),
            FAULT,
            "The key /k cannot be read.",
            "Make a key.",
        ),
        (
            (
                replace(FILE, error="is empty"),
                replace(KEY, error="cannot be read"),
                replace(FILE, path="/u", error="is odd"),
            ),
            FAULT,
            "The token file /t.json is empty. The key /k cannot be read. The token file /u is odd.",
            "Sign in anew. Make a key.",
        ),
    ],
)
def test_secret_files(seen: tuple[here.SecretFile, ...], grade: Grade, text: str, cure: str) -> None:
    check(here.secret_files(seen), "secret_files", grade, text, cure)
