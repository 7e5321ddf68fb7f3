"""The pages of the reference, each made from the table in the code that it speaks of. `pages.py` writes them."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from allthepoints.base.types import JSON, UserId
from allthepoints.cli import globals as g
from allthepoints.cli import tree
from allthepoints.cli.app import COMMANDS
from allthepoints.cli.backup import BACKUP, RESTORED
from allthepoints.cli.channels import LIST_CHANGE, LISTS_CHANGED, MEANT
from allthepoints.cli.config import CONFIG, PLACES, VERDICT
from allthepoints.cli.config_import import IMPORT_LINE, IMPORTED
from allthepoints.cli.config_init import WRITTEN
from allthepoints.cli.dashboard import PASSWORD
from allthepoints.cli.demo import DEMO
from allthepoints.cli.exits import Exit
from allthepoints.cli.export import ENTRY, REDEEMED, SESSION
from allthepoints.cli.jwt import JWT_FORGOTTEN, JWT_KEPT
from allthepoints.cli.login import CODE, SIGNED_IN, SIGNED_OUT
from allthepoints.cli.notify import TRIED
from allthepoints.cli.priority import ORDER, REORDERED
from allthepoints.cli.store import STORE
from allthepoints.cli.support import BUNDLE, PART
from allthepoints.cli.tally import (
    ANNOUNCED,
    CHANNEL_TALLY,
    ENDPOINTS,
    HAPPENED,
    JOIN_AFTER_BAN,
    SUMMED_UP,
    TAKEN,
    TALLY,
)
from allthepoints.cli.wish import WISH_ADDED, WISH_TAKEN_BACK, WISHES_REMOVED
from allthepoints.core.health import TABLE
from allthepoints.core.model import Lost, Why
from allthepoints.core.news import Kind
from allthepoints.core.records import EventKind
from allthepoints.core.redeem import Reason
from allthepoints.core.warning import Row
from allthepoints.service.snapshot import Snapshot
from allthepoints.views.checkup import CHECKUP, FINDING
from allthepoints.views.event_text import event_text
from allthepoints.views.lines import (
    LIVE_LINE,
    STATE_LINE,
    SUMMARY_LINE,
    UNMEANT_LINE,
    WARNING_LINE,
    WARNING_OVER_LINE,
)
from allthepoints.views.plain import SHAPES, Shape
from allthepoints.views.web import metrics
from allthepoints.views.web.chart import CHART
from allthepoints.views.web.guard import ERROR
from allthepoints.views.wished import WISHED

VARIABLES = {
    "ALLTHEPOINTS_CONFIG": "The config file, where no `--config` says otherwise.",
    "ALLTHEPOINTS_DATA_DIR": "The data directory, where no `--data-dir` says otherwise.",
    "ALLTHEPOINTS_TWITCH_TOKEN": "A token of Twitch's, for a machine without a person. The pair in the token file wins "
    "once it is the newer one.",
    "ALLTHEPOINTS_TWITCH_REFRESH_TOKEN": "What renews it.",
    "ALLTHEPOINTS_TWITCH_CLIENT_SECRET": "For an app that is registered as *Confidential*.",
    "ALLTHEPOINTS_STREAMELEMENTS_JWT": "The JWT that redeeming needs, where none is stored.",
    "HTTPS_PROXY": "Honoured for HTTP. Chat never goes through it.",
    "SSL_CERT_FILE": "Certificates to trust in place of the system's own.",
    "NO_COLOR": "No colour, anywhere.",
}

NOTIFY_FAILING = """## notify_failing

*warning*: **Notifications to … do not get through**

The other places are told, and points go on. `allthepoints notify test` tries it again."""

EXITS = {
    Exit.OK: "It did what was asked.",
    Exit.FAULT: "It failed: the network, the disk, another service.",
    Exit.USAGE: "The line or the config cannot be used. Nothing was done.",
    Exit.REFUSED: "It was refused: by you, by the program's rules, or by the other side. Nothing was spent.",
    Exit.UNKNOWN: "Nobody knows yet how it ended.",
    Exit.INTERRUPTED: "Ctrl-C.",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; bars in cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in lines
    )


# -- commands ------------------------------------------------------------------------------------------------------
def commands_page() -> str:
    """Every command with its arguments and options."""
    root = typer.main.get_command(tree.build(COMMANDS, None))
    parts = [
        "# Commands",
        made_from("src/allthepoints/cli/"),
        "Data goes to standard output, everything else to standard error. `atp` is short for `allthepoints`.",
        "Every command also takes:",
        table(("option", ""), (_global(option) for option in g.GLOBALS)),
        "## Environment",
        table(("variable", ""), ((f"`{name}`", text) for name, text in VARIABLES.items())),
        "## Exit codes",
        table(("code", "means"), ((str(code.value), text) for code, text in EXITS.items())),
        *(part for name in COMMANDS for part in _command(name, root.commands[name])),
    ]
    return "\n\n".join(parts) + "\n"


def _global(option: g.Global) -> tuple[str, str]:
    return f"`{', '.join(option.names)}{f' {option.value}' if option.value else ''}`", option.help


def _command(path: str, command: Any, level: int = 2) -> Iterator[str]:
    yield f"{'#' * level} {path}"
    subs = getattr(command, "commands", {})
    own = not subs or getattr(command, "invoke_without_command", False)
    yield textwrap.dedent(command.help or "").replace("\b\n", "").strip()
    if own:
        yield (
            f"```\n{tree.NAME} {path} {' '.join(_piece(p) for p in command.params if p.name != 'help')}".rstrip()
            + "\n```"
        )
        rows = [(_names(p), _meaning(p)) for p in command.params if p.name != "help" and not p.hidden]
        if rows:
            yield table(("", ""), rows)
    for name, sub in subs.items():
        yield from _command(f"{path} {name}", sub, level + 1)


def _piece(param: Any) -> str:
    if param.param_type_name == "argument":
        name = _metavar(param)
        return name if param.required or name.startswith("[") else f"[{name}]"
    return f"{param.opts[0]}{_value(param)}" if param.required else f"[{param.opts[0]}{_value(param)}]"


def _metavar(param: Any) -> str:
    return str(param.metavar or param.name.upper()) + (
        "" if param.nargs != -1 or str(param.metavar).endswith("...") else "..."
    )


def _value(param: Any) -> str:
    return "" if param.is_flag else f" {_metavar(param)}"


def _names(param: Any) -> str:
    if param.param_type_name == "argument":
        return f"`{_metavar(param).strip('[]')}`"
    return f"`{', '.join(param.opts + param.secondary_opts)}{_value(param)}`"


def _meaning(param: Any) -> str:
    text = param.help or ""
    default = param.default
    if param.param_type_name == "option" and default not in (None, False, True, (), []) and not callable(default):
        text += f" As it is: `{default}`."
    return text


# -- JSON ----------------------------------------------------------------------------------------------------------
JSON_PARTS: dict[str, tuple[Shape[Any], ...]] = {
    "The contract": (*SHAPES, DEMO, ERROR),
    "The service": (STATE_LINE, UNMEANT_LINE, LIVE_LINE, WARNING_LINE, WARNING_OVER_LINE, SUMMARY_LINE),
    "Channels": (MEANT, LISTS_CHANGED, LIST_CHANGE, ORDER, REORDERED, CHART),
    "Stores and wishes": (STORE, WISHED, WISH_ADDED, WISHES_REMOVED, WISH_TAKEN_BACK),
    "Signing in": (CODE, SIGNED_IN, SIGNED_OUT, JWT_KEPT, JWT_FORGOTTEN, PASSWORD),
    "The config": (CONFIG, PLACES, VERDICT, WRITTEN, IMPORTED, IMPORT_LINE),
    "Operation": (CHECKUP, FINDING, TRIED, BACKUP, RESTORED, BUNDLE, PART),
    "Exports": (ENTRY, SESSION, REDEEMED),
    "The sandbox": (ANNOUNCED, ENDPOINTS, HAPPENED, SUMMED_UP, TALLY, CHANNEL_TALLY, TAKEN, JOIN_AFTER_BAN),
}
"""Every object that programs may read; what other programs are most likely to read is first."""


def json_page() -> str:
    """Every object that programs may read."""
    parts = [
        "# JSON",
        made_from("src/allthepoints/"),
        "Times are ISO 8601 UTC, durations seconds, points integers. One value is one line.",
        "Fields may be added; none changes its meaning.",
    ]
    for title, shapes in JSON_PARTS.items():
        parts += [f"## {title}", *map(_shape, shapes)]
    return "\n\n".join(parts) + "\n"


def _shape(shape: Shape[Any]) -> str:
    rows = ((f"`{field.name}`", f"`{field.kind}`", field.text) for field in shape.fields)
    return f"### {shape.title}\n\n{shape.where}\n\n{table(('field', 'is', ''), rows)}"


# -- warnings, events ----------------------------------------------------------------------------------------------
def warnings_page() -> str:
    """Every warning that a face may show."""
    parts = [
        "# Warnings",
        made_from("src/allthepoints/core/health.py"),
        "Every face shows the same ones. A warning goes when its cause goes; … stands for what it finds.",
        *map(_warning, TABLE),
        NOTIFY_FAILING,
    ]
    return "\n\n".join(parts) + "\n"


def _warning(row: Row) -> str:
    notes = []
    if row.delay:
        notes.append(f"Shown after {row.delay:g} s.")
    if row.hidden_by:
        notes.append(f"Not shown beside {', '.join(f'`{code}`' for code in row.hidden_by)}.")
    text = row.text.replace("{detail}", "…")
    return "\n\n".join(
        (f"## {row.code}", f"*{row.severity}*: **{row.title}**", text, *([" ".join(notes)] if notes else []))
    )


_ITEM = {"item": "Pick a map", "cost": 1500, "currency": "acorns", "was": 2000}
_ANSWER = {"what": "live", "error": "503 Service Unavailable"}
SAMPLES: dict[EventKind, dict[str, JSON]] = {
    EventKind.LEFT: {"why": "lost"},
    EventKind.REFUSED: {"why": Why.BANNED},
    EventKind.NOT_FOUND: {"login": "alhpa"},
    EventKind.TIMED_OUT: {"seconds": 600},
    EventKind.RENAMED: {"from": "alpha", "to": "alpha_two"},
    EventKind.DISCONNECTED: {"conn": 1, "why": Lost.SILENT},
    EventKind.WOKE: {"gap": 7200},
    EventKind.HELIX_FAILED: _ANSWER,
    EventKind.HELIX_BACK: _ANSWER,
    EventKind.ELEMENTS_FAILED: {**_ANSWER, "what": "balance"},
    EventKind.REDEMPTION_REFUSED: {**_ITEM, "reason": Reason.SOLD_OUT},
    EventKind.CONFIG_REJECTED: {"error": 'config.toml, line 3: poll.live: expected a duration, found "soon".'},
}
"""What an event says of itself, where its sentence needs it."""

SAMPLE: dict[str, JSON] = {"login": "you", "conn": 1, "days": 7, "reason": "Twitch takes the token no more", **_ITEM}


def events_page() -> str:
    """Every kind of event, as it reads."""
    rows = ((f"`{kind.value}`", event_text(_Sample(kind), {_Sample.channel: "Alpha"})) for kind in EventKind)
    parts = [
        "# Events",
        made_from("src/allthepoints/core/records.py"),
        "`allthepoints events` lists them; each reads about as beside its kind here.",
        table(("kind", "reads"), rows),
        "## Kinds of notifications",
        "`[notify] events` takes these: " + ", ".join(f"`{kind.value}`" for kind in Kind) + ".",
    ]
    return "\n\n".join(parts) + "\n"


class _Sample:
    channel = UserId("1")

    def __init__(self, kind: EventKind) -> None:
        self.kind = kind
        self.data = SAMPLES.get(kind, SAMPLE)


# -- metrics -------------------------------------------------------------------------------------------------------
def metrics_page() -> str:
    """Every metric of `/metrics`."""
    rows = (
        (
            f"`{family.name}{'_info' if family.type == 'info' else ''}`",
            family.type,
            _labels(family),
            family.documentation,
        )
        for family in metrics.families(_snapshot(), {}, 0, 0)
    )
    parts = [
        "# Metrics",
        made_from("src/allthepoints/views/web/metrics.py"),
        "The dashboard gives them at `/metrics`, in the text format of Prometheus, behind the same rules as its pages. "
        "On Linux they come with the usual ones of a process (`process_resident_memory_bytes`, `process_open_fds`, "
        "`process_cpu_seconds_total`).",
        table(("name", "type", "labels", ""), rows),
    ]
    return "\n\n".join(parts) + "\n"


def _labels(family: Any) -> str:
    return ", ".join(f"`{label}`" for label in family._labelnames)


def _snapshot() -> Snapshot:
    from allthepoints.core.place import Census  # noqa: PLC0415

    return Snapshot(0.0, None, False, Census(0, 0, 0, 0, 0), {}, (), (800, 800))


# -- results -------------------------------------------------------------------------------------------------------
RESULTS = Path(__file__).parent.parent / "docs" / "results"
CLAIM = ("claim", "median", "spread", "runs", "goal", "")
ARTICLES_BOT = (
    "The article's bot runs on bottom 3, which needs a Python 3.12, 3.13 or 3.14: one of them has to be there as "
    "`python3.12` (or `.13`, `.14`) on the PATH, or among pyenv's. The bench makes an environment of it by itself, "
    "`.venv-presence`. Where none is, the bot is left out, and all else is measured."
)
NEEDS = {
    "chaos": ARTICLES_BOT,
    "fuzz_guided": "This needs atheris, which no group of the project has: `.venv/bin/pip install atheris`, on Linux "
    "with a CPython of 3.11 to 3.13. Without it the bench is left out, and nothing can be recorded.",
    "mutation": "By itself this is a run of hours. With `--known FILE` what was killed is remembered, and not tried "
    "again while its module stays as it is: so it was recorded, as the notes below tell. `--sample 40` is a small one.",
    "network": "This needs root, iptables, iproute2, ngircd and InspIRCd; on Debian `scripts/debian_packages` installs "
    "them. Where one is missing its tests are skipped, and the goal is missed.",
    "presence": ARTICLES_BOT,
}
"""What a command needs beyond the environment, by the name of its bench."""


def results_page() -> str:
    """What the benches found, each in its section, a row for each claim."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))]
    parts = [
        "# Results",
        "Made by `scripts/pages.py` from what the benches wrote to `docs/results/`.",
        "Each section is one command. Run it again with `--record`, and it writes its section anew, with what your "
        "machine does. The spread goes from the lowest run to the highest.",
        "`python` is the one of the project's environment: `make bench` makes it (and runs all, with small sizes), and "
        "then it is `.venv/bin/python bench/busy.py`, or the same by `scripts/bench busy`. The system's own Python "
        "lacks the packages.",
        *map(_section, found),
    ]
    return "\n\n".join(parts) + "\n"


def _section(found: Mapping[str, Any]) -> str:
    machine, versions = found["machine"], found["versions"]
    where = [machine["processor"], f"{machine['cores']} cores"]
    where += [f"{machine['memory_gib']:g} GiB"] if machine["memory_gib"] else []
    where += [machine["system"]] + ([f"load {machine['load']:g}"] if machine["load"] is not None else [])
    where = [f"commit {found['commit']}", *where] if found.get("commit") else where
    ran = f"{found['date']}, {', '.join(where)}; {', '.join(' '.join(pair) for pair in versions.items())}."
    rows = table(CLAIM, map(claim_row, found["figures"]))
    needs = [NEEDS[found["name"]]] if found["name"] in NEEDS else []
    return "\n\n".join((f"## {found['title']}", f"```\n{found['command']}\n```", *needs, rows, *found["notes"], ran))


def claim_row(figure: Mapping[str, Any]) -> tuple[str, ...]:
    """A figure, as it was recorded, in the columns of CLAIM."""
    median, low, high = (number(figure[key]) for key in ("median", "low", "high"))
    unit = figure["unit"] if figure["unit"] in ("", "%") else f" {figure['unit']}"
    holds = {True: "holds", False: "**missed**", None: ""}[figure["holds"]]
    spread = f"{low} – {high}" if low != high else ""
    return figure["claim"], f"{median}{unit}", spread, number(figure["runs"]), figure["goal"], holds


def number(value: float) -> str:
    """Three digits; whole numbers as they are."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:,.{max(0, 3 - len(str(int(abs(value)))))}f}"


def made_from(place: str) -> str:
    """The first line of a page that nobody writes by hand."""
    return f"Made by `scripts/pages.py` from the tables in `{place}`."


PAGES = {
    "reference/commands.md": commands_page,
    "reference/json.md": json_page,
    "reference/warnings.md": warnings_page,
    "reference/events.md": events_page,
    "reference/metrics.md": metrics_page,
    "results.md": results_page,
}
