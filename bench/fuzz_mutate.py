"""Damage, done by chance from a seed: to bytes, to JSON, to TOML. The same seed, the same damage."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

MOST = 4096
"""Bytes or characters that one piece of damage adds at most."""


T = TypeVar("T")


def pick(luck: random.Random, pool: Sequence[T]) -> T:
    """One of them. `random.choice` takes four times as long, and there are millions."""
    return pool[int(luck.random() * len(pool))]


# -- bytes -------------------------------------------------------------------------------------------------------------
def damaged(data: bytes, luck: random.Random, pieces: Sequence[bytes]) -> bytes:
    """`data` with one to four things done to it; `pieces` are what gets put in."""
    out = bytearray(data)
    for _ in range(pick(luck, (1, 1, 1, 2, 2, 3, 4))):
        pick(luck, _BYTES)(out, luck, pieces)
    return bytes(out)


def _place(out: bytearray, luck: random.Random) -> int:
    return int(luck.random() * (len(out) + 1))


def _put(out: bytearray, luck: random.Random, pieces: Sequence[bytes]) -> None:
    at = _place(out, luck)
    out[at:at] = pick(luck, pieces)


def _over(out: bytearray, luck: random.Random, pieces: Sequence[bytes]) -> None:
    piece, at = pick(luck, pieces), _place(out, luck)
    out[at : at + len(piece)] = piece


def _any(out: bytearray, luck: random.Random, _: Sequence[bytes]) -> None:
    at = _place(out, luck)
    out[at:at] = luck.randbytes(pick(luck, (1, 1, 2, 3, 8, 40)))


def _flip(out: bytearray, luck: random.Random, _: Sequence[bytes]) -> None:
    if out:
        out[int(luck.random() * len(out))] ^= 1 << int(luck.random() * 8)


def _cut(out: bytearray, luck: random.Random, _: Sequence[bytes]) -> None:
    at = _place(out, luck)
    del out[at : at + pick(luck, (1, 1, 2, 5, 20))]


def _end(out: bytearray, luck: random.Random, _: Sequence[bytes]) -> None:
    del out[_place(out, luck) :]


def _twice(out: bytearray, luck: random.Random, _: Sequence[bytes]) -> None:
    at = _place(out, luck)
    part = out[at : at + pick(luck, (1, 3, 10, 60))]
    out[at:at] = part * pick(luck, (1, 1, 2, 20))


def _swap(out: bytearray, luck: random.Random, _: Sequence[bytes]) -> None:
    at = _place(out, luck)
    out[:] = out[at:] + out[:at]


def _case(out: bytearray, luck: random.Random, _: Sequence[bytes]) -> None:
    at = _place(out, luck)
    out[at : at + 12] = out[at : at + 12].swapcase()


_BYTES: tuple[Callable[[bytearray, random.Random, Sequence[bytes]], None], ...] = (
    *(_put, _put, _put, _over, _over, _any, _flip, _cut, _end, _twice, _swap, _case),
)


# -- JSON --------------------------------------------------------------------------------------------------------------
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**400, 0.5, -0.0, 1e308, 1e15),
    *("", " ", "0", "-1", "NaN", "null", "1e999", "a" * MOST, "\0", "\x1b[2J", "\u202egro", "٣", "\U0001f30a", "K"),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:60Z", "2026-11-26T00:00:00+24:00", "9999-12-31T23:59:59-23:59"),
    *("../me", "#alpha", "%2e%2e", "a\r\nX: y", "live", "twitch", "01" * 12, [], {}, [[]], {"": None}, [None] * 50),
)
RAW = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1" * 400, b'"\\ud800"', b'"\\u0000"', b"[" * 2000)
"""What is no JSON, or hardly."""

JSON_PIECES = (*RAW, b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"null", b"\xff", b"\xef\xbb\xbf", b"\0", b"e9")


def damaged_json(data: bytes, luck: random.Random) -> bytes:
    """A body with something wrong in it: one value is another, a key is gone, or it is no JSON any more."""
    try:
        value = json.loads(data)
    except ValueError:
        return damaged(data, luck, JSON_PIECES)
    draw = luck.random()
    if draw < 0.25:
        return damaged(data, luck, JSON_PIECES)
    holes: list[bytes] = []
    for _ in range(luck.choice((1, 1, 1, 2, 3, 6))):
        value = _changed(value, luck, holes)
    told = json.dumps(value, ensure_ascii=luck.random() < 0.5).encode("utf-8", "surrogatepass")
    for number, raw in enumerate(holes):
        told = told.replace(b'"\x7fhole%d"' % number, raw).replace(b'"\\u007fhole%d"' % number, raw)
    return told


def _changed(value: Any, luck: random.Random, holes: list[bytes]) -> Any:
    """One place in `value`, found by chance, is something else."""
    if not isinstance(value, dict | list) or not value or luck.random() < 0.08:
        return _other(value, luck, holes)
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = luck.choice(keys)
    draw = luck.random()
    if draw < 0.1:
        del value[key]
    elif draw < 0.15 and isinstance(value, list):
        value += [value[key]] * luck.choice((1, 2, 200))
    elif draw < 0.2 and isinstance(value, dict):
        value[luck.choice(("", "id", "data", "docs", "total", "error", "statusCode", "message"))] = value[key]
    else:
        value[key] = _changed(value[key], luck, holes)
    return value


def _other(value: Any, luck: random.Random, holes: list[bytes]) -> Any:
    draw = luck.random()
    if draw < 0.1:
        holes.append(luck.choice(RAW))
        return f"\x7fhole{len(holes) - 1}"
    if draw < 0.2 and isinstance(value, str):
        return damaged(value.encode("utf-8", "surrogatepass"), luck, JSON_PIECES).decode("utf-8", "replace")
    if draw < 0.25:
        return [value]
    return copy.deepcopy(luck.choice(ODD))


# -- TOML --------------------------------------------------------------------------------------------------------------
TOML_PIECES = tuple(
    text.encode()
    for text in (
        *('"', "'", '"""', "'''", "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "#", "\n", "\r\n", "\r", "\0", "\\"),
        *("true", "nan", "-inf", "1e999", "9" * 400, "0x", "1979-05-27T07:32:00Z", "07:32:00", "\\u0000", "\\ud800"),
        *("\ufeff", "\u202e", "\x1b[2J", "é", "🌊", "[" * 3000, "a." * 500, "{a=" * 400, "x" * MOST),
        *('"30s"', '"-1s"', '"1e9d"', '"0"', "[wish]", "[[wish]]", "[channels]", "[endpoints]", "token = ", '""'),
        *('"http://[::1"', '"ircs://a:99999"', '"https://\\u202e"', '"irc://127.0.0.1:0"', '"file:///x"'),
        *('"Europe/Rome"', '"../../etc/passwd"', '"23:00-07:30"', "-0", "0.0", "1_000", "999999999999999999999"),
    )
)


_VALUE = re.compile(rb'"[^"\n]*"|-?\b[0-9][0-9.]*\b|\b(?:true|false)\b')
_VALUES = (
    *(
        b"-1",
        b"0",
        b"1",
        b"2",
        b"7.5",
        b"1000000",
        b"9" * 20,
        b"1e300",
        b"inf",
        b"nan",
        b"true",
        b"false",
        b"[]",
        b"{}",
    ),
    *(
        b'""',
        b'"0s"',
        b'"1s"',
        b'"10m"',
        b'"400d"',
        b'"-2h"',
        b'"alpha"',
        b'"Beta"',
        b'"#x y"',
        b'"\xf0\x9f\x8c\x8a"',
        b'"1001"',
    ),
    *(b'"live"', b'"code"', b'"https://example.org/x"', b'"ircs://h:6697"', b'"127.0.0.1:0"', b'"[::1]:80"', b'"UTC"'),
)


def damaged_toml(data: bytes, luck: random.Random) -> bytes:
    """A config with something wrong in it: values, whole lines, or letters."""
    draw = luck.random()
    if draw < 0.35:
        return damaged(data, luck, TOML_PIECES)
    if draw < 0.7:
        values = [match.span() for match in _VALUE.finditer(data)]
        start, end = pick(luck, values)
        return data[:start] + pick(luck, _VALUES) + data[end:]
    lines = data.split(b"\n")
    for _ in range(luck.choice((1, 1, 2, 3))):
        at, draw = luck.randrange(len(lines)), luck.random()
        name, equals, _value = lines[at].partition(b"=")
        if draw < 0.55 and equals:
            lines[at] = name + b"= " + luck.choice(TOML_PIECES)
        elif draw < 0.7:
            del lines[at]
            lines = lines or [b""]
        elif draw < 0.85:
            lines.insert(at, luck.choice(lines))
        else:
            lines[at] = luck.choice(TOML_PIECES) + lines[at]
    return b"\n".join(lines)
