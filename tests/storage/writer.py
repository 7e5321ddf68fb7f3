"""A process that writes until it is killed: each line on stdout is a batch recorded, or a sign-in saved.

A batch with number n closes the presence of the batch before, opens one with stream `s<n>`, and tells an event n.
"""

from __future__ import annotations

import sys
from pathlib import Path

from allthepoints.base.secret import Secret
from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core import records as r
from allthepoints.ports import ChannelRow, StoredTokens
from allthepoints.storage.database import Database
from allthepoints.storage.lock import acquire
from allthepoints.storage.tokenfile import TokenFile

ALPHA = UserId("1")


def tokens(number: int) -> StoredTokens:
    """A pair whose halves belong together, long enough to be cut."""
    return StoredTokens(Secret(f"T{number}"), Secret(f"R{number}" * 3000), "c", None, None, (), float(number), None)


def batch(number: int) -> list[r.Record]:
    """One fact in several records."""
    return [
        r.PresenceClosed(float(number), ALPHA, "next"),
        r.PresenceOpened(float(number), ALPHA, StreamId(f"s{number}")),
        r.Event(float(number), r.EventKind.PRESENT, ALPHA, {"number": number, "padding": "x" * 300}),
    ]


def main() -> None:
    folder, number = Path(sys.argv[1]), int(sys.argv[2])
    acquire(folder / "allthepoints.lock")
    print("opening", flush=True)
    database, file = Database(folder / "allthepoints.db", float(number)), TokenFile(folder / "tokens.json")
    database.load()
    while True:
        number += 1
        row = ChannelRow(ALPHA, Login("alpha"), "Alpha", True, f"s{number}")
        database.record(batch(number), float(number), channel_rows=[row], service={"number": number})
        print(f"recorded {number}", flush=True)
        file.save(tokens(number))
        print(f"saved {number}", flush=True)


if __name__ == "__main__":
    main()
