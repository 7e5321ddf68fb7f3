"""Every end of a call to StreamElements is one fact, and it says what is needed to judge it; so are requests."""

from __future__ import annotations

from typing import Any

import pytest

from allthepoints.base.clock import Chance
from allthepoints.base.errors import Limited, NotSent, OutsideError, Refused, SignInNeeded, Unauthorised, Unknown
from allthepoints.base.types import ItemId, Login, SeId, UserId
from allthepoints.core import facts as f
from allthepoints.core import facts_points as fp
from allthepoints.core.actions import (
    ElementsRead,
    FindLoyalty,
    ReadBalance,
    ReadHistory,
    ReadItems,
    ReadLoyalty,
    SendRedemption,
)
from allthepoints.core.loyalty import JwtState
from allthepoints.core.redeem import Reason
from allthepoints.ports import JwtUnusable, Request
from allthepoints.service.elements import ERROR, ElementsCalls
from allthepoints.service.requests import Requests, fact_of
from allthepoints.testing.clock import ManualClock, settle
from allthepoints.testing.fakes_points import FakeElements, FakePointsApi, FakeStoreApi
from allthepoints.testing.memory_storage import Memory, MemoryStorage

T = 1_700_000_000.0
ALPHA, ID, SE = Login("alpha"), UserId("7"), SeId("se7")
LONG = "x" * (ERROR + 5)


class Sevens(Chance):
    """Chance that is told apart from everything else."""

    def draw(self) -> float:
        return 0.7


class Scene:
    def __init__(self) -> None:
        self.elements = FakeElements(ManualClock(T))
        self.points, self.store = FakePointsApi(self.elements), FakeStoreApi(self.elements)
        self.facts: list[f.Fact] = []
        clock = self.elements.clock
        self.calls = ElementsCalls(self.points, self.store, clock, Sevens(), self.facts.append)

    async def only(self) -> f.Fact:
        await settle()
        (fact,) = self.facts
        return fact


@pytest.fixture
async def scene(anyio_backend: object) -> Scene:
    return Scene()


READS: list[tuple[ElementsRead, str, UserId | None, Login | None]] = [
    (FindLoyalty(ALPHA), "channel", None, ALPHA),
    (ReadLoyalty(ID, SE), "loyalty", ID, None),
    (ReadBalance(ID, SE, Login("me")), "balance", ID, None),
    (ReadItems(ID, SE), "items", ID, None),
    (ReadHistory(SeId("5f0e0d0c0b0a090807060504")), "history", None, None),
]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "text", "until", "refused"),
    [
        (Unknown("an outage"), "an outage", None, ()),
        (Unknown(LONG), LONG[:ERROR], None, ()),
        (Limited("wait", T + 9), "wait", T + 9, ()),
        (Refused("a no", 404), "a no", None, ("channel", "loyalty", "balance", "items", "history")),
        (Unauthorised("not you", 401), "not you", None, ("history",)),
        (SignInNeeded("no token"), "no token", None, ("channel", "loyalty", "balance", "items", "history")),
        (KeyError("a fault of ours"), "internal fault: KeyError", None, ()),
    ],
)
@pytest.mark.parametrize(("action", "what", "channel", "login"), READS)
async def test_a_read_that_brings_nothing_says_why(
    scene: Scene, action: ElementsRead, what: str, channel: UserId | None, login: Login | None, error: Any, text: str,
    until: float | None, refused: tuple[str, ...],
) -> None:  # fmt: skip
    scene.elements.trouble = error
    scene.calls.read(action)
    assert await scene.only() == fp.ElementsFailed(T, what, text, 0.7, channel, login, until, what in refused)


@pytest.mark.anyio
async def test_what_is_read_says_of_whom(scene: Scene) -> None:
    alpha = scene.elements.add("alpha", points=50)
    scene.store.ahead = 2.5
    mug = scene.elements.sell("alpha", "Mug", 10)
    reads: list[tuple[ElementsRead, f.Fact]] = [
        (FindLoyalty(ALPHA), fp.LoyaltyFound(T, ALPHA, alpha)),
        (ReadLoyalty(ID, alpha.id), fp.LoyaltyRead(T, ID, scene.elements.loyalties[alpha.id])),
        (ReadBalance(ID, alpha.id, Login("me")), fp.BalanceRead(T, ID, scene.elements.balances[alpha.id], Login("me"))),
        (ReadItems(ID, alpha.id), fp.ItemsRead(T, ID, (mug,))),
        (ReadHistory(scene.elements.viewer.id), fp.HistoryRead(T, (), scene.elements.viewer.id, 2.5)),
    ]
    for action, fact in reads:
        scene.facts.clear()
        scene.calls.read(action)
        assert await scene.only() == fact


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("jwt", "trouble", "fact"),
    [
        (JwtState.GOOD, None, fp.JwtSeen(T, JwtState.GOOD, T + 60, FakeElements(ManualClock(T)).viewer)),
        (JwtState.REFUSED, None, fp.JwtSeen(T, JwtState.REFUSED, T + 60)),
        (JwtState.MALFORMED, None, fp.JwtSeen(T, JwtState.MALFORMED, T + 60)),
        (JwtState.GOOD, Unknown(LONG), fp.JwtUnknown(T, LONG[:ERROR], 0.7, T + 60)),
        (JwtState.GOOD, KeyError("ours"), fp.JwtUnknown(T, "internal fault: KeyError", 0.7, T + 60)),
    ],
)
async def test_what_the_token_is_worth(scene: Scene, jwt: JwtState, trouble: Any, fact: f.Fact) -> None:
    scene.elements.jwt, scene.elements.trouble, scene.elements.jwt_expires_at = jwt, trouble, T + 60
    scene.calls.check_jwt()
    assert await scene.only() == fact


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotSent(LONG), {"unsent": Reason.NOT_SENT, "error": LONG[:ERROR]}),
        (JwtUnusable(LONG, JwtState.EXPIRED), {"unsent": Reason.JWT_EXPIRED, "error": LONG[:ERROR]}),
        (JwtUnusable("odd", JwtState.GOOD), {"unsent": Reason.JWT_MISSING, "error": "odd"}),
        (Refused("answered 400", 400, LONG), {"refusal": LONG[:ERROR]}),
        (Refused("answered 400", 400), {"refusal": "answered 400"}),
        (Unauthorised("answered 401", 401, "who?"), {"refusal": "who?"}),
        (Unknown(LONG), {"error": LONG[:ERROR]}),
        (OutsideError("what?"), {"error": "what?"}),
        (KeyError("ours"), {"error": "internal fault: KeyError"}),
    ],
)
async def test_fc_48_each_end_of_the_post(scene: Scene, error: Any, told: dict[str, Any]) -> None:
    scene.elements.trouble = error
    scene.calls.send(SendRedemption("k", scene.elements.viewer.id, SE, ItemId("mug"), (), ""))
    assert await scene.only() == fp.RedemptionAnswered(T, "k", **told)
    assert scene.elements.calls == ["redeem"], "it is not sent again"


@pytest.mark.anyio
async def test_fc_48_what_was_confirmed_is_what_is_sent(scene: Scene) -> None:
    alpha = scene.elements.add("alpha", points=50)
    map_vote = scene.elements.sell("alpha", "Map", 10, asks=("Which?",), takes_message=True)
    own = scene.elements.viewer.id
    scene.calls.send(SendRedemption("k", own, alpha.id, map_vote.id, ("Dust",), "hi"))
    fact = await scene.only()
    assert isinstance(fact, fp.RedemptionAnswered)
    assert fact.bought is not None
    assert (fact.at, fact.key, fact.bought.id) == (T, "k", scene.elements.bought[0].id)
    (post,) = scene.elements.posts
    assert (post.channel, post.item, post.answers, post.message) == (alpha.id, map_vote.id, ("Dust",), "hi")


# -- requests ------------------------------------------------------------------------------------------------------
WHOLE: dict[str, Any] = {"key": "k", "item": "mug", "cost": 5, "answers": ["Dust"], "message": "hi", "dry": True}
BARE: dict[str, Any] = {"key": "k", "item": "mug", "cost": 5}
MUG = ItemId("mug")


@pytest.mark.parametrize(
    ("kind", "data", "fact"),
    [
        ("retry", {}, f.RetryAsked(T, ALPHA)),
        ("look", {}, fp.LookAsked(T, ALPHA)),
        ("redeem", WHOLE, fp.RedeemAsked(T - 4, "k", ALPHA, MUG, 5, ("Dust",), "hi", True)),
        ("redeem", BARE, fp.RedeemAsked(T - 4, "k", ALPHA, MUG, 5, (), "", False)),
        ("settle", {"key": "k", "taken": True}, fp.SettleAsked(T, "k", True)),
        ("settle", {"key": "k", "taken": False}, fp.SettleAsked(T, "k", False)),
        ("jwt", {}, fp.JwtGiven(T)),
        ("sign_in", {}, f.SignInGiven(T)),
        ("allow_auto", {"allowed": True}, fp.AutoAllowed(T, True)),
        ("allow_auto", {"allowed": False}, fp.AutoAllowed(T, False)),
    ],
)
def test_what_a_request_means(kind: str, data: dict[str, Any], fact: f.Fact) -> None:
    assert fact_of(Request(1, T - 4, kind, ALPHA, data), T) == fact


def test_fc_48_a_request_of_tomorrow_was_asked_now() -> None:
    fact = fact_of(Request(1, T + 86_400, "redeem", ALPHA, BARE), T)
    assert isinstance(fact, fp.RedeemAsked)
    assert fact.at == T


@pytest.mark.parametrize(
    ("kind", "login", "data"),
    [
        ("retry", None, {}),
        ("look", None, {}),
        ("redeem", None, BARE),
        ("redeem", ALPHA, {}),
        ("redeem", ALPHA, BARE | {"cost": "5"}),
        ("settle", None, {"key": "k"}),
        ("allow_auto", None, {"allowed": 1}),
        ("sing", ALPHA, {}),
    ],
)
def test_a_request_that_makes_no_sense_is_told_so(kind: str, login: Login | None, data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        fact_of(Request(1, T, kind, login, data), T)


@pytest.mark.anyio
async def test_a_request_is_answered_once_also_where_the_disk_keeps_it() -> None:
    memory, answered = Memory(), list[int]()
    requests = Requests(MemoryStorage(memory), ManualClock(T), lambda request: answered.append(request.id))
    memory.asked = [Request(1, T, "look", ALPHA, {}), Request(2, T, "look", ALPHA, {})]
    await requests.look()
    await requests.look()
    memory.asked.append(Request(3, T, "look", ALPHA, {}))
    await requests.look()
    assert answered == [1, 2, 3]


@pytest.mark.anyio
async def test_what_is_under_way_at_the_end_is_given_up(scene: Scene) -> None:
    scene.calls.read(ReadItems(ID, SE))
    await scene.calls.aclose()
    await settle()
    assert scene.facts == []


@pytest.mark.anyio
async def test_a_token_whose_end_cannot_be_told_has_none(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> float:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(scene.store, "expires_at", fails)
    scene.calls.check_jwt()
    assert await scene.only() == fp.JwtUnknown(T, "internal fault: KeyError", 0.7, None)
