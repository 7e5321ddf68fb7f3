"""Small wrong changes to a module, one at a time: what mutmut's operators make of it, and three of our own.

Not changed is what no test may freeze, or what changes nothing that runs: words for people (a text with a space in it,
what is raised or logged), annotations, `TypeVar` and `NewType`, the arguments of decorators, docstrings.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, CodeSpan, MetadataWrapper
from mutmut.mutation.mutators import mutation_operators, operator_string

Operator = Callable[[cst.CSTNode], Iterable[cst.CSTNode]]

MODULE = "<module>"
"""Where a change stands that is in no function."""

BREAK = " ⏎ "
"""Between lines of a change that are shown in one."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: in `module` (below the package), the lines `first` to `last` become `now`.

    `where`: the function, or the class or `MODULE` where it is run at import. `inside`: in the body of a function, so
    that nothing but that function's code differs.
    """

    module: str
    where: str
    inside: bool
    first: int
    last: int
    was: tuple[str, ...]
    now: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names it as long as its line stays: no line number is in it."""
        return self.module, self.where, _short(self.was), _short(self.now)

    def source(self, original: str) -> str:
        """The module with the change in it."""
        lines = original.splitlines(keepends=True)
        lines[self.first - 1 : self.last] = self.now
        return "".join(lines)


def mutants(package: Path, module: str) -> list[Mutant]:
    """All of one module, in its order; those that would be the same text are one."""
    original = (package / module).read_text(encoding="utf-8")
    wrapper = MetadataWrapper(cst.parse_module(original), unsafe_skip_copy=True)
    maker = _Maker()
    wrapper.visit(maker)
    spans = wrapper.resolve(ByteSpanPositionProvider)
    found: dict[tuple[object, ...], Mutant] = {}
    for place, old, new in maker.changes:
        changed = _replaced(wrapper.module, original, spans.get(old), old, new)
        if changed != original:
            mutant = _mutant(module, place, original, changed)
            found.setdefault((mutant.first, mutant.last, mutant.now), mutant)
    return sorted(found.values(), key=lambda mutant: mutant.first)


def _replaced(module: cst.Module, text: str, span: CodeSpan | None, old: cst.CSTNode, new: cst.CSTNode) -> str:
    """In the text where that can be (an expression, a line), for it is a hundred times faster than through the tree."""
    if span is None or not isinstance(old, cst.BaseExpression | cst.BaseSmallStatement):
        return module.deep_replace(old, new).code
    data = text.encode()
    return (data[: span.start] + module.code_for_node(new).encode() + data[span.start + span.length :]).decode()


# -- what is changed -----------------------------------------------------------------------------------------------
def _one_word(node: cst.SimpleString) -> Iterator[cst.CSTNode]:
    """As mutmut's, for what is no text for people: keys, codes, words of a protocol."""
    if len(node.raw_value.split()) == 1:
        yield from operator_string(node)


def _condition(test: cst.BaseExpression, always: bool) -> Iterator[cst.CSTNode]:
    """mutmut does so with a ternary only: never, and always (which a loop would not survive)."""
    parens = {"lpar": [cst.LeftParen()], "rpar": [cst.RightParen()]}
    inner = test.with_changes(**parens)
    yield cst.BooleanOperation(inner, cst.And(), cst.Name("False"), **parens)
    if always:
        yield cst.BooleanOperation(inner, cst.Or(), cst.Name("True"), **parens)


def _undone(node: cst.Expr) -> Iterator[cst.CSTNode]:
    """What is called for what it does is not called."""
    if isinstance(node.value, cst.Call | cst.Await):
        yield cst.Pass()


def _sorted(node: cst.Call) -> Iterator[cst.CSTNode]:
    """The other end of an order."""
    other = {"min": "max", "max": "min", "any": "all", "all": "any"}
    if isinstance(node.func, cst.Name) and node.func.value in other:
        yield node.with_changes(func=cst.Name(other[node.func.value]))


OPERATORS: Sequence[tuple[type[cst.CSTNode], Operator]] = [
    *((kind, operator) for kind, operator in mutation_operators if operator is not operator_string),
    (cst.SimpleString, _one_word),
    (cst.Expr, _undone),
    (cst.Call, _sorted),
]


# -- where ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Place:
    where: str
    inside: bool


class _Maker(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.changes: list[tuple[_Place, cst.CSTNode, cst.CSTNode]] = []
        self._names: list[str] = []
        self._body = 0
        """How deep in bodies of functions."""
        self._bodies: set[cst.CSTNode] = set()

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _left_alone(node):
            return False
        if isinstance(node, cst.FunctionDef):
            self._bodies.add(node.body)
        if isinstance(node, cst.FunctionDef | cst.ClassDef) and not self._body:
            self._names.append(node.name.value)
        self._body += node in self._bodies
        place = _Place(".".join(self._names) or MODULE, self._body > 0)
        for kind, operator in OPERATORS:
            if isinstance(node, kind):
                self.changes += [(place, node, new) for new in operator(node)]
        if isinstance(node, cst.If | cst.While | cst.CompIf):
            always = not isinstance(node, cst.While)
            self.changes += [(place, node.test, new) for new in _condition(node.test, always)]
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if original_node in self._bodies:
            self._body -= 1
        elif isinstance(original_node, cst.FunctionDef | cst.ClassDef) and not self._body:
            self._names.pop()


def _left_alone(node: cst.CSTNode) -> bool:
    match node:
        case cst.Annotation() | cst.Decorator() | cst.Import() | cst.ImportFrom() | cst.Raise() | cst.TypeAlias():
            return True
        case cst.Call(func=cst.Name("TypeVar" | "NewType" | "ParamSpec")):
            return True
        case cst.Assign(value=cst.Call(func=cst.Name("TypeVar" | "NewType" | "ParamSpec" | "Union"))):
            return True
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name("__slots__" | "__all__" | "log"))]):
            return True
        case cst.Assign(value=cst.BinaryOperation(operator=cst.BitOr())):
            return True  # a union of types
        case cst.Assign(value=cst.SimpleString() as text) if len(text.raw_value.split()) > 1:
            return True
        case cst.Expr(value=cst.Call(func=cst.Attribute(value=cst.Name("log")))):
            return True
    return False


def _mutant(module: str, place: _Place, original: str, changed: str) -> Mutant:
    old, new = original.splitlines(keepends=True), changed.splitlines(keepends=True)
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    was, now = old[start : len(old) - end], new[start : len(new) - end]
    return Mutant(module, place.where, place.inside, start + 1, len(old) - end, tuple(was), tuple(now))


def _short(lines: Sequence[str]) -> str:
    return BREAK.join(line.strip() for line in lines)


# -- lines ---------------------------------------------------------------------------------------------------------
def lines_of(tree: ast.Module, mutant: Mutant) -> set[int]:
    """The lines whose run may tell the mutant from the original: the change, and the statements it is part of."""
    changed = set(range(mutant.first, max(mutant.last, mutant.first) + 1))
    lines = set(changed)
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            head = _head(node)
            lines |= head if head & changed else set()
    return lines


def _head(node: ast.stmt | ast.ExceptHandler | ast.match_case) -> set[int]:
    """Without the statements within."""
    first = node.pattern.lineno if isinstance(node, ast.match_case) else node.lineno
    match node:
        case ast.match_case(body=[below, *_]):
            last = below.lineno - 1
        case ast.Match(cases=[case, *_]):
            last = case.pattern.lineno - 1
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return set()
        case ast.stmt() | ast.ExceptHandler() if body := getattr(node, "body", None):
            last = body[0].lineno - 1
        case _:
            last = getattr(node, "end_lineno", None) or first
    return set(range(first, max(last, first) + 1))
