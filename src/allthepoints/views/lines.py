"""What changed between two snapshots, as lines: the face of `run` where there is no terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from allthepoints.base.types import JSON, UserId
from allthepoints.ports import ChannelRow
from allthepoints.service.snapshot import Snapshot
from allthepoints.views.plain import Field, Shape, time
from allthepoints.views.sentence import Glance, Worry, sentence
from allthepoints.views.text import clean, iso, name
from allthepoints.views.words import PLACE, told


@dataclass(frozen=True, slots=True)
class Change:
    """One line. `shape`: what programs are given of it, from `data`."""

    at: float
    shape: Shape[Change]
    text: str
    data: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """For a log: the time in UTC, and the text."""
        return f"{iso(self.at, 'seconds')} {self.text}"


def line_plain(change: Change) -> dict[str, JSON]:
    """The line for programs."""
    return change.shape.of(change)


def _fields(kind: str, *data: tuple[str, str, str]) -> tuple[Field[Change], ...]:
    """What every line has, and in it what this kind has: name, what stands there, what it means."""
    return (
        Field("at", "time", "When.", time(lambda change: change.at)),
        Field("kind", f'"{kind}"', "What the line is about.", lambda _: kind),
        *(_datum(*datum) for datum in data),
        Field("text", "str", "The same in words.", lambda change: change.text),
    )


def _datum(name: str, kind: str, text: str) -> Field[Change]:
    return Field(name, kind, text, lambda change: change.data[name])


_CHANNEL = (("login", "str", "Which channel."), ("id", "str", "Twitch's id."))

STATE_LINE: Shape[Change] = Shape(
    "A line of the service: a chat",
    "`run --json`, one a line: where you stand in a channel's chat",
    _fields(
        "state",
        *_CHANNEL,
        ("state", '"present|asked|waiting|refused|leaving|absent"', "As in [a channel](#a-channel)."),
        ("reason", "str|null", "Why it is refused or waits."),
    ),
)

UNMEANT_LINE: Shape[Change] = Shape(
    "A line of the service: a channel that is not meant any more",
    "`run --json`, one a line: a channel that you follow no more, or that the config leaves out now",
    _fields("state", *_CHANNEL, ("state", '"absent"', "You are not in its chat.")),
)

LIVE_LINE: Shape[Change] = Shape(
    "A line of the service: a stream",
    "`run --json`, one a line: a channel went live or offline",
    _fields("live", *_CHANNEL, ("live", "bool", "Whether it is live.")),
)

WARNING_LINE: Shape[Change] = Shape(
    "A line of the service: a warning",
    "`run --json`, one a line: something is wrong",
    _fields(
        "warning",
        ("code", "str", "One of the [warnings](warnings.md)."),
        ("severity", '"info|warning|error"', "How bad it is."),
    ),
)

WARNING_OVER_LINE: Shape[Change] = Shape(
    "A line of the service: the end of a warning",
    "`run --json`, one a line: it is well again",
    _fields("warning_over", ("code", "str", "One of the [warnings](warnings.md).")),
)

SUMMARY_LINE: Shape[Change] = Shape(
    "A line of the service: the whole",
    "`run --json`, one a line: how it is, when that is another sentence than before",
    _fields(
        "summary",
        ("live", "int", "How many channels are live."),
        ("present", "int", "In how many chats you are."),
    ),
)


class Changes:
    """Remembers the last snapshot, and tells what is new in the next one."""

    def __init__(self) -> None:
        self._rows: dict[UserId, ChannelRow] = {}
        self._worries: dict[str, Worry] = {}
        self._said = ""

    def between(self, snapshot: Snapshot) -> list[Change]:
        """The changes since the last call, then the sentence if it says something new."""
        rows = snapshot.rows
        found = [change for key in rows for change in _of_channel(snapshot.at, self._rows.get(key), rows[key])]
        found += [
            Change(snapshot.at, UNMEANT_LINE, f"{_who(row)}: not meant any more.", _data(row, state="absent"))
            for key, row in self._rows.items()
            if key not in rows
        ]
        found += self._of_worries(snapshot)
        self._rows = dict(rows)
        return [*found, *self._summary(snapshot)]

    def _of_worries(self, snapshot: Snapshot) -> Iterator[Change]:
        now: dict[str, Worry] = {worry.code: worry for worry in snapshot.warnings}
        for code, worry in now.items():
            if (before := self._worries.get(code)) is None or before.text != worry.text:
                text = f"{worry.severity}: {clean(worry.title)}. {clean(worry.text)}"
                yield Change(snapshot.at, WARNING_LINE, text, {"code": code, "severity": worry.severity})
        for code, worry in self._worries.items():
            if code not in now:
                yield Change(snapshot.at, WARNING_OVER_LINE, f"over: {clean(worry.title)}.", {"code": code})
        self._worries = now

    def _summary(self, snapshot: Snapshot) -> Iterator[Change]:
        glance = Glance.of(snapshot.rows.values(), (), snapshot.account is not None, snapshot.wishes)
        said = sentence(glance, snapshot.at)
        if said != self._said:
            self._said = said
            yield Change(snapshot.at, SUMMARY_LINE, said, {"live": glance.live, "present": glance.present})


def _of_channel(at: float, before: ChannelRow | None, row: ChannelRow) -> Iterator[Change]:
    was = (before.state, before.reason, before.live) if before is not None else ("absent", None, False)
    if row.live is not None and row.live != was[2] and (before is None or before.live is not None or row.live):
        yield Change(at, LIVE_LINE, f"{_who(row)} is {'live' if row.live else 'offline'}.", _data(row, live=row.live))
    quiet = row.state == "absent" and (before is None or (row.reason in (None, "offline") and before.state == "absent"))
    if (row.state, row.reason) != was[:2] and not quiet:
        why = f" ({told(PLACE, row.reason)})" if row.reason and row.reason != "offline" else ""
        text = f"{_who(row)}: {row.state}{why}."
        yield Change(at, STATE_LINE, text, _data(row, state=row.state, reason=row.reason))


def _who(row: ChannelRow) -> str:
    return name(row.display, row.login)


def _data(row: ChannelRow, **more: JSON) -> dict[str, JSON]:
    return {"login": row.login, "id": row.id, **more}
