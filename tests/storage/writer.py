"""A process that writes until it is killed: each line on stdout is a batch recorded, or a sign-in saved.

A batch with number n closes the presence of the batch before, opens one with stream `s<n>`, keeps a redemption `k<n>`
that is about to be sent, posts n points earned, and tells an event n.
"""

from __future__ import annotations

import sys
from pathlib import Path

from allthepoints.base.secret import Secret
from allthepoints.base.types import ItemId, Login, StreamId, UserId
from allthepoints.core import records as r
from allthepoints.core.redeem import Redemption, State
from allthepoints.ports import ChannelRow, StoredTokens
from allthepoints.storage.database import Database
from allthepoints.storage.lock import acquire
from allthepoints.storage.tokenfile import TokenFile

ALPHA = UserId("1")


def tokens(number: int) -> StoredTokens:
    """A pair whose halves belong together, long enough to be cut."""
    return StoredTokens(Secret(f"T{number}"), Secret(f"R{number}" * 3000), "c", None, None, (), float(number), None)


def sent(number: int) -> Redemption:
    """A redemption whose POST leaves as soon as this is recorded."""
    at = float(number)
    return Redemption(f"k{number}", ALPHA, Login("alpha"), ItemId("i1"), 5, at, State.SENT, sent_at=at, known=("r0",))


def batch(number: int) -> list[r.Record]:
    """One fact in several records."""
    return [
        r.PresenceClosed(float(number), ALPHA, "next"),
        r.PresenceOpened(float(number), ALPHA, StreamId(f"s{number}")),
        r.RedemptionKept(float(number), sent(number)),
        r.LedgerEntry(float(number), ALPHA, r.Change.EARNED, number, number),
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
