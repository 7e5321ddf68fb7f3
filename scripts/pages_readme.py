"""The README's table of what was measured: sentences by hand, every number in them from docs/results/."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
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
        "{chaos.high: Of what the oracle could have, crowded hours} %; a limit broken: {chaos.high: Broken: joins}, "
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
        "{speed: scan: Scanning tagged chat, times miniirc, the fastest of the others} × the fastest of seven Python "
        "parsers, which finds the same",
        "",
    ),
    (
        "CPU for each line over TLS",
        "at 2,000 lines/s "
        "{speed: net: CPU a line, times that of receive and discard: allthepoints, 2,000 lines/s} ×, at 10,000 lines/s "
        "{speed: net: CPU a line, times that of receive and discard: allthepoints, 10,000 lines/s} × "
        "a loop that receives and throws away",
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
        "{crash: From the start of a process to the right rooms} s",
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
        "an hour in {busy: Rooms at each look} chats with {busy: Lines a second that it got} lines/s over TLS "
        "(`scripts/bench busy`)",
        "{busy: CPU of one core, in all} % of one core, {busy: After 60 min: memory (RSS)} MB at the end",
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
"""A number stands as `{file: claim}`, the median; `{file.low: claim}` and so on for the others."""

_NUMBER = re.compile(r"\{(\w+)(?:\.(\w+))?: ([^{}]+)\}")


def measured() -> str:
    """Raises KeyError for a claim that no bench has recorded."""
    return table(HEAD, ([_NUMBER.sub(_found, cell) for cell in row] for row in ROWS))


def readme(now: str) -> str:
    """The README with the table as it has to be. Raises ValueError where it has no place for it."""
    before, _, rest = now.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"README.md: {BEGIN} and {END} are not both there")
    return f"{before}{BEGIN}\n\n{measured()}\n\n{END}{after}"


def _found(place: re.Match[str]) -> str:
    file, which, claim = place.groups()
    return number(_figures(file)[claim][which or "median"])


@cache
def _figures(file: str) -> Mapping[str, Mapping[str, Any]]:
    told = json.loads((RESULTS / f"{file}.json").read_text(encoding="utf-8"))
    return {figure["claim"]: figure for figure in told["figures"]}
