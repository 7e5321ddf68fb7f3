"""`status`: am I in? Reads what the service left in the database, whether it runs or not."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from allthepoints.base.types import JSON
from allthepoints.cli import output
from allthepoints.cli.globals import JSON_FLAG, Flag
from allthepoints.cli.here import Here
from allthepoints.ports import HELIX, ChannelRow
from allthepoints.storage import lock
from allthepoints.storage.read import Reader, Status
from allthepoints.views.channels import channel_lines, in_order, matters, quiet
from allthepoints.views.columns import wrapped
from allthepoints.views.sentence import Glance, Trouble, sentence, trouble_lines
from allthepoints.views.text import count, duration, helix_left, iso, when

QUIET = 180.0
"""Seconds without a sign of life (one is due every minute) after which a service that runs seems to be stuck."""

COUNTS = ("connections", "wanted", "present", "waiting", "refused")


@dataclass(frozen=True, slots=True)
class Report:
    """What `status` knows. Rows and troubles of a service that does not run are not those of now."""

    running: bool
    alive: float | None
    account: Mapping[str, JSON] | None
    chat: Mapping[str, int]
    rows: tuple[ChannelRow, ...]
    troubles: tuple[Trouble, ...]
    helix: Mapping[str, int] | None = None
    wishes: int = 0
    """Those within reach."""


ALL = Flag("--all", "everything", "Show offline channels too.")
FLAGS = (JSON_FLAG, ALL)


def fast(where: Here, flags: AbstractSet[Flag]) -> None:
    """Am I in? The state of the service and of each channel."""
    report = read_report(where)
    if JSON_FLAG in flags:
        output.say_json(as_plain(report))
    else:
        _show(where, report, ALL in flags)


def read_report(where: Here) -> Report:
    """The state as of now. Raises FaultError for a database that cannot be read."""
    data = where.data
    running = lock.holder(data.lock) is not None
    seen = Reader(data.database).status()
    if not running:
        rows = tuple(_asleep(row, seen.alive) for row in seen.channels)
        return Report(False, seen.alive, seen.account, dict.fromkeys(COUNTS, 0), rows, ())
    chat = seen.service.get("chat")
    counts = {name: _whole(chat.get(name)) if isinstance(chat, Mapping) else 0 for name in COUNTS}
    return Report(
        True,
        seen.alive,
        seen.account,
        counts,
        seen.channels,
        _troubles(seen),
        _points(seen),
        _whole(seen.service.get("wishes")),
    )


def as_plain(report: Report) -> dict[str, JSON]:
    """The contract's JSON."""
    account = report.account
    return {
        "running": report.running,
        "account": None if account is None else {"login": account.get("login"), "user_id": account.get("user_id")},
        "chat": dict(report.chat),
        "channels": [channel_plain(row) for row in report.rows],
        "helix": None if report.helix is None else dict(report.helix),
        "warnings": [
            {"code": t.code, "severity": t.severity, "title": t.title, "text": t.text, "since": iso(t.since)}
            for t in report.troubles
        ],
    }


def channel_plain(row: ChannelRow) -> dict[str, JSON]:
    """A channel as the contract has it."""
    return {
        "login": row.login,
        "id": row.id,
        "live": row.live,
        "state": row.state,
        "reason": row.reason,
        "since": None if row.since is None else iso(row.since),
        "points": row.points,
        "rate_per_hour": row.rate_per_hour,
        "verdict": row.verdict,
    }


def _show(where: Here, report: Report, everything: bool) -> None:
    now = where.now()
    if not report.running:
        _show_asleep(where, report, now)
        return
    rows = in_order(report.rows if everything else filter(matters, report.rows))
    _say(sentence(Glance.of(report.rows, report.troubles, report.account is not None, report.wishes), now))
    if rows:
        output.say()
        for line in channel_lines(rows, now, width=output.width(), ascii_only=output.ascii_only()):
            output.say(line.text)
    if len(rows) < len(report.rows):
        output.say(f"and {quiet(report.rows)} (--all shows them)")
    if report.troubles:
        output.say()
        for text in trouble_lines(report.troubles, now):
            _say(text)
    output.say()
    _say(_footer(report))
    if report.alive is not None and now - report.alive > QUIET:
        output.warn(f"the service runs, but gave no sign of life for {duration(now - report.alive)}")


def _say(text: str) -> None:
    for line in wrapped(text, output.width()):
        output.say(line)


def _show_asleep(where: Here, report: Report, now: float) -> None:
    data = where.data
    if report.alive is None and not data.tokens.exists() and "ALLTHEPOINTS_TWITCH_TOKEN" not in os.environ:
        _say("Not signed in, and nothing was recorded yet.")
        output.say()
        _say("Sign in with `allthepoints login`, then start with `allthepoints run`.")
        _say("To see it work without an account: `allthepoints demo`.")
        return
    last = f" It was last seen {when(report.alive, now)}." if report.alive is not None else ""
    _say(f"Not running, so you are in no chat.{last} Start it with `allthepoints run`.")
    if report.account is not None:
        output.say()
        _say(f"Account {report.account.get('login')}, {count(len(report.rows), 'channel')} known.")


def _footer(report: Report) -> str:
    who = f"Account {report.account.get('login')}, " if report.account is not None else "No account yet, "
    chat = report.chat
    return (
        f"{who}{count(chat['connections'], 'chat connection')}; "
        f"{count(len(report.rows), 'channel')}, {chat['wanted']:,} wanted, {chat['present']:,} present, "
        f"{chat['waiting']:,} waiting, {chat['refused']:,} refused.{_helix(report)}"
    )


def _helix(report: Report) -> str:
    return "" if report.helix is None else f" {helix_left(report.helix['remaining'], report.helix['limit'])}."


def _asleep(row: ChannelRow, alive: float | None) -> ChannelRow:
    """What it has been left at is known still: the points."""
    return ChannelRow(row.id, row.login, row.display, None, "absent", since=alive, points=row.points)


def _points(seen: Status) -> Mapping[str, int] | None:
    found = seen.service.get(HELIX)
    if not isinstance(found, Mapping):
        return None
    return {name: _whole(found.get(name)) for name in ("remaining", "limit")}


def _troubles(seen: Status) -> tuple[Trouble, ...]:
    found = seen.service.get("warnings")
    if not isinstance(found, Sequence) or isinstance(found, str):
        return ()
    return tuple(_trouble(entry) for entry in found if isinstance(entry, Mapping))


def _trouble(entry: Mapping[str, JSON]) -> Trouble:
    code, severity, title, text = (str(entry.get(key) or "") for key in ("code", "severity", "title", "text"))
    since = entry.get("since")
    return Trouble(code, severity, title, text, float(since) if isinstance(since, int | float) else 0.0)


def _whole(value: JSON) -> int:
    return int(value) if isinstance(value, int | float) else 0
