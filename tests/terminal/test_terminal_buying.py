"""The dialog that redeems, to each of its ends, with a service that is played by the test."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from terminal_home import ALPHA, AT, CODE, HYDRATE, KEY, MAP, FakeAsks, Home, looked, seen_again, shown, text_of, view
from textual.pilot import Pilot

from allthepoints.base.clock import Stopwatch
from allthepoints.base.errors import AlreadyRunning, FaultError, NotSent
from allthepoints.base.types import Login
from allthepoints.config.settings import Settings
from allthepoints.core import records as r
from allthepoints.core.elements import read_key
from allthepoints.core.loyalty import Balance, Item
from allthepoints.core.redeem import Reason, Redemption, State
from allthepoints.storage.database import Database
from allthepoints.views.intent import Intent
from allthepoints.views.store import Filled
from allthepoints.views.terminal import buying
from allthepoints.views.terminal.app import WatchApp
from allthepoints.views.terminal.asks import Asks
from allthepoints.views.terminal.buying import BuyPage, Step

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def dialog(home: Home, item: Item) -> AsyncIterator[tuple[WatchApp, FakeAsks, Pilot[None]]]:
    """The dialog of an item of Alpha's store, as `r` opens it."""
    app, asks = view(home)
    with home.running():
        async with shown(app, 90, 30) as pilot:
            await pilot.press("2", "slash", *item.name.split()[-2], "enter")
            await looked(pilot)
            await pilot.press("r")
            await looked(pilot)
            yield app, asks, pilot


def intents(asks: FakeAsks) -> list[Intent]:
    return [one[1] for one in asks.asked if one[0] == "redeem"]


def row(intent: Intent, state: State, **more: Any) -> r.RedemptionKept:
    """What the service writes of it."""
    return r.RedemptionKept(AT, replace(intent.asked, state=state, **more))


async def test_questions_in_order_the_message_the_price_and_one_yes(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    async with dialog(home, replace(MAP, name="next map")) as (app, asks, pilot):
        assert asks.asked == [("look", "alpha")], "everything is read anew first"
        assert "It asks (1 of 2): Map name" in text_of(app)
        await pilot.press("enter")
        assert "Every question of the item wants an answer." in text_of(app)
        await pilot.press(*"Dust", "enter")
        assert "It asks (2 of 2): Mode" in text_of(app)
        await pilot.press(*"yy", "enter")
        assert "It takes a message beside it." in text_of(app)
        await pilot.press(*"thanks", "enter")
        text = text_of(app)
        for line in (
            "Pick the next map 🗺, in Alpha's store",
            "  price    1,500 acorns",
            "  balance  1,845 acorns, of which 345 are left afterwards",
            "  answer   Map name: Dust",
            "  answer   Mode: yy",
            "  message  thanks",
            "It cannot be undone.",
            "Spend 1,500 acorns on Pick the next map 🗺?",
            "y: spend 1,500 acorns",
        ):
            assert line in text.splitlines(), text
        assert intents(asks) == [], "what was typed is no yes"
        await pilot.press("y", "y", "y")
        (intent,) = intents(asks)
        assert intent.data == {
            "key": intent.key, "item": MAP.id, "cost": 1500, "answers": ["Dust", "yy"], "message": "thanks",
            "dry": False,
        }  # fmt: skip
        assert "Everything is checked anew." in text_of(app)
        home.write(row(intent, State.SENT, sent_at=AT))
        await looked(pilot)
        assert "It was sent; StreamElements has not answered yet." in text_of(app)
        home.write(row(intent, State.ACCEPTED, sent_at=AT, settled_at=AT + 1))
        await looked(pilot)
        assert "Redeemed: Pick the next map 🗺 in Alpha's store, for 1,500 acorns." in text_of(app)
        await pilot.press("y", "escape")
        assert len(intents(asks)) == 1
        assert "Nothing was sent" not in text_of(app)


async def test_the_access_code_is_shown(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    async with dialog(home, replace(KEY, name="game key")) as (app, asks, pilot):
        await pilot.press("y")
        await looked(pilot)
        (intent,) = intents(asks)
        home.write(row(intent, State.ACCEPTED, settled_at=AT, code=CODE))
        await looked(pilot)
        assert f"Access code: {CODE}" in text_of(app).splitlines()


@pytest.mark.parametrize(
    ("state", "more", "says"),
    [
        (
            State.REJECTED,
            {"reason": Reason.REFUSED, "text": "You are [red]redeeming[/] too \x1b[2Jfast"},
            'StreamElements said no ("You are [red]redeeming[/] too [2Jfast").',
        ),
        (State.REJECTED, {"reason": Reason.PRICE_CHANGED}, "The price is not the one that you confirmed."),
        (State.REJECTED, {"reason": Reason.JWT_EXPIRED}, "Run `allthepoints login streamelements`."),
        (State.UNKNOWN, {"sent_at": AT, "text": "502"}, "It is not sent again."),
    ],
)
async def test_how_it_ends_is_told_with_what_it_means(
    tmp_path: Path, state: State, more: dict[str, Any], says: str
) -> None:
    home = Home(tmp_path).fill()
    async with dialog(home, replace(HYDRATE, name="Hydrate Alpha")) as (app, asks, pilot):
        await pilot.press("y")
        await looked(pilot)
        (intent,) = intents(asks)
        home.write(row(intent, state, **more))
        await looked(pilot)
        assert says in text_of(app)
        if state is State.UNKNOWN:
            home.write(row(intent, State.ACCEPTED, sent_at=AT, settled_at=AT + 60))
            await looked(pilot)
            assert "Redeemed: Hydrate" in text_of(app), "it is told how an unclear one ends"


async def test_a_service_that_never_takes_it_up_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buying, "WAIT", 0.0)
    home = Home(tmp_path).fill()
    async with dialog(home, replace(HYDRATE, name="Hydrate Alpha")) as (app, asks, pilot):
        await pilot.press("y")
        await looked(pilot)
        assert "Not known yet: whether Hydrate in Alpha's store was redeemed for 100 acorns." in text_of(app)
        await pilot.press("escape")
        assert f"`allthepoints redemptions show {intents(asks)[0].key[:8]}`" in text_of(app)


@pytest.mark.parametrize("key", ["n", "escape"])
async def test_anything_but_a_yes_sends_nothing(tmp_path: Path, key: str) -> None:
    home = Home(tmp_path).fill()
    async with dialog(home, replace(HYDRATE, name="Hydrate Alpha")) as (app, asks, pilot):
        await pilot.press("enter", "space", "r", "w", key)
        assert intents(asks) == []
        assert "Nothing was sent." in text_of(app)
        assert "[2 Store]" in text_of(app)


async def test_escape_while_an_answer_is_typed_leaves_it(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    async with dialog(home, replace(MAP, name="next map")) as (app, asks, pilot):
        await pilot.press(*"Du", "escape")
        assert intents(asks) == []
        assert "Nothing was sent." in text_of(app)


async def test_what_changed_meanwhile_is_what_is_asked_about(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, _ = view(home)
    with home.running():
        async with shown(app, 90, 30) as pilot:
            await pilot.press("2")
            await looked(pilot)
            await pilot.press("down")
            home.write(r.ItemKnown(AT, ALPHA, replace(HYDRATE, cost=2000)))
            await pilot.press("r")
            await looked(pilot)
            assert "  price    2,000 acorns" in text_of(app)
            assert "which is 155 too few" in text_of(app)


async def test_an_item_that_is_gone_and_an_outage_stop_it(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, asks = view(home)
    with home.running():
        async with shown(app, 90, 30) as pilot:
            await pilot.press("2")
            await looked(pilot)
            await pilot.press("down")
            asks.error = NotSent("alpha's store could not be read at StreamElements within 15 s", "Try later.")
            await pilot.press("r")
            await looked(pilot)
            assert "Alpha's store could not be read at StreamElements within 15 s; nothing was sent." in text_of(app)
            assert "Try later." in text_of(app)
            await pilot.press("y", "escape")
            asks.error = None
            home.write(r.ItemGone(AT, ALPHA, HYDRATE.id))
            await pilot.press("r")
            await looked(pilot)
            assert "It is not in the store any more." in text_of(app)
            assert isinstance(app.page, BuyPage)
            assert app.page.step is Step.STOPPED
            assert intents(asks) == []


async def test_a_service_that_ends_before_the_yes(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    async with dialog(home, replace(HYDRATE, name="Hydrate Alpha")) as (app, asks, pilot):
        asks.error = FaultError("no service runs, so nothing was sent", "Start it with `allthepoints run`.")
        await pilot.press("y")
        await looked(pilot)
        assert "No service runs, so nothing was sent." in text_of(app)


class Errands:
    """Plays the service that this process is for an errand: answers with what it is told to write."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.asked: list[tuple[str, str]] = []
        self.hold = Event()
        self.hold.set()
        self.begun = Event()
        self.settled: dict[str, Any] = {"state": State.ACCEPTED, "settled_at": AT}

    def __call__(self, kind: str, login: str, data: Any, until: Callable[[], bool], seconds: float) -> None:
        self.asked.append((kind, login))
        with self.home.running():
            self.begun.set()
            assert self.hold.wait(60)
            if kind == "look":
                self.home.write(
                    r.Noted(AT + 1, read_key(ALPHA), str(AT + 1)),
                    r.BalanceKnown(AT + 1, ALPHA, Balance(1845, 615, 212, 1290)),
                )
            else:
                intent = Intent(ALPHA, Login("alpha"), HYDRATE, Filled(), AT, key=data["key"])
                self.home.write(r.RedemptionKept(AT, replace(intent.asked, **self.settled)))
            assert until()


@asynccontextmanager
async def asleep(home: Home) -> AsyncIterator[tuple[WatchApp, Errands, Pilot[None]]]:
    """The store, where no service runs."""
    errands, (app, _) = Errands(home), view(home)
    app.asks = Asks(home.data, home.config, lambda: app.looker.settings, app.now, errands)
    app.looker.errand = lambda: app.asks.on_errand
    async with shown(app, 90, 30) as pilot:
        await pilot.press("2")
        await looked(pilot)
        await pilot.press("down")
        yield app, errands, pilot


async def shows(app: WatchApp, pilot: Pilot[None], *words: str) -> None:
    watch = Stopwatch()
    while not all(word in text_of(app) for word in words):
        assert watch.elapsed() < 60, f"{words} are not on\n{text_of(app)}"
        await looked(pilot)


async def test_where_no_service_runs_this_process_is_it_for_the_errand(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    async with asleep(home) as (app, errands, pilot):
        await pilot.press("r")
        await shows(app, pilot, "y: spend 100 acorns", "read     price and balance")
        assert "Not running, so you are in no chat." in text_of(app), "an errand is no service"
        await pilot.press("y", "y")
        await shows(app, pilot, "Redeemed: Hydrate in Alpha's store, for 100 acorns.")
        assert errands.asked == [("look", "alpha"), ("redeem", "alpha")]
        assert not app.asks.on_errand


async def test_while_an_errand_goes_on_it_is_no_service_and_one_q_does_not_end_it(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    async with asleep(home) as (app, errands, pilot):
        await pilot.press("r")
        await shows(app, pilot, "y: spend 100 acorns")
        errands.hold.clear()
        errands.begun.clear()
        await pilot.press("y")
        await asyncio.to_thread(errands.begun.wait, 60)
        await seen_again(pilot)
        assert "not running" in text_of(app).splitlines()[0]
        await pilot.press("q")
        assert "q again quits" in text_of(app).replace("\n", " ")
        assert app.is_running
        await pilot.press("escape")
        assert "It goes on as long as this view is open" in text_of(app).replace("\n", " ")
        errands.hold.set()
        while app.asks.on_errand:
            await looked(pilot)
        await pilot.press("3")
        await pilot.press("q")
    assert app.return_code == 0


async def test_an_errand_that_cannot_be_is_told_and_nothing_was_sent(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    app, asks = view(home)
    app.asks = Asks(home.data, home.config, lambda: app.looker.settings, app.now)
    async with shown(app, 90, 30) as pilot:
        await pilot.press("2")
        await looked(pilot)
        await pilot.press("r")
        await shows(app, pilot, "No service runs, so nothing can be read anew; nothing was sent.")
        assert "Start it with `allthepoints run`." in text_of(app)
    assert asks.asked == []


def test_a_service_that_starts_meanwhile_is_asked(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    intent = Intent(ALPHA, Login("alpha"), HYDRATE, Filled(), AT)

    def too_late(*_: Any) -> None:
        raise AlreadyRunning("a service runs already", "")

    Asks(home.data, home.config, Settings, lambda: AT, too_late).redeem(intent)
    database = Database(home.data.database, AT)
    assert [(one.kind, one.data["key"]) for one in database.requests()] == [("redeem", intent.key)]
    database.close()


async def test_on_a_small_screen_what_is_asked_is_in_sight_and_no_yes_is_blind(tmp_path: Path) -> None:
    home = Home(tmp_path).fill()
    async with dialog(home, replace(HYDRATE, name="Hydrate Alpha")) as (app, asks, pilot):
        for width, height in ((1, 1), (15, 5), (80, 4)):
            await pilot.resize_terminal(width, height)
            await pilot.press("y")
        assert intents(asks) == []
        await pilot.resize_terminal(20, 5)
        await looked(pilot)
        assert text_of(app).splitlines()[1:] == [
            "Hydrate?",
            "y: spend 100 acorns",
            "n: leave it",
            "y spend 100 acorns",
        ]
        await pilot.press("y")
        await looked(pilot)
        assert len(intents(asks)) == 1


def test_a_redemption_is_one_intent() -> None:
    from allthepoints.base.types import Login, UserId
    from allthepoints.views.store import Filled

    intent = Intent(UserId("1"), Login("alpha"), HYDRATE, Filled(), AT)
    assert isinstance(intent.outcome(None), Redemption)
    assert intent.outcome(None).text == "the service did not take it up in time"
