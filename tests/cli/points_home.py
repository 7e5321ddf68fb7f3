"""What a service left behind of points, a store and redemptions; and a stand-in for the service that runs errands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cli_home import AT, RECORDS, ROWS

from allthepoints.base.types import JSON, ItemId, Login, SeId, UserId
from allthepoints.core import records as r
from allthepoints.core.elements import nowhere_key, read_key
from allthepoints.core.loyalty import Balance, Item, Loyalty
from allthepoints.core.model import ChannelRef, Stream, StreamKind
from allthepoints.core.redeem import Reason, Redemption, State
from allthepoints.storage.database import Database

ALPHA, BETA, GAMMA = UserId("1"), UserId("2"), UserId("3")
HOUR, DAY = 3600.0, 86_400.0

MAP = Item(
    ItemId("64b0c1d2e3f4a5b6c7d8e9f0"),
    "Pick the next map 🗺",
    1500,
    stock=3,
    cooldown_user=600.0,
    cooldown_global=60.0,
    asks=("Map name",),
    takes_message=True,
)
HYDRATE = Item(ItemId("64b0c1d2e3f4a5b6c7d8e9f1"), "Hydrate", 100)
VIP = Item(ItemId("64b0c1d2e3f4a5b6c7d8e9f2"), "VIP", 5000, subscriber_only=True)
SOUND = Item(ItemId("64b0c1d2e3f4a5b6c7d8e9f3"), "Sound", 50)
SOUND_2 = Item(ItemId("64b0c1d2e3f4a5b6c7d8e9f4"), "sound", 60, enabled=False)
KEY = Item(ItemId("64b0c1d2e3f4a5b6c7d8e9f5"), "=A key", 300, kind="code", stock=0)
GONE = Item(ItemId("64b0c1d2e3f4a5b6c7d8e9f6"), "Once", 10)
ITEMS = (MAP, HYDRATE, VIP, SOUND, SOUND_2, KEY)

CODE = "AAAA-BBBB-CCCC"


def redemption(key: str, item: Item, **more: Any) -> Redemption:
    given = {"asked_at": AT - 60, "name": item.name, "se": SeId("a" * 24), **more}
    return Redemption(key * 8, ALPHA, Login("alpha"), item.id, item.cost, **given)


BOUGHT = (
    redemption(
        "0a0a",
        KEY,
        state=State.ACCEPTED,
        asked_at=AT - 2 * DAY,
        sent_at=AT - 2 * DAY + 5,
        settled_at=AT - 2 * DAY + 6,
        code=CODE,
        bought="b" * 24,
    ),
    redemption(
        "0b0b",
        HYDRATE,
        state=State.REJECTED,
        reason=Reason.REFUSED,
        text="You are redeeming too fast",
        settled_at=AT - 50,
    ),
    redemption("0c0c", MAP, state=State.UNKNOWN, sent_at=AT - 40, text="no answer came", answers=("Dust",)),
)

STREAM = Stream(
    "s1", ChannelRef(ALPHA, Login("alpha"), "Alpha"), StreamKind.LIVE, "climbing", AT - HOUR  # type: ignore[arg-type]
)  # fmt: skip


def earned(at: float, delta: int, points: int) -> r.LedgerEntry:
    return r.LedgerEntry(at, ALPHA, r.Change.EARNED, delta, points)


POINTS: tuple[r.Record, ...] = (
    r.SessionOpened(AT - HOUR, STREAM),
    r.PresenceOpened(AT - HOUR, ALPHA, STREAM.id),
    r.LoyaltyKnown(AT - 9, ALPHA, SeId("a" * 24), Loyalty("acorns", amount=5, interval=600.0)),
    r.LoyaltyKnown(AT - 9, BETA, SeId("b" * 24), Loyalty("=coins")),
    r.LedgerEntry(AT - 40 * DAY, ALPHA, r.Change.OPENING, 0, 1000),
    earned(AT - 35 * DAY, 700, 1700),
    earned(AT - 20 * DAY, 100, 1800),
    earned(AT - 3 * DAY, 310, 2110),
    r.LedgerEntry(AT - 2 * DAY, ALPHA, r.Change.SPENT, -300, 1810),
    earned(AT - 22 * HOUR, 5, 1815),
    earned(AT - 1800, 20, 1835),
    earned(AT - 420, 10, 1845),
    r.BalanceKnown(AT - 120, ALPHA, Balance(1845, 615, 212, 1290)),
    r.LedgerEntry(AT - 60, BETA, r.Change.OPENING, 0, 12),
    r.BalanceKnown(AT - 60, BETA, Balance(12)),
    *(r.ItemKnown(AT - DAY, ALPHA, item) for item in (*ITEMS, GONE)),
    r.ItemGone(AT - HOUR, ALPHA, GONE.id),
    r.Noted(AT - HOUR, read_key(ALPHA), str(AT - HOUR)),
    *(r.RedemptionKept(one.asked_at, one) for one in BOUGHT),
)

POINTS_ROWS = (
    replace(ROWS[0], points=1845, rate_per_hour=30.0, verdict="earning"),
    replace(ROWS[1], state="present", reason=None, points=12, verdict="flat", causes=("never_typed", "hide_gambling")),
    replace(ROWS[2], verdict="not_offered", causes=("no_streamelements",)),
)


def fill(data: Path, service: Mapping[str, JSON]) -> None:
    """The database of a service that ran."""
    database = Database(data / "allthepoints.db", AT)
    database.load()
    database.record((*RECORDS, *POINTS), AT, channel_rows=POINTS_ROWS, service=service)
    database.close()


class Errands:
    """Stands in for `wiring.errand`: what it was asked, and what then stands in the database."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.asked: list[tuple[str, str | None, dict[str, JSON]]] = []
        self.answers = True
        self.items: tuple[Item, ...] = ITEMS
        self.points = 1850
        self.outcome: Callable[[Redemption], Redemption] | None = lambda asked: replace(
            asked, state=State.ACCEPTED, sent_at=AT + 1, settled_at=AT + 2
        )

    async def run(
        self,
        settings: object,
        data: object,
        environment: object,
        kind: str,
        login: Login | None,
        payload: dict[str, JSON],
        until: Callable[[], bool],
        seconds: float,
    ) -> None:
        self.asked.append((kind, login, payload))
        assert not until(), "nothing was asked yet"
        if self.answers:
            self.write(*self.records(kind, login, payload))

    def records(self, kind: str, login: Login | None, payload: Mapping[str, Any]) -> list[r.Record]:
        if kind == "allow_auto":
            return [r.Noted(AT, "auto_allowed", "yes")]
        if kind == "look":
            if login != "alpha":
                return [r.Noted(AT, nowhere_key(login or Login("")), str(AT))]
            return [
                *(r.ItemKnown(AT, ALPHA, item) for item in self.items),
                r.Noted(AT, read_key(ALPHA), str(len(self.asked))),
                r.BalanceKnown(AT - 1 + len(self.asked) / 1000, ALPHA, Balance(self.points)),
            ]
        assert kind == "redeem"
        item = next(item for item in self.items if item.id == payload["item"])
        asked = Redemption(
            payload["key"],
            ALPHA,
            login or Login(""),
            item.id,
            payload["cost"],
            AT,
            name=item.name,
            answers=tuple(payload["answers"]),
            message=payload["message"],
            dry=payload["dry"],
        )
        return [r.RedemptionKept(AT, self.outcome(asked) if self.outcome is not None else asked)]

    def write(self, *records: r.Record) -> None:
        database = Database(self.data / "allthepoints.db", AT)
        database.record(records, AT)
        database.close()
