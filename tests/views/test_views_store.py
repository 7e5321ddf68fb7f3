from dataclasses import replace

import pytest
from rich.cells import cell_len

from allthepoints.base.types import ItemId
from allthepoints.core.loyalty import Item
from allthepoints.views.store import Filled, Offer, obtainable, proposal, question, store_lines

MAP = Item(
    ItemId("64b0"), "Pick the next map 🗺", 1500, stock=3, cooldown_user=600.0, cooldown_global=60.0, asks=("Map name",)
)
HYDRATE = Item(ItemId("64b1"), "水を飲んで", 100, subscriber_only=True)
KEY = Item(ItemId("64b2"), "A key", 5000, kind="code", stock=0)


def test_the_table() -> None:
    offers = [
        Offer(KEY, eta_s=360_000.0),
        Offer(MAP, eta_s=12_000.0, wished=True),
        Offer(HYDRATE, affordable=True, eta_s=0.0),
        Offer(replace(HYDRATE, id=ItemId("64b3"), name="Old\x1b[2J"), gone=True),
    ]
    assert store_lines(offers, 340, None) == [
        "   item                  cost  when                 stock  cooldown  notes",
        "   水を飲んで             100  now                                   subscribers",
        "★  Pick the next map 🗺  1,500  in about 3 h 20 min      3    10 min  asks 1 question",
        "   A key                5,000  sold out                 0            access code",
        "   Old[2J                 100  gone                                  subscribers",
    ]
    assert store_lines(offers, 340, None, ascii_only=True)[2].startswith("*  Pick")
    for width in (80, 60, 40, 20):
        assert all(cell_len(line) <= width for line in store_lines(offers, 340, width))


@pytest.mark.parametrize(
    ("offer", "points", "expected"),
    [
        (Offer(MAP, affordable=True), 2000, "now"),
        (Offer(MAP, eta_s=12_000.0), 340, "in about 3 h 20 min"),
        (Offer(MAP), 340, "1,160 missing"),
        (Offer(MAP), None, ""),
        (Offer(replace(MAP, stock=0), affordable=True), 2000, "sold out"),
        (Offer(replace(MAP, enabled=False), affordable=True), 2000, "turned off"),
        (Offer(replace(MAP, sources=frozenset({"bot"})), affordable=True), 2000, "in chat only"),
        (Offer(MAP, affordable=True, gone=True), 2000, "gone"),
    ],
)
def test_when_it_can_be_had(offer: Offer, points: int | None, expected: str) -> None:
    assert obtainable(offer, points) == expected


def test_before_a_yes_the_price_and_what_is_left_are_said() -> None:
    assert proposal(MAP, "MossFox", "acorns", 1840, Filled(("Dust\x1b[2J",), "thanks")) == [
        "Pick the next map 🗺, in MossFox's store",
        "  price    1,500 acorns",
        "  balance  1,840 acorns, of which 340 are left afterwards",
        "  note     3 left",
        "  note     once in 10 min for each viewer",
        "  note     once in 1 min for everyone together",
        "  answer   Map name: Dust[2J",
        "  message  thanks",
        "It cannot be undone.",
    ]
    assert question(MAP, "acorns") == "Spend 1,500 acorns on Pick the next map 🗺?"


def test_a_question_keeps_its_own_mark() -> None:
    lines = proposal(replace(MAP, asks=("Where to? ",)), "MossFox", "", 1840, Filled(("Rome",)))
    assert "  answer   Where to? Rome" in lines


def test_what_speaks_against_it_is_said_too() -> None:
    odd = replace(KEY, enabled=False, subscriber_only=True, sources=frozenset({"bot"}))
    assert proposal(odd, "MossFox", "", 40, Filled()) == [
        "A key, in MossFox's store",
        "  price    5,000 points",
        "  balance  40 points, which is 4,960 too few",
        "  note     the streamer turned it off for now",
        "  note     it is sold out",
        "  note     it can be had in the chat only, where this program never writes",
        "  note     for subscribers only",
        "It cannot be undone.",
    ]
    assert "  balance  not known; it is read before anything is sent" in proposal(KEY, "x", "", None, Filled())
