"""The reference is complete: what the program has or says stands in it. That it is fresh: tests/test_invariants.py."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer

from allthepoints.cli import globals as g
from allthepoints.cli import tree
from allthepoints.cli.app import COMMANDS
from allthepoints.cli.demo import demo
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


@pytest.mark.parametrize("name", ["README.md", "docs/start.md"])
def test_a_day_of_the_demo_takes_as_long_as_is_said(name: str) -> None:
    default = inspect.signature(demo).parameters["length"].default
    text = (ROOT / name).read_text(encoding="utf-8")
    assert f"in {default.removesuffix('s')} seconds (" in text
    assert "make demo ARGS='--for 2m'" in text


def test_what_it_takes_on_a_small_machine_is_what_was_measured() -> None:
    """The only figure is that of the ledger."""
    text = page("howto/raspberry-pi.md")
    figures = json.loads((ROOT / "docs/results/ledger.json").read_text(encoding="utf-8"))["figures"]
    (file,) = [figure["median"] for figure in figures if figure["claim"] == "The file"]
    assert [int(size) for size in re.findall(r"(\d+) MB", text)] == [round(file, -1)]
    assert not re.search(r"seconds? of processor", text)
    assert "(../results.md)" in text


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


# -- JSON ----------------------------------------------------------------------------------------------------------
TREES = {
    path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in SOURCE.rglob("*.py")
}


def called(node: ast.AST) -> str:
    """The name of what is called: `say_json` of `output.say_json(...)`."""
    func = node.func if isinstance(node, ast.Call) else None
    return getattr(func, "id", "") or getattr(func, "attr", "")


def every(name: str) -> Iterator[tuple[str, ast.Call]]:
    """Each call of `name`, and in which module it stands."""
    for module, parsed in TREES.items():
        for node in ast.walk(parsed):
            if isinstance(node, ast.Call) and called(node) == name:
                yield module, node


@cache
def shapes() -> dict[str, str]:
    """Each shape of the code: the title by the name."""
    return {
        node.target.id: node.value.args[0].value
        for parsed in TREES.values()
        for node in parsed.body
        if isinstance(node, ast.AnnAssign) and called(node.value) == "Shape"
    }


@cache
def plainers() -> set[str]:
    """The functions that give what a shape says: `status_plain = STATUS.of`, or one that calls such an `of`."""
    found = set()
    for parsed in TREES.values():
        for node in parsed.body:
            if isinstance(node, ast.Assign) and is_of(node.value):
                found.add(node.targets[0].id)
            elif isinstance(node, ast.FunctionDef) and any(is_of(inner) for inner in ast.walk(node)):
                found.add(node.name)
    return {name for name in found if name.endswith("_plain")}


def is_of(node: ast.AST) -> bool:
    """Whether this is the `of` of a shape."""
    if not (isinstance(node, ast.Attribute) and node.attr == "of"):
        return False
    return getattr(node.value, "id", None) in shapes() or getattr(node.value, "attr", None) == "shape"


def from_a_shape(node: ast.expr) -> bool:
    """Whether a value is what a shape says, or a list of such."""
    if isinstance(node, ast.ListComp):
        return from_a_shape(node.elt)
    return isinstance(node, ast.Call) and (is_of(node.func) or getattr(node.func, "id", None) in plainers())


def test_all_json_of_the_commands_is_made_from_shapes() -> None:
    calls = list(every("say_json"))
    assert len(calls) > 35
    assert [(module, call.lineno) for module, call in calls if not from_a_shape(call.args[0])] == []


def test_every_shape_is_on_the_page_once() -> None:
    text = page("reference/json.md")
    found = shapes()
    assert len(found) == len(list(every("Shape"))), "a shape has a name of its own in its module"
    assert len(set(found.values())) == len(found) > 50
    assert [
        title for title in found.values() if len(re.findall(rf"^### {re.escape(title)}$", text, re.MULTILINE)) != 1
    ] == []
    assert len(re.findall("^### ", text, re.MULTILINE)) == len(found), "and there is nothing else"


def test_every_command_that_takes_json_is_on_the_page() -> None:
    text = page("reference/json.md")
    found = commands(typer.main.get_command(tree.build(COMMANDS, None)), "")
    takers = [path for path, options in found.items() if path and "--json" in options]
    assert len(takers) > 25
    assert [path for path in takers if not re.search(rf"`{in_page(path)}[^`]*--json`", text)] == []


def test_every_address_of_the_api_is_on_the_page() -> None:
    text = page("reference/json.md")
    found = {node.value for node in ast.walk(TREES["views/web/api.py"]) if isinstance(node, ast.Constant)}
    addresses = [value for value in found if re.fullmatch(r"/api/[a-z]+(/\{login\})?", str(value))]
    assert len(addresses) > 5
    assert [one for one in addresses if f"`{one.replace('{login}', 'LOGIN')}" not in text] == []


def in_page(path: str) -> str:
    """As the page names it: several commands may stand there as one, `add|remove`."""
    return " ".join(rf"(?:[a-z]+\|)*{re.escape(word)}(?:\|[a-z]+)*" for word in path.split())


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("STATUS.of(report)", True),
        ("[STATUS.of(row) for row in rows]", True),
        ("redemption_plain(found, with_code=True)", True),
        ("line_plain(change)", True),
        ("change.shape.of(change)", True),
        ("anything_plain(found)", False),
        ("Other.of(found)", False),
        ('{"set": True}', False),
        ("[1]", False),
    ],
)
def test_what_counts_as_made_from_a_shape(code: str, expected: bool) -> None:
    assert from_a_shape(ast.parse(code, mode="eval").body) is expected
