"""How much a process holds: what a soak looks at, day after day.

Theory. What leaks is either an object that nobody means to keep, or an entry in a table that somebody keeps on purpose
and never clears. For the first, `kinds` counts what the collector knows by its type, without what belongs to the
sandbox: that is in the same process and remembers every interval of the days. (Plain strings, numbers and bytes are
unknown to the collector; memory tells of them.) For the second, `tables` walks from what the program is made of
through everything of ours and tells how many entries each table has, by the path that leads there; so a table that is
added later is counted without anybody thinking of it. Tables that cannot grow beyond a length of their own (rings,
caches of the standard library) are told apart.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import types
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

OURS = "allthepoints"
NOT_OURS = (f"{OURS}.sim", f"{OURS}.testing")
"""The sandbox keeps its books, and the tests theirs."""

Tables = dict[str, int]
"""Entries by path."""


@dataclass(frozen=True, slots=True)
class Look:
    """What there is at a moment. `rss` (bytes), `sockets`, `files`: None where the system does not tell."""

    rss: int | None
    sockets: int | None
    files: int | None
    threads: int
    tasks: Mapping[str, int]
    """By the coroutine that they run."""
    kinds: Mapping[str, int] = field(repr=False)
    """What the collector knows, by type."""
    tables: Mapping[str, int] = field(repr=False)
    bounded: Mapping[str, int] = field(repr=False)
    """The tables that have a length which they cannot pass."""


def look(roots: Mapping[str, object], apart: Iterable[object]) -> Look:
    """Look now. `roots`: what the program is made of, by name. `apart`: what is not to be counted, with all it has."""
    gc.collect()
    found, bounded = tables(roots)
    files = _open_files()
    return Look(
        rss=_rss(),
        sockets=None if files is None else sum(name.startswith("socket:") for name in files),
        files=None if files is None else len(files),
        threads=_threads(),
        tasks=_tasks(),
        kinds=kinds(apart),
        tables=found,
        bounded=bounded,
    )


# -- tables ------------------------------------------------------------------------------------------------------------
def tables(roots: Mapping[str, object]) -> tuple[Tables, Tables]:
    """Entries by path, of what is reachable from `roots` and from the modules of the program: unbounded, bounded."""
    walk = _Walk()
    for name, root in {**_of_modules(), **roots}.items():
        walk.go(name, root)
    return walk.found, walk.bounded


class _Walk:
    """Through everything of ours, each thing once. Entries of one table have one path, whatever they are called by."""

    def __init__(self) -> None:
        self.found: Tables = Counter()
        self.bounded: Tables = Counter()
        self._seen: set[int] = set()
        self._kept: list[object] = []  # what was made on the way: an id must not be another thing's

    def go(self, path: str, root: object) -> None:
        stack = [(path, root)]
        while stack:
            path, thing = stack.pop()
            if id(thing) in self._seen:
                continue
            self._seen.add(id(thing))
            self._kept.append(thing)
            if (size := _size(thing)) is not None:
                where = self.bounded if _is_bounded(thing) else self.found
                where[path] += size
                stack += ((f"{path}[]", inner) for inner in _entries(thing))
            elif is_ours(type(thing).__module__):
                stack += ((f"{path}.{name}", value) for name, value in _attributes(thing))


def is_ours(module: str) -> bool:
    """Whether a module belongs to the program itself."""
    return f"{module}.".startswith(f"{OURS}.") and not module.startswith(NOT_OURS)


def _size(thing: object) -> int | None:
    if hasattr(thing, "cache_info"):
        return int(thing.cache_info().currsize)
    if isinstance(thing, Mapping | AbstractSet | list | tuple | deque | bytearray | WeakSet):
        return len(thing)
    return None


def _is_bounded(thing: object) -> bool:
    if hasattr(thing, "cache_info"):
        return thing.cache_info().maxsize is not None
    return isinstance(thing, deque) and thing.maxlen is not None


def _entries(thing: Any) -> Iterator[object]:
    """Those that may hold something themselves."""
    if hasattr(thing, "cache_info") or isinstance(thing, bytearray):
        return
    both = [*thing.keys(), *thing.values()] if isinstance(thing, Mapping) else list(thing)
    yield from (one for one in both if not isinstance(one, str | bytes | int | float | None))


def _attributes(thing: object) -> Iterator[tuple[str, object]]:
    names = {name: None for kind in type(thing).__mro__ for name in _slots(kind)}
    for name in [*names, *getattr(thing, "__dict__", ())]:
        with suppress(AttributeError):  # a slot that has nothing yet
            yield name, getattr(thing, name)


def _slots(kind: type) -> Iterable[str]:
    slots = kind.__dict__.get("__slots__", ())
    fields = kind.__dict__.get("__struct_fields__", ())  # of msgspec's own base it is no tuple
    named = (slots,) if isinstance(slots, str) else tuple(slots)
    return [_mangled(kind, name) for name in (*named, *(fields if isinstance(fields, tuple) else ()))]


def _mangled(kind: type, name: str) -> str:
    private = name.startswith("__") and not name.endswith("__")
    return f"_{kind.__name__.lstrip('_')}{name}" if private else name


def _of_modules() -> dict[str, object]:
    """Tables and single things that stand in modules."""
    tables_ = (dict, list, set, deque, WeakKeyDictionary, WeakValueDictionary, WeakSet)
    return {
        f"{module}:{name}": value
        for module, content in list(sys.modules.items())
        if is_ours(module)
        for name, value in list(vars(content).items())
        if not name.startswith("__")
        and not isinstance(value, type | types.ModuleType)
        and (isinstance(value, tables_) or hasattr(value, "cache_info") or is_ours(type(value).__module__))
    }


# -- what the collector knows ------------------------------------------------------------------------------------------
_SHARED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.FrameType, types.CodeType)


def kinds(apart: Iterable[object]) -> Counter[str]:
    """By type, without what `apart` has: what it leads to before it comes to code, a loop or something of ours."""
    theirs = _belongings(apart)
    return Counter(_kind(thing) for thing in gc.get_objects() if id(thing) not in theirs)


def _kind(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


def _belongings(apart: Iterable[object]) -> set[int]:
    stack, theirs = list(apart), set[int]()
    while stack:
        thing = stack.pop()
        if id(thing) in theirs or not gc.is_tracked(thing) or _is_shared(thing):
            continue
        theirs.add(id(thing))
        stack += gc.get_referents(thing)
    return theirs


def _is_shared(thing: object) -> bool:
    if isinstance(thing, (*_SHARED, asyncio.AbstractEventLoop, asyncio.Future)):
        return True
    if isinstance(thing, dict) and "__builtins__" in thing:
        return True
    return is_ours(type(thing).__module__)


# -- the process -------------------------------------------------------------------------------------------------------
def _tasks() -> Counter[str]:
    return Counter(_named(task) for task in asyncio.all_tasks())


def _named(task: asyncio.Task[Any]) -> str:
    coroutine = task.get_coro()
    return str(getattr(coroutine, "__qualname__", type(coroutine).__qualname__))


def _threads() -> int:
    """With those that Python knows nothing of, where the system tells."""
    with suppress(OSError):
        return len(os.listdir("/proc/self/task"))
    return threading.active_count()


def _rss() -> int | None:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def _open_files() -> list[str] | None:
    """Where the process' descriptors point to."""
    try:
        names = os.listdir("/proc/self/fd")
    except OSError:
        return None
    found = []
    for name in names:
        with suppress(OSError):  # the one with which the folder was read
            found.append(os.readlink(f"/proc/self/fd/{name}"))
    return found


# -- judging -----------------------------------------------------------------------------------------------------------
FEW_OBJECTS, FEW_ENTRIES = 20, 5
"""So many more, and one in SHARE of what there was, are taken for work under way."""

SHARE = 500


def grown_kinds(before: Look, after: Look, allowed: Mapping[str, float] = MappingProxyType({})) -> dict[str, str]:
    """The types of which there are more, with both numbers, the most first; `allowed` may be as many as it says."""
    return _grown(before.kinds, after.kinds, FEW_OBJECTS, allowed)


def grown_tables(before: Look, after: Look, allowed: Mapping[str, float] = MappingProxyType({})) -> dict[str, str]:
    """The same for tables. What stands in a bounded one is bounded, too."""
    rings = tuple(f"{path}[" for path in {*before.bounded, *after.bounded})
    free = {path: count for path, count in after.tables.items() if not path.startswith(rings)}
    return _grown(before.tables, free, FEW_ENTRIES, allowed)


def _grown(
    before: Mapping[str, int], after: Mapping[str, int], few: int, allowed: Mapping[str, float]
) -> dict[str, str]:
    more = {name: count - before.get(name, 0) for name, count in after.items()}
    found = [
        name
        for name, by in more.items()
        if by > few + before.get(name, 0) // SHARE and after[name] > allowed.get(name, -1)
    ]
    return {name: f"{before.get(name, 0)} to {after[name]}" for name in sorted(found, key=lambda one: -more[one])}
