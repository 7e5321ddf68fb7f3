"""`status`: am I in? Reads what the service left in the database, whether it runs or not."""

from __future__ import annotations

import os
from collections.abc import Set as AbstractSet

from allthepoints.base.errors import ConfigError, FaultError
from allthepoints.cli import output
from allthepoints.cli.globals import JSON_FLAG, Flag
from allthepoints.cli.here import Here
from allthepoints.views.channels import channel_lines, in_order, matters, quiet
from allthepoints.views.columns import wrapped
from allthepoints.views.plain import status_plain
from allthepoints.views.report import Report, stuck
from allthepoints.views.report import read_report as report_of
from allthepoints.views.sentence import trouble_lines
from allthepoints.views.text import count, helix_left

ALL = Flag("--all", "everything", "Show offline channels too.")
HEALTHY = Flag("--healthy", "healthy", "For health checks: end with 1 unless the service runs and shows that it lives.")
FLAGS = (JSON_FLAG, ALL, HEALTHY)


def fast(where: Here, flags: AbstractSet[Flag]) -> None:
    """Am I in? The state of the service and of each channel."""
    report = read_report(where)
    if JSON_FLAG in flags:
        output.say_json(status_plain(report))
    elif HEALTHY not in flags:
        _show(where, report, ALL in flags)
    if HEALTHY in flags:
        _refuse_unhealthy(report, where.now())


def read_report(where: Here) -> Report:
    """The state as of now. Raises FaultError for a database that cannot be read."""
    return report_of(where.data)


def _refuse_unhealthy(report: Report, now: float) -> None:
    """Troubles with the other side are no illness: starting anew would not cure them."""
    if not report.running:
        raise FaultError("no service runs", "Start it with `allthepoints run`.")
    if report.alive is None:
        raise FaultError("the service runs, and gave no sign of life yet")
    if quiet_for := stuck(report, now):
        raise FaultError(quiet_for, "Its log tells more; start it anew.")


def _show(where: Here, report: Report, everything: bool) -> None:
    now = where.now()
    if not report.running:
        _show_asleep(where, report, now)
        return
    rows = in_order(report.rows if everything else filter(matters, report.rows))
    _say(report.sentence(now, _usual(where, report, now) if report.nobody_live else ""))
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
    if quiet_for := stuck(report, now):
        output.warn(quiet_for)


def _say(text: str) -> None:
    for line in wrapped(text, output.width()):
        output.say(line)


def _usual(where: Here, report: Report, now: float) -> str:
    """A config that cannot be used is told by the service."""
    from allthepoints.cli.known import zone_in
    from allthepoints.views.usual import read_usual
    from allthepoints.views.zone import MachineZone

    try:
        zone = zone_in(where)
    except ConfigError:
        zone = MachineZone()
    return read_usual(where.data.database, in_order(report.rows), now, zone)


def _show_asleep(where: Here, report: Report, now: float) -> None:
    data = where.data
    if report.alive is None and not data.tokens.exists() and "ALLTHEPOINTS_TWITCH_TOKEN" not in os.environ:
        _say("Not signed in, and nothing was recorded yet.")
        output.say()
        _say("Sign in with `allthepoints login`, then start with `allthepoints run`.")
        _say("To see it work without an account: `allthepoints demo`.")
        return
    _say(report.sentence(now))
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
