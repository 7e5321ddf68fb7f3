"""What the doctor found. Pure: measurements in, findings out.

Theory. Measuring and judging are apart. `operation/doctor*.py` measures and understands nothing; here values become a
Finding: a name that programs can rely on, a grade, what is so, and what to do. A *fault* keeps the service, or a part
of it, from working; a *warning* may do so later, or could not be settled; all else is *ok*, with what is worth knowing.
A check that makes no sense because an earlier one failed (TLS where there is no TCP) is left out: one cause, one fault.

This machine is judged in `checkup_here.py`, the network in `checkup_net.py`, the sign-ins and the chat's welcome in
`checkup_signin.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

_ENDPOINTS = {"helix": "Twitch's Helix", "oauth": "Twitch's sign-in server", "streamelements": "StreamElements"}

NAMES: dict[str, str] = {
    "config": "Whether the config file can be used.",
    "data_dir": "Whether the data directory is there, is yours, and can be written.",
    "secret_files": "Whether files with secrets are for their owner only, and can be understood.",
    "database": "Whether the database is ours, of a schema that is known, and whole.",
    "disk": "Whether there is room.",
    "service": "Whether a service runs, and shows life.",
    "dashboard": "Whether the dashboard's port is free, or who listens there.",
    "proxy": "What goes through a proxy; chat never does.",
    "clock": "Whether the clock agrees with the servers'.",
    "chat.names": "The chat server's addresses, IPv4 and IPv6.",
    "chat.tcp": "Whether a connection to it comes to be.",
    "chat.tls": "Whose certificate it shows, and until when.",
    "chat.welcome": "Whether the chat lets the account in.",
    **{
        f"{name}.{step}": text.format(who)
        for name, who in _ENDPOINTS.items()
        for step, text in (
            ("names", "The addresses of {}."),
            ("tcp", "Whether a connection to it comes to be, directly or through the proxy."),
            ("tls", "Whose certificate it shows, and until when."),
            ("http", "Whether it answers itself, and nobody in its place."),
        )
    },
    "token": "Whether Twitch takes the sign-in, whose it is, and when it ends.",
    "scopes": "What the sign-in allows.",
    "jwt": "Whether StreamElements takes the JWT, whose it is, and when it ends.",
}
"""Every check, in the order in which they are told. Programs may rely on these names."""


class Grade(StrEnum):
    """How bad it is; the words are part of the JSON."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor. `name` never changes its meaning; `cure` is empty where there is nothing to do."""

    name: str
    grade: Grade
    text: str
    cure: str = ""


def ok(name: str, text: str) -> Finding:
    """All is well."""
    return Finding(name, Grade.OK, text)


def warning(name: str, text: str, cure: str = "") -> Finding:
    """It works, or it is not known; it may not last."""
    return Finding(name, Grade.WARNING, text, cure)


def fault(name: str, text: str, cure: str) -> Finding:
    """Something does not work."""
    return Finding(name, Grade.FAULT, text, cure)


def is_sound(findings: Iterable[Finding]) -> bool:
    """Whether there is no fault."""
    return all(finding.grade is not Grade.FAULT for finding in findings)


# -- words -------------------------------------------------------------------------------------------------------------
def span(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h`, `5 days`: cut off, the largest unit alone."""
    whole = int(seconds)
    for unit, word in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if whole >= unit:
            many = whole // unit
            return f"{many} {word}{'s' if word == 'day' and many > 1 else ''}"
    return f"{whole} s"


_LAST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


def size(count: int) -> str:
    """`512 kB`, `12 MB`, `3.4 GB`."""
    for unit, word in ((10**9, "GB"), (10**6, "MB")):
        if count >= unit:
            return f"{count / unit:,.1f} {word}" if count < 10 * unit else f"{count // unit:,} {word}"
    return f"{-(-count // 1000)} kB"


def day(at: float) -> str:
    """The date in UTC. What lies beyond the calendar is its last day."""
    return f"{datetime.fromtimestamp(min(at, _LAST), UTC):%Y-%m-%d}"
