"""Rows in every shape that was seen, and in any that was not."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stub_elements import ITEM, ME, OWN, SE, channel, doc, item, points, receipt

from allthepoints.base.types import Login
from allthepoints.core.loyalty import Balance, Bought, Item, Loyalty
from allthepoints.streamelements import rows

MOST = 2**63 - 1


def check_number(value: object, expected: int | None) -> None:
    assert rows.number(value) == expected


def test_numbers() -> None:
    check_number(1840, 1840)
    check_number(None, None)
    check_number(True, None)
    check_number("1840", 1840)
    check_number(" 1840.9 ", 1840)
    check_number("+7", 7)
    check_number("-7", 0)
    check_number("", None)
    check_number("1e9", None)
    check_number("many", None)
    check_number("9" * 60, MOST)
    check_number("9" * 5000, None)
    check_number(12.9, 12)
    check_number(-0.5, 0)
    check_number(-5, 0)
    check_number(1e300, MOST)
    check_number(float("inf"), None)
    check_number(float("nan"), None)
    check_number(2**31, 2**31)
    check_number(10**400, MOST)
    check_number([1], None)
    check_number({}, None)


def check_moment(value: object, expected: float) -> None:
    assert rows.moment(value) == pytest.approx(expected)


def test_times() -> None:
    check_moment("2026-11-25T12:00:00.000Z", 1795608000.0)
    check_moment("2026-11-25T12:00:00.88Z", 1795608000.88)
    check_moment("2026-11-25T12:00:00.123456789Z", 1795608000.123456)
    check_moment("2026-11-25T12:00:00Z", 1795608000.0)
    check_moment("2026-11-25T12:00:00", 1795608000.0)
    check_moment("2026-11-25T13:00:00+01:00", 1795608000.0)
    check_moment(1795608000880, 1795608000.88)
    check_moment("1795608000880", 1795608000.88)
    # Moments that no calendar or no zone has, so that no face could show them.
    check_moment("0001-01-01T00:00:00+14:00", 0.0)
    check_moment("9999-12-31T23:59:59-23:59", 0.0)
    check_moment(2**63 - 1, 0.0)
    check_moment(-1, 0.0)
    for nonsense in (None, "", "soon", True, [], "2026-13-45T99:00:00Z"):
        check_moment(nonsense, 0.0)


# -- channels ------------------------------------------------------------------------------------------------------
def check_channel(expected: tuple[str, str, str] | None, **more: Any) -> None:
    found = rows.channel(channel(**more), Login("asked"))
    assert (None if found is None else (found.ref.id, found.ref.login, found.ref.display)) == expected
    assert found is None or found.id == SE


def test_channels() -> None:
    check_channel(("778899001", "mossfox", "MossFox"))
    check_channel(("778899001", "mossfox", "MossFox"), providerId=778899001)
    check_channel(("778899001", "asked", "MossFox"), username=None)
    check_channel(("778899001", "mossfox", "mossfox"), displayName=None)
    check_channel(("778899001", "mossfox", "狐"), displayName="狐")
    check_channel(None, _id=None)
    check_channel(None, _id="../x")
    check_channel(None, providerId=None)
    check_channel(None, providerId="UCabc")


def test_fc_49_where_a_channel_is() -> None:
    assert rows.on_twitch(channel())
    assert rows.on_twitch(channel(provider="Twitch"))
    assert rows.on_twitch(channel(provider=None))
    assert not rows.on_twitch(channel(provider="youtube"))
    assert not rows.on_twitch(channel(provider=None, providerId="UCabc"))


# -- settings ------------------------------------------------------------------------------------------------------
def check_loyalty(expected: Loyalty | None, **row: Any) -> None:
    assert rows.loyalty({"loyalty": row, "_id": "x", "channel": SE}) == expected


def test_settings() -> None:
    whole = {
        "name": "acorns",
        "enabled": True,
        "amount": 5,
        "interval": 10,
        "subscriberMultiplier": 2,
        "ignored": ["streamelements", "NightBot", None, "no login", 7],
        "bonuses": {"follow": 25, "tip": 10, "subscriber": 5000, "cheer": 100, "host": 50},
    }
    ignored = frozenset({Login("streamelements"), Login("nightbot")})
    check_loyalty(Loyalty("acorns", True, 5, 600.0, 2, ignored), **whole)
    check_loyalty(Loyalty())
    check_loyalty(Loyalty(interval=60.0, amount=7), interval="1", amount="7")
    check_loyalty(Loyalty(interval=90.0, amount=7), interval=1.5, amount=7.5)
    for nonsense in (None, 0, -10, "ten", [], True):
        check_loyalty(Loyalty(), interval=nonsense)
    check_loyalty(Loyalty(interval=86400.0, amount=MOST), interval=10**30, amount=1e30)
    check_loyalty(Loyalty(enabled=False, subscriber_multiplier=1), enabled="false", subscriberMultiplier=0)
    check_loyalty(Loyalty(), ignored=None, bonuses=7, name=None, enabled=None)
    for odd in ([], {}, {"loyalty": None}, {"loyalty": []}, "x", 7, None):
        assert rows.loyalty(odd) is None


# -- balances ------------------------------------------------------------------------------------------------------
def check_balance(expected: Balance | None, **more: Any) -> None:
    assert rows.balance(points(**more)) == expected


def test_balances() -> None:
    check_balance(Balance(1840, 615, 212, 1290))
    for value, expected in ((None, 0), ("1840", 1840), (1840.7, 1840), (-5, 0), (1e300, MOST), (2**70, MOST)):
        check_balance(Balance(expected, 615, 212, 1290), points=value)
    check_balance(Balance(1840), pointsAlltime=None, watchtime=[], rank="first")
    assert rows.balance({"username": ME}) == Balance(0)
    assert rows.balance({"channel": SE, "points": 3}) == Balance(3)
    for odd in ({}, {"points": 3}, [], None, 7, points(points="many"), points(points={}), points(points=True)):
        assert rows.balance(odd) is None


# -- stores --------------------------------------------------------------------------------------------------------
def check_item(more: dict[str, Any], **expected: Any) -> None:
    found = rows.item(item(**more))
    assert found is not None
    assert {name: getattr(found, name) for name in expected} == expected


def test_an_item() -> None:
    assert rows.item(item()) == Item(
        ITEM,
        "Pick the next map 🗺",
        1500,
        "Works once per stream",
        "perk",
        3,
        600.0,
        60.0,
        False,
        True,
        ("Map name",),
        True,
        frozenset({"website", "bot"}),
        2,
    )


def test_fc_49_shapes() -> None:
    assert rows.item({"_id": ITEM, "name": "bare", "cost": 0}) == Item(ITEM, "bare", 0)
    check_item({"quantity": {"total": -1, "current": -1}}, stock=None)
    check_item({"quantity": {"total": -1}}, stock=None)
    check_item({"quantity": {"total": -1, "current": 0}}, stock=None)
    check_item({"quantity": {"total": 5}}, stock=None)
    check_item({"quantity": {"total": 5, "current": -1}}, stock=None)
    check_item({"quantity": {"total": 0, "current": 0}}, stock=0, sold_out=True)
    check_item({"quantity": {"total": 5, "current": 0}}, stock=0, sold_out=True)
    check_item({"quantity": {"total": "5", "current": "2"}}, stock=2)
    check_item({"quantity": {"current": 1e300}}, stock=MOST)
    check_item({"quantity": None}, stock=None)
    check_item({"quantity": 4}, stock=4)
    check_item({"quantity": -1}, stock=None)
    check_item({"cooldown": 30}, cooldown_user=0.0, cooldown_global=30.0)
    check_item({"cooldown": None}, cooldown_user=0.0, cooldown_global=0.0)
    check_item({"cooldown": {"user": "30", "global": None}}, cooldown_user=30.0, cooldown_global=0.0)
    check_item({"name": " <script>alert(1)</script> 🎉 "}, name="<script>alert(1)</script> 🎉")
    check_item({"name": "x" * 500}, name="x" * 200)
    check_item({"cost": "1500"}, cost=1500)
    check_item({"cost": -3}, cost=0)
    check_item({"enabled": False}, enabled=False)
    check_item({"enabled": None, "subscriberOnly": None, "allowMessages": 1}, enabled=True, takes_message=True)
    check_item({"type": "tomorrow's type"}, kind="tomorrow's type")
    check_item({"userInput": None}, asks=())
    check_item({"userInput": "One?"}, asks=("One?",))
    check_item({"userInput": ["One?", None, {"x": 1}]}, asks=("One?", "", ""))
    check_item({"sources": None}, sources=frozenset(), on_website=True)
    check_item({"sources": ["Bot", 7, ""]}, sources=frozenset({"bot"}), on_website=False)
    check_item({"bot": None, "alert": 7, "order": "x"}, order=0)


@pytest.mark.parametrize(
    "more", [{"_id": None}, {"_id": 7}, {"name": None}, {"name": "  "}, {"cost": None}, {"cost": "?"}]
)
def test_fc_49_an_item_that_is_none(more: dict[str, Any]) -> None:
    assert rows.item(item(**more)) is None


# -- redemptions ---------------------------------------------------------------------------------------------------
def test_redemptions() -> None:
    at = 1795608000.0
    assert rows.bought(receipt()) == Bought(
        "6720aa11bb22cc33dd44ee55", SE, ITEM, at, answers=("Dust",), message="thanks!", source="website"
    )
    listed = rows.bought(doc(7, at * 1000, rejected=True))
    assert listed == Bought(
        f"{7:024x}", SE, ITEM, at, "Pick the next map", 1500, rejected=True, answers=("Dust",), source="website"
    )
    gone = rows.bought(doc(7, 0, item=None, channel=None, input=None, completed=True, createdAt=None, source=3))
    assert gone == Bought(f"{7:024x}", None, None, 0.0, completed=True)
    assert rows.bought(receipt(_id=None)) is None
    assert rows.bought(None) is None


@pytest.mark.parametrize(
    ("value", "code"), [(" AAAA-1111 ", "AAAA-1111"), (7, "7"), ("", None), (None, None), (True, None), ([], None)]
)
def test_a_code(value: object, code: str | None) -> None:
    found = rows.bought(receipt(accessCode=value))
    assert found is not None
    assert found.code == code


def test_whose_token() -> None:
    me = rows.viewer({"_id": OWN, "username": "QuietViewer", "provider": "twitch", "providerId": "1001", "email": "x"})
    assert me is not None
    assert (me.id, me.login, me.user_id) == (OWN, "quietviewer", "1001")
    elsewhere = rows.viewer({"_id": OWN, "username": "q", "provider": "youtube", "providerId": "1001"})
    assert elsewhere is not None
    assert elsewhere.user_id is None
    assert rows.viewer({"username": "q"}) is None


# -- anything ------------------------------------------------------------------------------------------------------
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["-1", "9" * 50, "1e5", SE]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
GOOD = (channel(), points(), item(), receipt(), doc(1, 1), {"loyalty": {"name": "x", "amount": 5, "interval": 10}})
KEYS = sorted(
    {key for row in GOOD for key in row} | {"interval", "amount", "ignored", "total", "current", "user", "_id"}
)
ROWS = st.dictionaries(st.sampled_from(KEYS), JSON | st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4))


def check_anything(value: object) -> None:
    rows.channel(value, Login("asked"))
    rows.on_twitch(value)
    rows.viewer(value)
    numbers: list[float | int | None] = []
    if (loyalty := rows.loyalty(value)) is not None:
        numbers += [loyalty.amount, loyalty.interval, loyalty.subscriber_multiplier]
        assert loyalty.per_hour is None or loyalty.per_hour >= 0
    if (balance := rows.balance(value)) is not None:
        numbers += [balance.points, balance.alltime, balance.rank, balance.watch_minutes]
    if (item := rows.item(value)) is not None:
        numbers += [item.cost, item.stock, item.cooldown_user, item.cooldown_global, item.order]
        assert item.id
        assert item.name
    for bought in (rows.bought(value), rows.receipt(value)):
        if bought is not None:
            numbers += [bought.cost]
    assert all(number is None or 0 <= number <= MOST for number in numbers)


@given(JSON)
def test_no_json_crashes(value: object) -> None:
    check_anything(value)


@given(ROWS, st.sampled_from(GOOD))
def test_no_json_in_known_places_crashes(more: dict[str, object], row: dict[str, Any]) -> None:
    check_anything(row | more)
    check_anything({"loyalty": row | more})


@given(st.sampled_from(GOOD), st.integers(0, 400), st.integers(0, 400), st.binary(max_size=8))
def test_no_mutated_body_crashes(row: dict[str, Any], start: int, end: int, patch: bytes) -> None:
    whole = json.dumps(row).encode()
    with suppress(ValueError):
        check_anything(msgspec.json.decode(whole[:start] + patch + whole[end:]))


def test_rows_spoil_only_themselves() -> None:
    raws = msgspec.json.decode(b'[{"a":1},1e999,' + b"[" * 20 + b"]" * 20 + b"]", type=list[msgspec.Raw])
    assert [rows.value(raw) is None for raw in raws] == [False, True, False]
