"""The time zone of days and times: one by name, or this machine's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo


@cache
def zone_of(name: str) -> tzinfo:
    """The zone with this IANA name; "" is this machine's own. Each is one object, by which what was drawn is known."""
    return ZoneInfo(name) if name else MachineZone()


class MachineZone(tzinfo):
    """This machine's zone, with all its changes of the clock: `astimezone()` gives only the offset of one moment."""

    def utcoffset(self, when: datetime | None) -> timedelta | None:
        if when is None:
            return None
        there = when.replace(tzinfo=None)
        return there.replace(tzinfo=UTC) - datetime.fromtimestamp(there.timestamp(), UTC)

    def dst(self, when: datetime | None) -> timedelta | None:  # noqa: ARG002 -- nobody asks; the base class demands it
        return None

    def tzname(self, when: datetime | None) -> str | None:
        return None if when is None else when.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, when: datetime) -> datetime:
        return datetime.fromtimestamp(when.replace(tzinfo=UTC).timestamp()).replace(tzinfo=self)  # noqa: DTZ006
