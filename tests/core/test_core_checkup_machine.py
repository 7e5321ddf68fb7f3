"""What the doctor says of the database, the disk and what runs: what is seen, and the whole verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_findings import FAULT, NOW, OK, RESTS, RUNS, WARNING, check

from allthepoints.core import checkup_here as here
from allthepoints.core.checkup import Grade
from allthepoints.core.checkup_here import LITTLE_ROOM, NO_ROOM, QUIET, DatabaseState, Port, Running

# -- the database, and room for it -----------------------------------------------------------------------------------
DATABASE = here.Database("/a.db", DatabaseState.GOOD, 2, 3, 5_000_000, text="rows are missing")


@pytest.mark.parametrize(
    ("seen", "grade", "text", "cure"),
    [
        (replace(DATABASE, state=DatabaseState.MISSING), OK, "/a.db is not there yet; the first run makes it.", ""),
        (
            replace(DATABASE, state=DatabaseState.EMPTY),
            OK,
            "/a.db is empty; the service fills it at its next start.",
            "",
        ),
        (DATABASE, OK, "/a.db (5.0 MB) is whole.", ""),
        (
            replace(DATABASE, whole=False),
            OK,
            "/a.db (5.0 MB) has no fault as far as it was read; it is too big to be read whole.",
            "",
        ),
        (
            replace(DATABASE, state=DatabaseState.OLDER),
            OK,
            "/a.db (5.0 MB) is whole. The next start brings it to the newest schema, and keeps a copy from before.",
            "",
        ),
        (
            replace(DATABASE, state=DatabaseState.OLDER, whole=False),
            OK,
            (
                "/a.db (5.0 MB) has no fault as far as it was read; it is too big to be read whole. The next start "
                "brings it to the newest schema, and keeps a copy from before."
            ),
            "",
        ),
        (
            replace(DATABASE, state=DatabaseState.FOREIGN),
            FAULT,
            "/a.db belongs to another program. The service would set it aside by name and begin anew.",
            "Choose another --data-dir, or move the file away.",
        ),
        (
            replace(DATABASE, state=DatabaseState.NEWER),
            FAULT,
            "/a.db (5.0 MB) has schema 2; this program knows schemas up to 3.",
            "A newer allthepoints wrote it. Install that version or a later one, or choose another --data-dir.",
        ),
        (
            replace(DATABASE, state=DatabaseState.DAMAGED),
            FAULT,
            "/a.db (5.0 MB) is damaged: rows are missing. The service would begin anew without it.",
            "Move the file away; the service starts with a fresh one. Copies of it end in .before-v….",
        ),
        (
            replace(DATABASE, state=DatabaseState.UNREADABLE),
            FAULT,
            "/a.db: rows are missing.",
            "Move the file away; the service starts with a fresh one. Copies of it end in .before-v….",
        ),
        (
            replace(DATABASE, state=DatabaseState.UNREADABLE, hint="Stop the other one."),
            FAULT,
            "/a.db: rows are missing.",
            "Stop the other one.",
        ),
    ],
)
def test_database(seen: here.Database, grade: Grade, text: str, cure: str) -> None:
    check(here.database(seen), "database", grade, text, cure)


@pytest.mark.parametrize(
    ("seen", "grade", "text", "cure"),
    [
        (here.Disk("/d", 10**10, 10**12), OK, "10 GB of 1,000 GB are free where /d is.", ""),
        (here.Disk("/d", LITTLE_ROOM, 10**12), OK, "500 MB of 1,000 GB are free where /d is.", ""),
        (
            here.Disk("/d", LITTLE_ROOM - 1, 10**12),
            WARNING,
            "499 MB of 1,000 GB are free where /d is.",
            "Make room before it is full: then nothing can be recorded.",
        ),
        (
            here.Disk("/d", NO_ROOM, 10**12),
            WARNING,
            "50 MB of 1,000 GB are free where /d is.",
            "Make room before it is full: then nothing can be recorded.",
        ),
        (
            here.Disk("/d", NO_ROOM - 1, 10**12),
            FAULT,
            "49 MB of 1,000 GB are free where /d is.",
            "Make room: what is earned cannot be recorded on a full disk.",
        ),
        (
            here.Disk("/d", error="stale file handle"),
            WARNING,
            "How much room there is cannot be told: stale file handle.",
            "",
        ),
    ],
)
def test_disk(seen: here.Disk, grade: Grade, text: str, cure: str) -> None:
    check(here.disk(seen), "disk", grade, text, cure)


# -- what runs -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("seen", "grade", "text", "cure"),
    [
        (Running(), OK, "No service runs on this data directory.", ""),
        (Running(12), OK, "The service (process 12) runs.", ""),
        (Running(12, NOW - 20), OK, "The service (process 12) runs, last sign of life 20 s ago.", ""),
        (Running(12, NOW + 50), OK, "The service (process 12) runs, last sign of life 0 s ago.", ""),
        (Running(0), OK, "The service runs.", ""),
        (Running(0, NOW - QUIET), OK, "The service runs, last sign of life 3 min ago.", ""),
        (
            Running(12, NOW - QUIET - 1),
            FAULT,
            "The service (process 12) holds the data directory, but gave no sign of life for 3 min.",
            "Restart it. If that happens again, its log tells why.",
        ),
        (
            Running(0, NOW - 7200),
            FAULT,
            "The service holds the data directory, but gave no sign of life for 2 h.",
            "Restart it. If that happens again, its log tells why.",
        ),
    ],
)
def test_service(seen: Running, grade: Grade, text: str, cure: str) -> None:
    check(here.running(seen, NOW), "service", grade, text, cure)


DASHBOARD = here.Dashboard("127.0.0.1:7771")
OPEN = here.Dashboard("0.0.0.0:7771", local=False)


@pytest.mark.parametrize(
    ("seen", "service", "grade", "text", "cure"),
    [
        (here.Dashboard("", local=False), RUNS, OK, "It is turned off in the config.", ""),
        (
            OPEN,
            RESTS,
            FAULT,
            "On 0.0.0.0:7771 other machines can reach it, and it has no password: `run` would refuse to start.",
            'Set one with `allthepoints dashboard password`, or: [dashboard] listen = "127.0.0.1:7771".',
        ),
        (
            replace(OPEN, port=Port.OURS),
            RUNS,
            FAULT,
            "On 0.0.0.0:7771 other machines can reach it, and it has no password: `run` would refuse to start.",
            'Set one with `allthepoints dashboard password`, or: [dashboard] listen = "127.0.0.1:7771".',
        ),
        (replace(OPEN, password=True), RESTS, OK, "0.0.0.0:7771 is free.", ""),
        (
            replace(DASHBOARD, proxied=True),
            RESTS,
            FAULT,
            "On 127.0.0.1:7771 other machines can reach it, and it has no password: `run` would refuse to start.",
            'Set one with `allthepoints dashboard password`, or: [dashboard] listen = "127.0.0.1:7771".',
        ),
        (replace(DASHBOARD, proxied=True, password=True), RESTS, OK, "127.0.0.1:7771 is free.", ""),
        (DASHBOARD, RESTS, OK, "127.0.0.1:7771 is free.", ""),
        (
            DASHBOARD,
            RUNS,
            WARNING,
            "A service runs, but nobody listens on 127.0.0.1:7771.",
            "If the config was changed since it started, restart it. Else its log tells why.",
        ),
        (
            DASHBOARD,
            Running(0),
            WARNING,
            "A service runs, but nobody listens on 127.0.0.1:7771.",
            "If the config was changed since it started, restart it. Else its log tells why.",
        ),
        (replace(DASHBOARD, port=Port.OURS), RUNS, OK, "A dashboard answers on 127.0.0.1:7771.", ""),
        (
            replace(DASHBOARD, port=Port.OURS),
            RESTS,
            FAULT,
            "Another allthepoints listens on 127.0.0.1:7771: one with another data directory.",
            "Choose another address: [dashboard] listen.",
        ),
        (
            replace(DASHBOARD, port=Port.TAKEN),
            RUNS,
            FAULT,
            "Another program listens on 127.0.0.1:7771. The service would run without its dashboard.",
            "End that program, or: choose another address: [dashboard] listen.",
        ),
        (
            replace(DASHBOARD, port=Port.TAKEN),
            RESTS,
            FAULT,
            "Another program listens on 127.0.0.1:7771. The service would run without its dashboard.",
            "End that program, or: choose another address: [dashboard] listen.",
        ),
        (
            replace(DASHBOARD, port=Port.FORBIDDEN, text="permission denied"),
            RESTS,
            FAULT,
            "This user may not listen on 127.0.0.1:7771 (permission denied).",
            "Choose another address: [dashboard] listen.",
        ),
        (
            replace(DASHBOARD, port=Port.NO_ADDRESS, text="cannot assign"),
            RUNS,
            FAULT,
            "127.0.0.1:7771 is no address of this machine (cannot assign).",
            "Choose another address: [dashboard] listen.",
        ),
    ],
)
def test_dashboard(seen: here.Dashboard, service: Running, grade: Grade, text: str, cure: str) -> None:
    check(here.dashboard(seen, service), "dashboard", grade, text, cure)
