"""What needs you: each warning with what to do, and the way to whom it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from allthepoints.ports import ChannelRow
from allthepoints.service.snapshot import Snapshot

_SHOWN: Mapping[str, tuple[str, Callable[[ChannelRow], bool]]] = {
    "channels_refused": ("closed", lambda row: row.state == "refused" and row.live is not False),
    "waiting_for_rooms": ("waiting", lambda row: row.state == "waiting"),
    "room_limit": ("waiting", lambda row: row.state == "waiting"),
    "channels_flat": ("wrong", lambda row: row.state == "present" and row.verdict == "flat"),
}
"""Which filter of Now shows whom a warning is about, and who that is."""

_ELSEWHERE = {
    "channel_not_found": ("/settings#meant-title", "To your channels"),
    "redemption_unknown": ("/activity?show=store", "What was bought"),
    "redemption_unknown_elsewhere": ("/activity?show=store", "What was bought"),
    "auto_wishes_wait": ("/settings#wishes-title", "To your wishes"),
    "notify_failing": ("/settings#notify-title", "Try it"),
    "config_rejected": ("/health", "More"),
    "jwt_expired": ("/health#health-signs", "Your sign-ins"),
    "jwt_refused": ("/health#health-signs", "Your sign-ins"),
    "jwt_malformed": ("/health#health-signs", "Your sign-ins"),
    "jwt_wrong_account": ("/health#health-signs", "Your sign-ins"),
}


@dataclass(frozen=True, slots=True)
class Alert:
    """A warning. `link` (without the base path) and `word`: where it leads; empty for nowhere."""

    code: str
    severity: str
    title: str
    text: str
    since: float
    link: str = ""
    word: str = ""


def alerts_of(snapshot: Snapshot | None) -> tuple[Alert, ...]:
    """All of now, worst first."""
    if snapshot is None:
        return ()
    rows = list(snapshot.rows.values())
    return tuple(Alert(w.code, w.severity, w.title, w.text, w.since, *_link(w.code, rows)) for w in snapshot.warnings)


def _link(code: str, rows: list[ChannelRow]) -> tuple[str, str]:
    if code not in _SHOWN:
        return _ELSEWHERE.get(code, ("", ""))
    show, is_meant = _SHOWN[code]
    meant = [row for row in rows if is_meant(row)]
    if not meant:
        return "", ""
    return f"/?show={show}#row-{meant[0].id}", "Show it" if len(meant) == 1 else f"Show all {len(meant)}"
