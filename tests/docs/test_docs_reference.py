"""The reference is complete: what the program has or says stands in it. That it is fresh: tests/test_invariants.py."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import typer

from allthepoints.cli import globals as g
from allthepoints.cli import tree
from allthepoints.cli.app import COMMANDS
from allthepoints.config.environment import Environment
from allthepoints.config.settings import KEYS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "allthepoints"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def commands(command: object, path: str) -> dict[str, list[str]]:
    found = {path: [text for param in command.params for text in param.opts if text.startswith("-")]}
    for name, sub in getattr(command, "commands", {}).items():
        found |= commands(sub, f"{path} {name}".strip())
    return found


def test_every_command_and_option() -> None:
    text = page("reference/commands.md")
    root = typer.main.get_command(tree.build(COMMANDS, None))
    found = commands(root, "")
    assert len(found) > 25
    for path, options in found.items():
        if path:
            part = re.search(rf"^#+ {re.escape(path)}\n(.*?)(?=^#|\Z)", text, re.DOTALL | re.MULTILINE)
            assert part is not None, path
            assert [
                option
                for option in options
                if option != "--help" and f"`{option}" not in part[1] and option not in part[1]
            ] == []
    assert all(name in text for option in g.GLOBALS for name in option.names)


def test_every_command_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if not re.search(rf"`(?:allthepoints )?{name}\b|, `{name}`", text)] == []


def test_every_setting() -> None:
    text = page("config.md")
    assert [key for key in KEYS if f"| `{key.name}` |" not in text] == []


def test_every_code_of_a_warning() -> None:
    """Codes are looked for in the source, wherever a warning is made."""
    codes = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", "") in {"Row", "Warning", "Trouble"}
                and node.args
            ):
                first = node.args[0]
                if isinstance(first, ast.Constant) and re.fullmatch("[a-z]+(_[a-z]+)+", str(first.value)):
                    codes.add(first.value)
    assert len(codes) > 15
    assert [
        code for code in sorted(codes | {"notify_failing"}) if f"## {code}\n" not in page("reference/warnings.md")
    ] == []


@pytest.mark.parametrize("name", sorted(f"ALLTHEPOINTS_{field.upper()}" for field in Environment.__dataclass_fields__))
def test_every_variable_of_the_environment(name: str) -> None:
    everything = "".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    assert name in everything
