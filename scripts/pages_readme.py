"""The README's table of what was measured: sentences by hand, every number in them from docs/results/."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pages_reference import RESULTS, number, table

BEGIN, END = "<!-- measured: by scripts/pages.py, from docs/results/ -->", "<!-- measured ends -->"

HEAD = ("what", "this program", "beside it")

ROWS = (
    (
        "chat presence in stormy sandbox days, of what the best of clients could have had",
        "{presence: Of what the oracle could have, stormy day: allthepoints} %",
        "a bot that joins and believes: {presence: Of what the oracle could have, stormy day: the article's bot} %; "
        "the same, restarted by a supervisor whenever it dies: "
        "{presence: Of what the oracle could have, stormy day: the same, supervised} %",
    ),
    (
        "the same in calm days",
        "{presence: Of what the oracle could have, calm day: allthepoints} %",
        "{presence: Of what the oracle could have, calm day: the article's bot} %",
    ),
    (
        "the same in the stormiest, {chaos.runs: Of what the oracle could have, stormiest days} of them "
        "(`scripts/bench chaos --days 1-5 --crowds 1-4 --article`)",
        "{chaos.low: Of what the oracle could have, stormiest days} to "
        "{chaos.high: Of what the oracle could have, stormiest days} %, in an hour with more live channels than rooms "
        "{chaos.low: Of what the oracle could have, crowded hours} to "
        "{chaos.high: Of what the oracle could have, crowded hours} %; limits broken (JOINs, logins, rooms): "
        "{chaos.high: Broken: joins}, {chaos.high: Broken: logins}, {chaos.high: Broken: rooms}; "
        "paid twice: {chaos.high: Broken: doubled}, joined after word of a ban: {chaos.high: Broken: after told}",
        "{chaos.low: stormiest days: the article's bot} to {chaos.high: stormiest days: the article's bot} %, "
        "in such hours {chaos.low: crowded hours: the article's bot} to "
        "{chaos.high: crowded hours: the article's bot} %; supervised: "
        "{chaos.low: stormiest days: the same, supervised} to {chaos.high: stormiest days: the same, supervised} %, "
        "in such hours {chaos.low: crowded hours: the same, supervised} to "
        "{chaos.high: crowded hours: the same, supervised} %",
    ),
    (
        "scanning tagged chat, lines per CPU second",
        "{speed: scan: Scanning tagged chat, times *the fastest of the others} × the fastest of other people's Python "
        "parsers, best pass against best pass ({speed.runs: scan: Scanning tagged chat, times *the fastest of the "
        "others} runs, from {speed.low: scan: Scanning tagged chat, times *the fastest of the others} to "
        "{speed.high: scan: Scanning tagged chat, times *the fastest of the others})",
        "",
    ),
    (
        "CPU for each line over TLS",
        "at 2,000 lines/s "
        "{speed: net: CPU a line, times that of receive and discard: allthepoints, 2,000 lines/s} ×, at 10,000 lines/s "
        "{speed: net: CPU a line, times that of receive and discard: allthepoints, 10,000 lines/s} × "
        "a loop that receives and throws away, its core kept awake",
        "a client that reads line by line: "
        "{speed: net: CPU a line, times that of receive and discard: readline, 10,000 lines/s} ×",
    ),
    (
        "Helix calls a poll, for 2,000 channels that are all live",
        "{speed: poll: Calls a poll, 2,000 channels followed, all live}",
        "one for each channel",
    ),
    (
        "`kill -9` at {crash: kill -9 of the service on a busy day} moments of a busy day "
        "(`scripts/bench crash --kills 500`)",
        "recorded facts lost: {crash: Broken: kept}; paid twice: {crash: Broken: paid twice}; right rooms again after "
        "{crash: From the start of a process to the right rooms} s (the median of "
        "{crash.runs: From the start of a process to the right rooms} starts, from "
        "{crash.low: From the start of a process to the right rooms} to "
        "{crash.high: From the start of a process to the right rooms})",
        "",
    ),
    (
        "{redeem: Confirmed intents, a fault at every step of the way} confirmed redemptions with a fault at every "
        "step, {redeem: Of these, in processes ended by SIGKILL} of them in a process that was killed "
        "(`scripts/bench redeem --count 10000 --kills 100`)",
        "taken twice: {redeem: Confirmed intents taken or sent twice}; said to be had and not taken, or the reverse: "
        "{redeem: Confirmed intents called accepted and not taken, or rejected and taken}; never settled: "
        "{redeem: Confirmed intents unsettled in the end}",
        "",
    ),
    (
        "{busy.star: After * min: memory (RSS)} min in {busy: Rooms at each look} chats with "
        "{busy: Lines a second that it got} lines/s over TLS (`scripts/bench busy`)",
        "{busy: CPU of one core, in all} % of one core; {busy: After * min: memory (RSS)} MB at the end",
        "",
    ),
    (
        "a year of 100 channels (`scripts/bench ledger`)",
        "{ledger: The file} MB; its chart in {ledger: Chart of the whole time, one channel} ms",
        "",
    ),
    ("start to first JOIN", "{speed: start: From `run` to the first JOIN} s", ""),
    ("cold `status`", "{speed: start: A cold `status`, times `python -c pass`} × `python -c pass`", ""),
)
"""A number stands as `{file: claim}`, the median; `{file.low: claim}` and so on for the others. A `*` in the claim
stands for anything, and is itself `{file.star: claim}`."""

NOT_MEASURED = "not measured here"

_NUMBER = re.compile(r"\{(\w+)(?:\.(\w+))?: ([^{}]+)\}")

Figures = Mapping[str, Mapping[str, Any]]
"""Of one bench, by claim."""


def measured(folder: Path = RESULTS) -> str:
    """The table. Of a claim that no bench has recorded it says that it was not measured: a bench leaves out what it
    could not do here, or was not asked to."""
    found = {path.stem: _figures(path) for path in folder.glob("*.json")}
    return table(HEAD, ((_what(what, found), *(_cell(cell, found) for cell in cells)) for what, *cells in ROWS))


def readme(now: str) -> str:
    """The README with the table as it has to be. Raises ValueError where it has no place for it."""
    before, _, rest = now.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"README.md: {BEGIN} and {END} are not both there")
    return f"{before}{BEGIN}\n\n{measured()}\n\n{END}{after}"


def _what(text: str, found: Mapping[str, Figures]) -> str:
    """What was measured; `…` for a number that is not there."""
    return _NUMBER.sub(lambda place: _found(place, found) or "…", text)


def _cell(text: str, found: Mapping[str, Figures]) -> str:
    """What was found. In each of its parts (between semicolons) all from the first number that is not there is left
    out: what stands behind that speaks of it."""
    return "; ".join(_part(part, found) for part in text.split("; "))


def _part(text: str, found: Mapping[str, Figures]) -> str:
    for place in _NUMBER.finditer(text):
        if _found(place, found) is None:
            text = text[: place.start()] + NOT_MEASURED
            break
    return _NUMBER.sub(lambda place: _found(place, found) or "", text)


def _found(place: re.Match[str], found: Mapping[str, Figures]) -> str | None:
    file, which, wanted = place.groups()
    pattern = re.compile("(.*)".join(map(re.escape, wanted.split("*"))))
    for claim, figure in found.get(file, {}).items():
        if named := pattern.fullmatch(claim):
            return named[1] if which == "star" else number(figure[which or "median"])
    return None


def _figures(path: Path) -> Figures:
    told = json.loads(path.read_text(encoding="utf-8"))
    return {figure["claim"]: figure for figure in told["figures"]}
