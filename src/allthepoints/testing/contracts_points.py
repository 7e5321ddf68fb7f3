"""What every `ports.PointsApi` and `ports.StoreApi` must do. Run against the fakes, and against the sandbox.

As in `contracts`: a case gets a stage, and `POINTS_API` and `STORE_API` list the cases.
"""

from __future__ import annotations

from typing import Any, Protocol

from allthepoints.base.errors import NotSent, OutsideError, Refused, Unauthorised, Unknown
from allthepoints.base.types import ItemId, Login, SeId
from allthepoints.core.loyalty import Bought, Item, JwtState, LoyaltyChannel
from allthepoints.ports import JwtUnusable, PointsApi, StoreApi
from allthepoints.testing.contracts import raised

NOBODY = SeId("0123456789abcdef01234567")
NOTHING = ItemId("0123456789abcdef01234568")


class PointsStage(Protocol):
    """A StreamElements, and a viewer whom no channel knows yet."""

    api: PointsApi
    viewer: Login

    def add(self, login: str) -> LoyaltyChannel:
        """A new channel that pays 5 every 600 s, with an empty store."""
        ...

    def add_elsewhere(self, login: str) -> None:
        """A name of Twitch that leads to a channel of another platform there."""
        ...

    def settle(self, login: str, **changes: Any) -> None:
        """Other settings: `currency`, `enabled`, `amount`, `ignored`, `subscriber_multiplier`."""
        ...

    def give(self, login: str, points: int) -> None:
        """So many more, or fewer, for the viewer."""
        ...

    def sell(self, login: str, name: str, cost: int, **more: Any) -> ItemId:
        """A new item; `more` as the fields of `core.loyalty.Item`, and `codes`."""
        ...

    def remove(self, item: ItemId) -> None:
        """The streamer deletes it."""
        ...

    def rename(self, login: str, to: str) -> None: ...

    def delete(self, login: str) -> None:
        """StreamElements has the channel no more."""
        ...

    def outage(self, on: bool) -> None: ...


class StoreStage(PointsStage, Protocol):
    """The same, with a JWT of the viewer that is good for a while."""

    store: StoreApi

    def jwt(self, state: JwtState) -> None:
        """What the JWT is worth from now on."""
        ...

    def lose_answer(self, *, booked: bool) -> None:
        """The next POST is not answered; whether it is taken."""
        ...

    def cut_off(self) -> None:
        """The next POST finds no connection."""
        ...

    def booked(self) -> int:
        """How many redemptions there really are."""
        ...


# -- PointsApi -----------------------------------------------------------------------------------------------------
async def a_channel_is_found_by_its_login(stage: PointsStage) -> None:
    """With who it is at Twitch."""
    alpha = stage.add("alpha")
    stage.add("beta")
    assert await stage.api.find(Login("alpha")) == alpha
    assert await stage.api.find(Login("nobody")) is None


async def a_channel_of_another_platform_is_none(stage: PointsStage) -> None:
    """A name may lead to somebody else."""
    stage.add_elsewhere("alpha")
    assert await stage.api.find(Login("alpha")) is None


async def a_rename_keeps_its_id(stage: PointsStage) -> None:
    """The old name leads nowhere, the id still does."""
    alpha = stage.add("alpha")
    stage.give("alpha", 100)
    stage.rename("alpha", "alpha2")
    assert await stage.api.find(Login("alpha")) is None
    found = await stage.api.find(Login("alpha2"))
    assert found is not None
    assert (found.id, found.ref.id, found.ref.login) == (alpha.id, alpha.ref.id, "alpha2")
    assert await _points(stage, alpha) == 100


async def settings_are_told(stage: PointsStage) -> None:
    """In seconds."""
    alpha = stage.add("alpha")
    loyalty = await stage.api.loyalty(alpha.id)
    assert loyalty is not None
    assert (loyalty.enabled, loyalty.amount, loyalty.interval) == (True, 5, 600.0)
    assert loyalty.per_hour == 30.0
    assert stage.viewer not in loyalty.ignored
    stage.settle("alpha", currency="acorns", enabled=False, amount=7, ignored=frozenset({stage.viewer, "nightbot"}))
    loyalty = await stage.api.loyalty(alpha.id)
    assert loyalty is not None
    assert (loyalty.currency, loyalty.enabled, loyalty.amount) == ("acorns", False, 7)
    assert loyalty.ignored == {stage.viewer, "nightbot"}


async def a_balance_is_told(stage: PointsStage) -> None:
    """FC-50. None for a viewer whom the channel does not know: that is no failure."""
    alpha = stage.add("alpha")
    assert await stage.api.balance(alpha.id, stage.viewer) is None
    stage.give("alpha", 1840)
    balance = await stage.api.balance(alpha.id, stage.viewer)
    assert balance is not None
    assert balance.points == 1840
    assert await stage.api.balance(alpha.id, Login("somebody_else")) is None
    stage.give("alpha", -1840)
    assert await _points(stage, alpha) == 0


async def what_is_gone_is_none(stage: PointsStage) -> None:
    """An id that is unknown there, and one that was known."""
    alpha = stage.add("alpha")
    stage.give("alpha", 5)
    stage.delete("alpha")
    for se in (alpha.id, NOBODY):
        assert await stage.api.loyalty(se) is None
        assert await stage.api.balance(se, stage.viewer) is None
        assert await stage.api.items(se) is None


async def a_store_is_told_as_it_is(stage: PointsStage) -> None:
    """FC-49. Disabled, sold out, without end, with questions, for nothing, twice the same name, in any letters."""
    alpha = stage.add("alpha")
    assert await stage.api.items(alpha.id) == ()
    plain = stage.sell("alpha", "Pick the map 🗺 <script>", 1500)
    asks = ("Which map?", "Why?")
    full = stage.sell("alpha", "VIP", 0, stock=3, cooldown_user=600.0, cooldown_global=60.0, asks=asks)
    out = stage.sell("alpha", "VIP", 2_000_000_000, stock=0, enabled=False, subscriber_only=True, takes_message=True)
    items = await _items(stage, alpha)
    assert list(items) == [plain, full, out]
    assert (items[plain].name, items[plain].cost) == ("Pick the map 🗺 <script>", 1500)
    assert (items[plain].stock, items[plain].enabled, items[plain].sold_out) == (None, True, False)
    assert (items[full].name, items[full].cost, items[full].stock, items[full].asks) == ("VIP", 0, 3, asks)
    assert (items[full].cooldown_user, items[full].cooldown_global) == (600.0, 60.0)
    assert (items[out].stock, items[out].sold_out, items[out].enabled) == (0, True, False)
    assert (items[out].subscriber_only, items[out].takes_message) == (True, True)
    stage.remove(full)
    assert list(await _items(stage, alpha)) == [plain, out]


async def a_store_comes_whole(stage: PointsStage) -> None:
    """FC-49. More than a page, each once, in order."""
    alpha = stage.add("alpha")
    sold = [stage.sell("alpha", f"Item {n}", n) for n in range(131)]
    items = await stage.api.items(alpha.id)
    assert items is not None
    assert [item.id for item in items] == sold


async def reading_fails_in_an_outage_and_passes(stage: PointsStage) -> None:
    """It is an error, never a None."""
    alpha = stage.add("alpha")
    stage.outage(True)
    for work in (
        stage.api.find(alpha.ref.login),
        stage.api.loyalty(alpha.id),
        stage.api.balance(alpha.id, stage.viewer),
        stage.api.items(alpha.id),
    ):
        assert isinstance(await raised(work), Unknown)
    stage.outage(False)
    assert await stage.api.find(alpha.ref.login) == alpha


POINTS_API = (
    a_channel_is_found_by_its_login,
    a_channel_of_another_platform_is_none,
    a_rename_keeps_its_id,
    settings_are_told,
    a_balance_is_told,
    what_is_gone_is_none,
    a_store_is_told_as_it_is,
    a_store_comes_whole,
    reading_fails_in_an_outage_and_passes,
)


# -- StoreApi ------------------------------------------------------------------------------------------------------
async def whose_jwt_it_is(stage: StoreStage) -> None:
    """And when it ends."""
    me = await stage.store.me()
    assert me.login == stage.viewer
    assert me.user_id
    assert stage.store.expires_at() is not None


async def a_redemption_is_booked_once(stage: StoreStage) -> None:
    """FC-48. Paid, taken from the stock, and found among our own with what was answered."""
    alpha = stage.add("alpha")
    stage.give("alpha", 1000)
    item = stage.sell("alpha", "Pick the map", 300, stock=2, asks=("Which?",), takes_message=True)
    bought = await _redeem(stage, alpha.id, item, ("Dust",), "thanks!")
    assert (bought.channel, bought.item, bought.answers, bought.code) == (alpha.id, item, ("Dust",), None)
    assert stage.booked() == 1
    assert await _points(stage, alpha) == 700
    assert (await _items(stage, alpha))[item].stock == 1
    (found,) = await _history(stage)
    assert (found.id, found.channel, found.item) == (bought.id, alpha.id, item)
    assert (found.name, found.cost, found.answers, found.message) == ("Pick the map", 300, ("Dust",), "thanks!")


async def a_code_comes_in_the_answer(stage: StoreStage) -> None:
    """And only there."""
    alpha = stage.add("alpha")
    stage.give("alpha", 1000)
    item = stage.sell("alpha", "A key", 10, codes=("AAAA-1111", "BBBB-2222"), stock=2)
    bought = await _redeem(stage, alpha.id, item)
    assert bought.code == "AAAA-1111"
    assert "AAAA" not in repr(bought)


async def our_own_come_newest_first(stage: StoreStage) -> None:
    """Over all channels; what was bought of an item that is gone stays, without it."""
    alpha, beta = stage.add("alpha"), stage.add("beta")
    assert await _history(stage) == ()
    bought = []
    for channel in (alpha, beta):
        stage.give(channel.ref.login, 1000)
        item = stage.sell(channel.ref.login, "Hydrate", 10)
        bought.append(await _redeem(stage, channel.id, item))
    found = await _history(stage)
    assert {one.id for one in found} == {one.id for one in bought}
    assert [one.created_at for one in found] == sorted((one.created_at for one in found), reverse=True)
    item_of_alpha = bought[0].item
    assert item_of_alpha is not None
    stage.remove(item_of_alpha)
    assert {(one.id, one.item) for one in await _history(stage)} == {
        (bought[0].id, None),
        (bought[1].id, bought[1].item),
    }


async def a_clear_no_books_nothing(stage: StoreStage) -> None:
    """FC-48. Too poor, sold out, disabled, an answer missing, no such item: in words."""
    alpha = stage.add("alpha")
    stage.give("alpha", 1000)
    for item in (
        stage.sell("alpha", "Dear", 1001),
        stage.sell("alpha", "Out", 1, stock=0),
        stage.sell("alpha", "Off", 1, enabled=False),
        stage.sell("alpha", "Asks", 1, asks=("Which?",)),
        NOTHING,
    ):
        error = await raised(_redeem(stage, alpha.id, item))
        assert isinstance(error, Refused)
        assert error.message
    assert stage.booked() == 0
    assert await _points(stage, alpha) == 1000
    assert await _history(stage) == ()


async def a_lost_answer_is_unknown(stage: StoreStage) -> None:
    """FC-48. Whether it was taken, only reading tells."""
    alpha = stage.add("alpha")
    stage.give("alpha", 1000)
    item = stage.sell("alpha", "Hydrate", 10)
    for booked in (False, True):
        stage.lose_answer(booked=booked)
        error = await raised(_redeem(stage, alpha.id, item))
        assert isinstance(error, Unknown)
        assert not isinstance(error, NotSent)
        assert stage.booked() == len(await _history(stage)) == booked
        assert await _points(stage, alpha) == (990 if booked else 1000)


async def what_never_left_says_so(stage: StoreStage) -> None:
    """FC-48. Nothing was booked, and the next one goes through."""
    alpha = stage.add("alpha")
    stage.give("alpha", 1000)
    item = stage.sell("alpha", "Hydrate", 10)
    stage.cut_off()
    assert isinstance(await raised(_redeem(stage, alpha.id, item)), NotSent)
    assert stage.booked() == 0
    await _redeem(stage, alpha.id, item)
    assert stage.booked() == 1


async def a_bad_jwt_is_not_sent(stage: StoreStage) -> None:
    """FC-31. What is missing, past its end or no JWT at all cannot be tried; what needs none goes on."""
    alpha = stage.add("alpha")
    stage.give("alpha", 1000)
    item = stage.sell("alpha", "Hydrate", 10)
    for state in (JwtState.MISSING, JwtState.EXPIRED, JwtState.MALFORMED):
        stage.jwt(state)
        for error in await _errors_of_all(stage, alpha.id, item):
            assert isinstance(error, JwtUnusable)
            assert error.state is state
        assert await _points(stage, alpha) == 1000
    assert stage.booked() == 0


async def a_refused_jwt_is_told(stage: StoreStage) -> None:
    """FC-31. It looks good, and they do not take it."""
    alpha = stage.add("alpha")
    stage.give("alpha", 1000)
    item = stage.sell("alpha", "Hydrate", 10)
    stage.jwt(JwtState.REFUSED)
    assert all(isinstance(error, Unauthorised) for error in await _errors_of_all(stage, alpha.id, item))
    assert stage.booked() == 0
    stage.jwt(JwtState.GOOD)
    await _redeem(stage, alpha.id, item)
    assert stage.booked() == 1


async def another_accounts_jwt_reads_and_buys_nothing(stage: StoreStage) -> None:
    """FC-48. What one account sees says nothing of another's, and none pays for another."""
    alpha = stage.add("alpha")
    stage.give("alpha", 1000)
    item = stage.sell("alpha", "Hydrate", 10)
    for error in (
        await raised(stage.store.history(NOBODY)),
        await raised(stage.store.redeem(NOBODY, alpha.id, item, (), "")),
    ):
        assert isinstance(error, JwtUnusable)
        assert error.state is JwtState.WRONG_ACCOUNT
    assert stage.booked() == 0
    assert await _points(stage, alpha) == 1000


async def the_store_fails_in_an_outage_and_passes(stage: StoreStage) -> None:
    """An empty list of ours would be a lie."""
    me = await stage.store.me()
    stage.outage(True)
    assert isinstance(await raised(stage.store.me()), Unknown)
    assert isinstance(await raised(stage.store.history(me.id)), OutsideError)
    stage.outage(False)
    assert await stage.store.history(me.id) == ()


STORE_API = (
    whose_jwt_it_is,
    a_redemption_is_booked_once,
    a_code_comes_in_the_answer,
    our_own_come_newest_first,
    a_clear_no_books_nothing,
    a_lost_answer_is_unknown,
    what_never_left_says_so,
    a_bad_jwt_is_not_sent,
    a_refused_jwt_is_told,
    another_accounts_jwt_reads_and_buys_nothing,
    the_store_fails_in_an_outage_and_passes,
)


async def _points(stage: PointsStage, channel: LoyaltyChannel) -> int:
    balance = await stage.api.balance(channel.id, stage.viewer)
    assert balance is not None
    return balance.points


async def _items(stage: PointsStage, channel: LoyaltyChannel) -> dict[ItemId, Item]:
    items = await stage.api.items(channel.id)
    assert items is not None
    return {item.id: item for item in items}


async def _history(stage: StoreStage) -> tuple[Bought, ...]:
    return await stage.store.history((await stage.store.me()).id)


async def _redeem(
    stage: StoreStage, se: SeId, item: ItemId, answers: tuple[str, ...] = (), message: str = ""
) -> Bought:
    return await stage.store.redeem((await stage.store.me()).id, se, item, answers, message)


async def _errors_of_all(stage: StoreStage, se: SeId, item: ItemId) -> list[Exception | None]:
    store = stage.store
    return [await raised(work) for work in (store.me(), store.history(NOBODY), store.redeem(NOBODY, se, item, (), ""))]
