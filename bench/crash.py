"""kill -9, again and again, on a busy day: nothing that was recorded is lost, and nothing is paid twice.

    python bench/crash.py [--kills 100] [--seed 1] [--json] [--record]

Real time, real processes, loopback. `allthepoints simulate` is the other side, in a process of its own: channels go on
and off the air, connections are cut, points come every two seconds, and in the first half of it two channels ban us
while we sit in their chats. `allthepoints run` is started, lives for a moment
whose length is drawn (from its lock on, or, one in five, from its start), is ended by SIGKILL, and is started again at
once on what it left; redemptions are asked for all the while, and wishes are bought by themselves. Access tokens
expire, before its start or while it lives, and some renewals are done and never answered: where a new pair is lost with
the process, only a person can help, who signs in anew. What a dead process left is looked at in a copy, so that the
next one finds it as it was.

After each kill it must hold (`broken` says which did not):

integrity      `PRAGMA integrity_check` says ok
kept           every row that could be read just before the kill, or was left by the one before, is still there: events,
               intervals of presence, sessions, the ledger, redemptions, prices, what a person asked for, channels with
               their logins, items, balances, where they are at StreamElements, bans, what was announced, notes, and of
               the budgets what may still count; what was final is as it was
consistent     no two intervals of presence of a channel overlap; of what was claimed when it died nothing lasts longer
               than its life did; each entry of a ledger follows from the one before
told twice     no stream was announced twice, and the last one that was is the one that is remembered
lock           the next process has the lock as soon as it is loaded (LOCKED_WITHIN), and none ends by itself
and, by the sandbox's own count at the end,
paid twice     no redemption was taken twice, and no wish was bought more often than it is wished for
booked         what the program holds for accepted was taken, what was taken it holds for nothing else in the end, and
               nothing was taken of which it has no row; nor was anything asked for that it does not know of in the
               end; wishes by their number
ban            after word of a ban had come no process asked to be let in again, nor after its row could be read; in the
               end the row of each still stands
limits         no more than 20 JOINs or logins in 10 s, though nobody remembers them but the database; no refresh token
               is sent twice, but for once by a process that finds it sent without an answer, its access token dead
plan           each tenth time, in the middle and at the end, it is left alone for a while: it sits where it should,
               and nowhere else (many of the others have come as far when they are killed: they are counted)
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import apsw
import msgspec
import results as results_file
import table
from results import Figure

from allthepoints.base.clock import Chance
from allthepoints.base.types import JSON, Login
from allthepoints.config.paths import DataDir
from allthepoints.core.records import EventKind
from allthepoints.core.redeem import FINAL
from allthepoints.ports import StoredTokens
from allthepoints.storage.ask import ask
from allthepoints.storage.lock import holder
from allthepoints.storage.tokenfile import decoded

CHANNELS = 8
ON_AIR = 3
"""At once. More would need more JOINs than a process that starts every second may send."""

BANS = 2
"""Channels that ban us, each at a kill that is drawn from the first half of the day: as many come after."""

WANTED = 3
"""How often each wish is to be bought."""

EARLY = 0.2
"""What share of the processes may be killed before they have the lock."""

SETTLED_EVERY = 10
"""Kills between two looks whether it comes to the right rooms when it is left alone."""

MANY = 500
"""Kills from which on RENEWALS, MID_RENEWAL and SAT_RIGHT must have been met."""

RENEWALS = 40
MID_RENEWAL = 3
"""80 kills came to 13 renewals and 2 such kills: 81 and 12 of so many. What is rare varies, so its floor is low."""

SAT_RIGHT = 0.25
"""The part of so many kills that must have met a process in the right rooms: it was 0.7."""

LOCKED_WITHIN = 20.0
"""Seconds from a start to the lock: what it takes to load the program on a slow machine, and no wait for the dead."""

PATIENCE = 60.0
"""Real seconds for what takes a few."""

LOOK = 0.02

PROGRAM = (sys.executable, "-m", "allthepoints")

SCENARIO = """
device_approve_after = 0.5
[limits]
elements_per_minute = 1000000
"""

CHANNEL = """
[[channels]]
login = "room_{n}"
balance = 1000000
loyalty = {{ interval = 2.0, lag = 0.0 }}
store = [{{ name = "One", cost = {cost}, asks = ["Key"] }}, {{ name = "Treat", cost = 7, id = "{item:024x}" }}]
"""

CONFIG = """
[twitch]
client_id = "sandbox"
[dashboard]
listen = ""
[poll]
live = "500ms"
offline_after = "1s"
balance = "1s"
store = "2s"
[chat]
ask_timeout = "2s"
idle_ping = "2s"
pong_timeout = "1s"
welcome_timeout = "3s"
[endpoints]
irc = "{irc}"
helix = "{helix}"
oauth = "{oauth}"
streamelements = "{streamelements}"
"""

WISH = """
[[wish]]
channel = "room_{n}"
item = "Treat"
auto = true
max_cost = 100
count = {wanted}
"""


# -- what a database holds ---------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Kept:
    """A table that only grows. `key`: the columns that name a row; `fixed`: those that never change, `once` those that
    are filled once, and then stay; `where`: which rows stay for ever; `fresh`: those stay that are no older than so
    many seconds, by `at` and the newest of them."""

    key: tuple[str, ...]
    fixed: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    where: str = "TRUE"
    fresh: float | None = None
    more: tuple[str, ...] = ()
    """Columns that may change, and are looked at for what they say."""


TABLES: Mapping[str, Kept] = {
    "events": Kept(("id",), ("at", "kind", "channel", "data")),
    "presence": Kept(("id",), ("channel", "began_at"), ("stream", "ended_at", "why")),
    "sessions": Kept(("stream",), ("channel", "started_at", "first_seen")),
    "ledger": Kept(("ledger", "n"), ("at", "delta", "points", "change")),
    "prices": Kept(("id",), ("channel", "item", "at", "cost")),
    "redemptions": Kept(
        ("id",),
        ("key", "channel", "item", "cost", "asked_at", "answers", "auto"),
        ("sent_at", "settled_at", "bought"),
        more=("state",),
    ),
    "requests": Kept(("id",), ("at", "kind", "login", "data", "key"), ("done_at",), "key IS NOT NULL"),
    "channels": Kept(("id",), ("first_seen",)),
    "logins": Kept(("id",), ("channel", "login", "since")),
    "items": Kept(("channel", "item"), ("first_seen",)),
    "ledgers": Kept(("no",), ("channel",)),
    "balances": Kept(("channel",)),
    "loyalty": Kept(("channel",), (), ("se", "currency", "enabled", "amount", "interval", "multiplier", "ignored")),
    "refusals": Kept(("channel",), ("at", "why", "text"), where="why IN ('banned', 'put_out')"),
    "told": Kept(("channel",), more=("stream",)),
    "attempts": Kept(("id",), ("what", "at", "count"), fresh=300.0),
    "notes": Kept(("key",)),
}

Rows = dict[tuple[Any, ...], dict[str, Any]]
State = dict[str, Rows]


def read(path: Path) -> State:
    """All of it, by one transaction. Raises apsw.Error."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        connection.set_busy_timeout(2000)
        with connection:
            return {name: _rows(connection, name, kept) for name, kept in TABLES.items()}
    finally:
        connection.close()


def _rows(connection: apsw.Connection, name: str, kept: Kept) -> Rows:
    columns = (*kept.key, *kept.fixed, *kept.once, *kept.more)
    found = connection.execute(f"SELECT {', '.join(columns)} FROM {name} WHERE {kept.where}")
    return {row[: len(kept.key)]: dict(zip(columns, row, strict=True)) for row in found}


def lost(before: State, now: State) -> Iterator[str]:
    """What stood there and stands there no more, or otherwise."""
    for name, kept in TABLES.items():
        for key, row in _staying(kept, before.get(name, {})).items():
            found = now[name].get(key)
            if found is None:
                yield f"{name} {key} is gone"
                continue
            wrong = [column for column in kept.fixed if found[column] != row[column]]
            wrong += [column for column in kept.once if row[column] is not None and found[column] != row[column]]
            if name == "redemptions" and row["state"] in FINAL and found["state"] != row["state"]:
                wrong.append("state")
            if wrong:
                yield f"{name} {key}: {', '.join(f'{c} {row[c]!r} became {found[c]!r}' for c in wrong)}"


def _staying(kept: Kept, rows: Rows) -> Rows:
    """Those that must be there at the next look."""
    if kept.fresh is None or not rows:
        return rows
    oldest = max(row["at"] for row in rows.values()) - kept.fresh
    return {key: row for key, row in rows.items() if row["at"] >= oldest}


def inconsistent(state: State) -> Iterator[str]:
    """What cannot all be true."""
    last: dict[str, float] = {}
    for (number,), row in sorted(state["presence"].items()):
        channel, end = row["channel"], row["ended_at"]
        if row["began_at"] < last.get(channel, 0.0):
            yield f"presence {number} begins before the one before it has ended"
        if end is not None and end < row["began_at"]:
            yield f"presence {number} ends before it begins"
        last[channel] = float("inf") if end is None else end
    points: dict[Any, int] = {}
    for (ledger, n), row in sorted(state["ledger"].items()):
        if ledger in points and points[ledger] + row["delta"] != row["points"]:
            yield f"ledger {ledger}, entry {n}: {points[ledger]} {row['delta']:+} is not {row['points']}"
        points[ledger] = row["points"]


def told_twice(state: State) -> Iterator[str]:
    """Streams that were announced more than once, and those of which another is remembered than the last."""
    last: dict[str, str] = {}
    times: Counter[tuple[str, str]] = Counter()
    for _, row in sorted(state["events"].items()):
        if row["kind"] == EventKind.LIVE:
            stream = last[row["channel"]] = json.loads(row["data"])["stream"]
            times[row["channel"], stream] += 1
    yield from (f"stream {stream} of {channel}: {n} times" for (channel, stream), n in times.items() if n > 1)
    remembered = {channel: row["stream"] for (channel,), row in state["told"].items()}
    for channel in sorted(last.keys() | remembered.keys()):
        if last.get(channel) != remembered.get(channel):
            yield f"{channel}: {last.get(channel)} was the last, {remembered.get(channel)} is remembered"


def claimed_dead(before: State, now: State, killed_at: float) -> Iterator[str]:
    """Presence that was open when the process died, and is said to have lasted beyond that."""
    for key, row in before.get("presence", {}).items():
        end = now["presence"][key]["ended_at"] if key in now["presence"] else None
        if row["ended_at"] is None and end is not None and end > killed_at:
            yield f"presence {key} ends {end - killed_at:.3f} s after the kill"


# -- the other side ----------------------------------------------------------------------------------------------------
class Box:
    """The sandbox, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        file = folder / "scenario.toml"
        channels = (CHANNEL.format(n=n, cost=100 + n, item=0xA0 + n) for n in range(CHANNELS))
        file.write_text(SCENARIO + "".join(channels), encoding="utf-8")
        command = [*PROGRAM, "simulate", "--json", "--scenario", str(file)]
        self._out = (folder / "sandbox.out").open("w+b")
        self._process = subprocess.Popen(command, stdout=self._out, stderr=subprocess.DEVNULL, env=_environment(folder))
        self.hello = self._first_line(folder / "sandbox.out")

    def _first_line(self, path: Path) -> dict[str, Any]:
        until(lambda: b"\n" in path.read_bytes() or self._process.poll() is not None, "the sandbox's first line")
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
        return found

    def call(self, path: str, **body: object) -> Any:
        import httpx2

        url = f"{self.hello['endpoints']['control']}/{path}"
        with httpx2.Client(trust_env=False) as client:
            answer = client.post(url, json=body) if body else client.get(url)
        answer.raise_for_status()
        return answer.json()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._out.close()


def _environment(home: Path, **more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ALLTHEPOINTS_", "XDG_"))}
    return {**kept, "HOME": str(home), **more}


def until(holds: Callable[[], object], what: str, within: float = PATIENCE) -> float:
    """Wait for that; answers the seconds that it took. Raises TimeoutError."""
    start = time.monotonic()
    while not holds():
        if time.monotonic() - start > within:
            raise TimeoutError(f"not within {within:g} s: {what}")
        time.sleep(LOOK)
    return time.monotonic() - start


# -- one kill after another --------------------------------------------------------------------------------------------
@dataclass(slots=True)
class Outcome:
    """What was seen. `broken`: what did not hold, in words, at most a few of each."""

    kills: int = 0
    before_lock: int = 0
    """Kills of a process that did not have the lock yet."""
    sat_right: int = 0
    """Kills of a process that had come to the right rooms."""
    bans: int = 0
    knew: int = 0
    """Kills after word of the first ban had been written."""
    timeouts: int = 0
    expiries: int = 0
    renewals: int = 0
    """As the sandbox did them, answered or not."""
    mid_renewal: int = 0
    """Kills of a process that had sent its refresh token, and had kept no answer."""
    found_spent: int = 0
    """Starts on what such a process left."""
    sign_ins: int = 0
    """New sign-ins, where the answer of a renewal was lost."""
    asked: int = 0
    taken: int = 0
    events: int = 0
    entries: int = 0
    ready_s: list[float] = field(default_factory=list)
    """From the start of a process to its lock."""
    settled_s: list[float] = field(default_factory=list)
    """From the start of a process to the right rooms."""
    cycle_s: list[float] = field(default_factory=list)
    broken: dict[str, list[str]] = field(default_factory=dict)

    def breaks(self, what: str, details: Iterator[str] | list[str]) -> None:
        for detail in details:
            kept = self.broken.setdefault(what, [])
            if len(kept) < 5:
                kept.append(f"kill {self.kills}: {detail}")


class Crash:
    """The sandbox, the data directory, and one process after another."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._chance = Chance(seed)
        self._box = Box(folder)
        self._data = DataDir(folder / "data")
        self._on_air: list[str] = []
        self._left: State = {}
        self._killed_at = 0.0
        self._life = 2.0
        self._over: set[str] = set()
        """Sign-ins that have ended, by what the program calls the environment of each."""
        self._found: str | None = None
        """The refresh token that the last process found sent, without an answer."""
        self._asked: set[str] = set()
        self._bans_at: set[int] = set()
        self._banned: list[str] = []
        self._tried: dict[str, int] = {}
        """JOINs of each channel after its ban, as many as there were when the row of it was first seen."""
        self._pair: tuple[str, str] = self._box.hello["token"], self._box.hello["refresh_token"]
        self.outcome = Outcome()
        endpoints = self._box.hello["endpoints"]
        wishes = "".join(WISH.format(n=n, wanted=WANTED) for n in range(CHANNELS))
        (folder / "config.toml").write_text(CONFIG.format(**endpoints) + wishes, encoding="utf-8")

    def play(self, kills: int) -> Outcome:
        """All of it."""
        try:
            self._change_air()
            self._settle("at the start")
            self._life = 1.5 * self.outcome.settled_s[0]
            half = max(1, kills // 2)
            self._bans_at = {int(self._chance.draw() * half) for _ in range(BANS)}
            for number in range(kills):
                start = time.monotonic()
                self._one(number)
                self.outcome.cycle_s.append(time.monotonic() - start)
                if number + 1 == half:  # so it knows of the bans, and half of the kills are of one that does
                    self._settle("in the middle", fully=True)
                elif (number + 1) % SETTLED_EVERY == 0:
                    self._settle("after a while")
            self._settle("at the end", fully=True)
            self._count()
        finally:
            self._box.close()
        return self.outcome

    def _one(self, number: int) -> None:
        self._stir(number)
        before: State = {}
        with self._service() as process:
            self._let_live(process, number)
            with contextlib.suppress(apsw.Error):  # a process that has only begun may not let anybody read yet
                before = read(self._data.database)
            if process.poll() is not None:
                self.outcome.breaks("lock", [f"a process ended by itself with {process.returncode}"])
            self.outcome.before_lock += holder(self._data.lock) != process.pid
            self.outcome.sat_right += self._sits_right()
            process.send_signal(signal.SIGKILL)
            killed_at = time.time()
            process.wait()
        self.outcome.kills += 1
        self._box.call("heal", name="refresh_lost")  # nobody may have come to it, and the next one is not to meet it
        self.outcome.mid_renewal += self._unanswered() not in (None, self._found)
        self._look(before, killed_at)

    def _let_live(self, process: subprocess.Popen[bytes], number: int) -> None:
        """For a drawn time: mostly from its lock on, for what comes before is little but imports. Something may happen
        to it in the meantime."""
        if self._chance.draw() >= EARLY:
            until(lambda: process.poll() is not None or holder(self._data.lock) == process.pid, "the lock")
        life = self._life * self._chance.draw()
        if number in self._bans_at:
            self._ban()
        elif (luck := self._chance.draw()) < 0.23:
            time.sleep(life / 2)
            life /= 2
            if luck < 0.1:
                self._box.call("fault", name="timeout_us", **{"with": {"channel": self._on_air[-1]}})
                self.outcome.timeouts += 1
            else:
                self._expire(unanswered=luck < 0.18)
        time.sleep(life)

    def _expire(self, unanswered: bool = False) -> None:
        """The access token. `unanswered`: the next renewal is done, and nobody is told."""
        if unanswered:
            self._box.call("fault", name="refresh_lost", **{"with": {"how": "hang"}})
        self._box.call("fault", name="expire_token", **{"with": {"cut_chat": self._chance.draw() < 0.5}})
        self.outcome.expiries += 1

    def _ban(self) -> None:
        """By a channel in whose chat it sits."""
        sits: list[str] = []
        with contextlib.suppress(TimeoutError):
            until(lambda: sits.extend(self._box.call("state")["rooms"]) or sits, "a chat that can ban us")
        for room in sits[:1]:
            self._box.call("fault", name="ban", **{"with": {"channel": room}})
            self._banned.append(room)
            self.outcome.bans += 1

    def _look(self, before: State, killed_at: float) -> None:
        """At a copy of what is left."""
        with tempfile.TemporaryDirectory(dir=self._folder) as copy:
            path = Path(copy) / self._data.database.name
            for file in self._data.path.glob(f"{self._data.database.name}*"):
                shutil.copy(file, copy)
            connection = apsw.Connection(str(path))
            verdict = connection.execute("PRAGMA integrity_check").get
            connection.close()
            now = read(path)
        if verdict != "ok":
            self.outcome.breaks("integrity", [str(verdict)])
        self.outcome.breaks("kept", lost(self._left, now))
        self.outcome.breaks("kept", lost(before, now))
        self.outcome.breaks("consistent", inconsistent(now))
        self.outcome.breaks("consistent", claimed_dead(self._left, now, self._killed_at))
        self.outcome.breaks("told twice", told_twice(now))
        self._left, self._killed_at = now, killed_at
        self.outcome.knew += bool(before and self._tried)
        self._look_at_bans()

    def _look_at_bans(self) -> None:
        """Nobody is there to ask for a room now: what is counted was asked before the row could be read."""
        known = [room for room in self._banned if room not in self._tried and self._refused(room)]
        for room in known:
            self._tried[room] = self._joins_after_ban(room)

    def _refused(self, room: str) -> bool:
        """Whether the row of a ban was there when it was last looked at."""
        return (self._id(room),) in self._left["refusals"]

    def _joins_after_ban(self, room: str) -> int:
        return sum(one["channel"] == self._id(room) for one in self._box.call("tally")["after_ban"])

    def _id(self, room: str) -> str:
        return next(row["channel"] for row in self._left["logins"].values() if row["login"] == room)

    # -- what happens in the meantime ------------------------------------------------------------------------------
    def _stir(self, number: int) -> None:
        """Somebody buys something, or looks around. Sometimes the air changes, or something breaks."""
        room = f"room_{number % CHANNELS}"
        cost, key = 100 + number % CHANNELS, f"k{number}"
        items = [row["item"] for row in self._left["prices"].values() if row["cost"] == cost]
        if items and self._chance.draw() < 0.7:
            data: dict[str, JSON] = {"key": key, "item": items[0], "cost": cost, "answers": [key]}
            ask(self._data.database, "redeem", Login(room), time.time(), data, key)
            self._asked.add(key)
            self.outcome.asked += 1
        elif items:
            ask(self._data.database, "look", Login(room), time.time())  # with which a wish may come within reach
        luck = self._chance.draw()
        if luck < 0.1:
            self._change_air()
        elif luck < 0.2:
            self._box.call("fault", name="reset", **{"with": {"connection": "all"}})
        elif luck < 0.3:
            self._box.call("fault", name="slow_booking", **{"with": {"n": 1, "delay": 0.5}})
        elif luck < 0.35:
            self._box.call("fault", name="booked_no_answer", **{"with": {"n": 1}})
        elif luck < 0.45:
            self._expire()

    def _change_air(self) -> None:
        """One more goes on the air; of too many the one that was first goes off."""
        while True:
            room = f"room_{int(self._chance.draw() * CHANNELS)}"
            if room not in self._on_air:
                self._on_air.append(room)
                self._box.call("live", channel=room, live=True)
            if len(self._on_air) > ON_AIR:
                # Who has banned us stays on until that was written: a ban of which nobody hears shows nothing.
                first = next(room for room in self._on_air if room not in self._banned or room in self._tried)
                self._on_air.remove(first)
                self._box.call("live", channel=first, live=False)
                return
            if len(self._on_air) == ON_AIR and not self._left:
                return

    def _settle(self, when: str, fully: bool = False) -> None:
        """It is left alone, until it sits where it should; then it is ended in order. If it finds that its sign-in was
        lost with the one before it, it is started once more, signed in anew."""
        if self._sits_still(when, fully) or self._sits_still(when, fully):
            return
        self.outcome.breaks("plan", [f"{when}: signed out, right after a new sign-in"])

    def _sits_still(self, when: str, fully: bool) -> bool:
        """False where only a new sign-in can help."""
        with self._service() as process:
            start = time.monotonic()
            try:
                self.outcome.ready_s.append(until(lambda: holder(self._data.lock) == process.pid, "the lock"))
                until(lambda: self._sits_right() or self._signed_out(), "the right rooms")
                if not self._signed_out():
                    self.outcome.settled_s.append(time.monotonic() - start)
                    self._finish(fully)
            except TimeoutError as error:
                self.outcome.breaks("plan", [f"{when}: {error}; {self._box.call('state')['rooms']} for {self._on_air}"])
            process.terminate()
            process.wait(PATIENCE)
        self._look({}, time.time())
        return not self._signed_out()

    def _finish(self, fully: bool) -> None:
        """What is waited for beside the rooms. Raises TimeoutError."""
        if not self._left:
            self._look_around()
        if fully:
            until(self._nothing_waits, "nothing waits to be bought")
            until(self._all_refused, "every ban is known")

    # -- the sign-in -----------------------------------------------------------------------------------------------
    def _kept(self) -> StoredTokens | None:
        """What is in the token file of the present sign-in. That of the one before stays there until there is news."""
        try:
            kept = decoded(self._data.tokens.read_bytes())
            return kept if kept.origin not in self._over else None
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, ValueError) as error:
            self.outcome.breaks("integrity", [f"the token file: {error}"])
            return None

    def _unanswered(self) -> str | None:
        """The refresh token that was sent and has no answer."""
        kept = self._kept()
        return kept.refresh.reveal() if kept is not None and kept.refresh is not None and kept.refresh_spent else None

    def _signed_out(self) -> bool:
        """Whether it was told that its refresh token is worth nothing, and remembers that."""
        kept = self._kept()
        return kept is not None and kept.refresh is None

    def _sign_in_anew(self) -> None:
        """As at the start, by the environment: one that is changed is newer than the file."""
        if kept := self._kept():
            self._over.add(kept.origin)
        found = self._box.call("tokens", account=None)
        self._pair = found["access_token"], found["refresh_token"]
        self.outcome.sign_ins += 1

    def _sits_right(self) -> bool:
        """By the sandbox's own look."""
        return set(self._box.call("state")["rooms"]) == set(self._on_air) - set(self._banned)

    def _look_around(self) -> None:
        """As `allthepoints store` does for each channel, before anything can be bought there."""
        ask(self._data.database, "allow_auto", None, time.time(), {"allowed": True})
        for n in range(CHANNELS):
            ask(self._data.database, "look", Login(f"room_{n}"), time.time())
        until(lambda: len(read(self._data.database)["prices"]) >= 2 * CHANNELS, "all stores are read")

    def _all_refused(self) -> bool:
        return len(read(self._data.database)["refusals"]) >= len(self._banned)

    def _nothing_waits(self) -> bool:
        now = read(self._data.database)
        unasked = any(row["done_at"] is None for row in now["requests"].values())
        return not unasked and not any(row["state"] in ("confirmed", "sent") for row in now["redemptions"].values())

    def _count(self) -> None:
        """By the sandbox's own count."""
        tally, out = self._box.call("tally"), self.outcome
        by_key = Counter(one["input"][0] for one in tally["redemptions"] if one["input"])
        wished = Counter(one["channel"] for one in tally["redemptions"] if one["name"] == "Treat")
        out.taken = len(tally["redemptions"])
        out.breaks("paid twice", [f"{key}: {times} times" for key, times in by_key.items() if times > 1])
        out.breaks("paid twice", [f"the wish of {room}: {n} times" for room, n in wished.items() if n > WANTED])
        rows = list(self._left["redemptions"].values())
        out.breaks("booked", misbooked(rows, by_key, wished))
        unknown = self._asked - {row["key"] for row in rows}
        out.breaks("booked", [f"{key} was asked for, and nothing was written" for key in sorted(unknown)])
        stand = {room: self._joins_after_ban(room) for room in self._banned if self._refused(room)}
        out.breaks("ban", wrong_bans(self._banned, self._tried, stand, tally["joins_after_told"]))
        for what in ("join_limit_violations", "login_limit_violations", "chat_lines_sent"):
            if tally[what]:
                out.breaks("limits", [f"{what}: {tally[what]}"])
        out.breaks("limits", reused(tally["refresh_reuse"], tally["refresh_reuse_early"], out.found_spent))
        out.renewals = tally["refreshes"]
        out.events, out.entries = len(self._left["events"]), len(self._left["ledger"])

    @contextlib.contextmanager
    def _service(self) -> Iterator[subprocess.Popen[bytes]]:
        """`allthepoints run`, which is gone when this is left."""
        if self._signed_out():
            self._sign_in_anew()
            self._found = None
        else:
            self._found = self._unanswered()
        self.outcome.found_spent += self._found is not None
        hello = self._box.hello
        env = _environment(
            self._folder,
            ALLTHEPOINTS_CONFIG=str(self._folder / "config.toml"),
            ALLTHEPOINTS_DATA_DIR=str(self._data.path),
            ALLTHEPOINTS_TWITCH_TOKEN=self._pair[0],
            ALLTHEPOINTS_TWITCH_REFRESH_TOKEN=self._pair[1],
            ALLTHEPOINTS_STREAMELEMENTS_JWT=hello["jwt"],
        )
        with (self._folder / "run.err").open("wb") as err:
            process = subprocess.Popen([*PROGRAM, "run", "--plain"], stdout=subprocess.DEVNULL, stderr=err, env=env)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def misbooked(rows: Sequence[Mapping[str, Any]], by_key: Mapping[str, int], wished: Mapping[str, int]) -> list[str]:
    """Where the program's books and the sandbox's count are not the same. `by_key`: taken of those asked for by hand;
    `wished`: taken of each channel's wish."""
    found = [f"{row['key']} is {row['state']}" for row in rows if _wrong(row, by_key)]
    found += [f"{key} was taken, and nothing was written" for key in by_key.keys() - {row["key"] for row in rows}]
    own = [row for row in rows if row["auto"]]
    for channel in {*wished, *(row["channel"] for row in own)}:
        states = [row["state"] for row in own if row["channel"] == channel]
        accepted, unsettled = states.count("accepted"), sum(state not in FINAL for state in states)
        if not accepted <= wished.get(channel, 0) <= accepted + unsettled:
            found.append(
                f"the wish of {channel}: {wished.get(channel, 0)} taken, {accepted} accepted, {unsettled} open"
            )
    return found


def wrong_bans(
    banned: Sequence[str], written: Mapping[str, int], stand: Mapping[str, int], after_told: int
) -> Iterator[str]:
    """What was not kept of bans. `written`, `stand`: of those whose row was ever seen, or is there in the end, how many
    JOINs had come after the ban by then; `after_told`: JOINs of any of them after word of its ban had come."""
    if after_told:
        yield f"{after_told} JOINs after word of a ban had come"
    for room in banned:
        if room not in stand:
            yield f"{room} has banned us, and no row says so in the end"
        elif more := stand[room] - written[room]:
            yield f"{room}: {more} JOINs after its ban was written"


def reused(times: int, early: int, found_spent: int) -> Iterator[str]:
    """Refresh tokens that were sent again (FC-46 b, c): never while the access token that had come with one was good,
    and once by each process that found one sent without an answer. A no costs nothing then."""
    if early:
        yield f"{early} refresh tokens were sent again while the access token was good"
    if times > found_spent:
        yield f"refresh tokens were sent again {times} times, by {found_spent} processes that found one unanswered"


def _wrong(row: Mapping[str, Any], taken: Mapping[str, int]) -> bool:
    """Whether the program's word on a redemption by hand is not what the sandbox counted."""
    if row["auto"] or row["state"] not in FINAL:
        return False  # of what is not final it says nothing yet
    return (row["state"] == "accepted") != bool(taken.get(row["key"]))


# -- all ---------------------------------------------------------------------------------------------------------------
def play(kills: int, seed: int) -> Outcome:
    """So many kills, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return Crash(Path(folder), seed).play(kills)


BROKEN = ("integrity", "kept", "consistent", "told twice", "lock", "paid twice", "booked", "ban", "limits", "plan")


def figures(found: Outcome) -> list[Figure]:
    many = found.kills >= MANY
    figures = [
        Figure("kill -9 of the service on a busy day", "", [found.kills]),
        Figure("Of these, of a process that did not have the lock yet", "", [found.before_lock]),
        Figure(
            "Of these, of a process that had come to the right rooms",
            "",
            [found.sat_right],
            at_least=SAT_RIGHT * found.kills if many else None,
        ),
        Figure("Channels that banned us in the first half of it", "", [found.bans], at_least=1),
        Figure("Kills after word of a ban was written", "", [found.knew], at_least=1),
        Figure("Renewals of the access token", "", [found.renewals], at_least=RENEWALS if many else None),
        Figure("Kills in the middle of one", "", [found.mid_renewal], at_least=MID_RENEWAL if many else None),
        Figure("New sign-ins, where the answer of one was lost with the process", "", [found.sign_ins]),
        Figure("Redemptions taken meanwhile, of those asked for and wished for", "", [found.taken]),
        Figure("From the start of a process to its lock", "s", found.ready_s, at_most=LOCKED_WITHIN, every=True),
        Figure("From the start of a process to the right rooms", "s", found.settled_s),
    ]
    return figures + [
        Figure(f"Broken: {what}", "", [len(found.broken.get(what, []))], at_most=0, every=True) for what in BROKEN
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="kill -9, again and again, on a busy day.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = results_file.argument(parser).parse_args()
    found = play(args.kills, args.seed)
    if args.json:
        table.show_json(asdict(found))
    else:
        rows = [
            ("kills", str(found.kills)),
            ("of them before it had the lock", str(found.before_lock)),
            ("of them when it had come to the right rooms", str(found.sat_right)),
            ("bans", str(found.bans)),
            ("kills after word of a ban was written", str(found.knew)),
            ("timeouts", str(found.timeouts)),
            ("access tokens that expired", str(found.expiries)),
            ("renewals", str(found.renewals)),
            ("kills in the middle of one", str(found.mid_renewal)),
            ("new sign-ins", str(found.sign_ins)),
            ("seconds a kill, median", f"{statistics.median(found.cycle_s):.2f}"),
            ("redemptions asked for", str(found.asked)),
            ("redemptions taken, with wishes", str(found.taken)),
            ("events, entries in ledgers", f"{found.events}, {found.entries}"),
            ("seconds to the lock, median", f"{statistics.median(found.ready_s):.2f}"),
            ("seconds to the right rooms, median", f"{statistics.median(found.settled_s):.2f}"),
            *((f"broken: {what}", str(len(found.broken.get(what, [])) or "never")) for what in BROKEN),
        ]
        table.show(
            "kill -9", ("", ""), rows, [f"{what}: {line}" for what, lines in found.broken.items() for line in lines]
        )
    if args.record:
        results_file.record("crash", f"kill -9, {found.kills} times", figures(found), folder=args.into)
    sys.exit(results_file.code(figures(found)))


if __name__ == "__main__":
    main()
