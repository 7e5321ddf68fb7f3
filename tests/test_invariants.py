"""The invariants of ARCHITECTURE.md that can be read off the source, and that no linter keeps."""

from __future__ import annotations

import ast
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from allthepoints.core.actions import Action
from allthepoints.irc.session import Session

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "allthepoints"
MODULES = {
    path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in SOURCE.rglob("*.py")
}
PROGRAM = [name for name in MODULES if not name.startswith(("sim/", "testing/"))]

ADAPTERS: dict[str, str | tuple[str, ...]] = {
    "OAuth": "twitch/",
    "Helix": "twitch/",
    "TokenKeeper": "twitch/",
    "TcpChat": "twitch/",
    "Client": ("web.py", "twitch/", "streamelements/"),
    "ElementsPoints": "streamelements/",
    "ElementsStore": "streamelements/",
    "JwtKeeper": "streamelements/",
    "SqliteStorage": "storage/",
    "TokenFile": "storage/",
    "JwtFile": "storage/",
    "AppriseNotifier": "notify/",
}
"""The classes that fulfil ports or carry them, and the floor that has them."""


def strings(tree: ast.AST) -> Iterator[str]:
    """What the code says, without its docstrings."""
    remarks = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node not in remarks and isinstance(node.value, str | bytes):
            yield node.value if isinstance(node.value, str) else node.value.decode("latin-1")


def imported(tree: ast.AST) -> Iterator[str]:
    """The names that a module takes from others of the project, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("allthepoints"):
            yield from (name.name for name in node.names)


@pytest.mark.parametrize("name", PROGRAM)
def test_nothing_can_speak_in_chat(name: str) -> None:
    assert not [text for text in strings(MODULES[name]) if re.search("PRIVMSG|WHISPER|/chat/messages", text)]


def test_the_session_says_only_what_a_listener_needs() -> None:
    said = set()
    for node in ast.walk(MODULES["irc/session.py"]):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"_say", "_rooms"}:
            said |= {text.split()[0] for text in strings(node.args[0]) if re.match("[A-Z]{3,}", text)}
    assert said == {"CAP", "PASS", "NICK", "USER", "JOIN", "PART", "PING", "PONG", "QUIT"}
    public = {name for name in vars(Session) if not name.startswith("_")}
    assert public == {"state", "connected", "receive", "receive_eof", "outgoing", "deadline", "tick"} | {
        *("join", "part", "quit"),
    }


def test_no_action_speaks() -> None:
    assert {kind.__name__ for kind in Action.__args__} == {
        *("RenewSignIn", "ReadFollows", "ReadLive", "ReadUsers"),
        *("OpenConnection", "CloseConnection", "JoinRooms", "PartRooms"),
        *("FindLoyalty", "ReadLoyalty", "ReadBalance", "ReadItems", "ReadHistory", "CheckJwt", "SendRedemption"),
    }


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_only_the_wiring_names_concrete_classes(adapter: str) -> None:
    users = {name for name in PROGRAM if adapter in imported(MODULES[name])}
    assert {name for name in users if not name.startswith(ADAPTERS[adapter])} == {"wiring.py"}


def test_secrets_are_revealed_only_on_their_way_out() -> None:
    places = {
        name
        for name in PROGRAM
        for node in ast.walk(MODULES[name])
        if isinstance(node, ast.Attribute) and node.attr == "reveal"
    }
    assert places == {
        "base/secret.py",
        "irc/session.py",  # PASS, and what a server quotes is cut out
        "web.py",  # header and form, and what a server quotes is cut out
        "twitch/signin.py",  # the fingerprint, and whether it can be sent at all
        "streamelements/jwt.py",  # what is copied with it is taken off, and its end is read
        "storage/tokenfile.py",
        "storage/jwtfile.py",
        "notify/apprise_notifier.py",  # the address is given to Apprise, and its schema is its name
        "config/environment.py",  # `oauth:` is taken off
    }


def test_no_switch_turns_tls_verification_off() -> None:
    for name in PROGRAM:
        words = {node.attr for node in ast.walk(MODULES[name]) if isinstance(node, ast.Attribute)}
        words |= {node.arg for node in ast.walk(MODULES[name]) if isinstance(node, ast.keyword) and node.arg}
        assert not words & {"CERT_NONE", "check_hostname", "verify_mode", "_create_unverified_context", "verify"}, name


PAGES = runpy.run_path(str(ROOT / "scripts" / "pages.py"))["PAGES"]


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_are_fresh(page: str) -> None:
    fresh = PAGES[page]()
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == fresh, "run: .venv/bin/python scripts/pages.py"


def test_architecture_names_what_exists_and_every_module() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)`", text))
    tests = {path for path in paths if path.rpartition("/")[2].startswith("test_")}
    assert all((ROOT / path).exists() for path in tests if "/" in path)
    named = {path.rpartition("/")[2] for path in paths - tests}
    there = {name.rpartition("/")[2] for name in MODULES}
    benches = {path.name for path in (ROOT / "bench").glob("*.py")}
    assert named <= there | benches, "names a file that is not there"
    themes = {
        "backup",
        "channels",
        "completion",
        "config",
        "demo",
        "events",
        "export",
        "login",
        "points",
        "redeem",
        "redemptions",
        "run",
    }
    themes |= {"dashboard", "doctor", "notify", "simulate", "status", "store", "support", "wish"}
    plain = {"__init__.py", "__main__.py", "_version.py", *(f"{theme}.py" for theme in themes)}
    assert there - named - plain == set(), "does not say what these are for"
