"""Notifications beside the loop: every place for itself, nothing lost unsaid, presence that knows nothing of them."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any

import pytest
from service_stages import EPOCH, Fakes

from allthepoints.base.clock import Chance, LoopClock
from allthepoints.base.errors import Limited, Refused, Unknown
from allthepoints.base.types import JSON, Login, UserId
from allthepoints.core.alerts import BATCH, RETURN, ROOM, SETTLE, SPACING, AlertPolicy, Kind, Message
from allthepoints.core.hours import Hours, quiet_until
from allthepoints.core.model import Account
from allthepoints.core.place import Census
from allthepoints.core.records import Event, EventKind
from allthepoints.core.warning import ERROR, WARNING, Warning
from allthepoints.ports import NOTIFY, Notice
from allthepoints.service.alerting import LONGEST_WAIT, PATIENCE, QUEUE, TRIES, Alerting, Told, tried
from allthepoints.service.outside import Hooks, both
from allthepoints.service.snapshot import Snapshot

pytestmark = pytest.mark.anyio

ALPHA = UserId("1")
LOGGER = "allthepoints.service.alerting"


class Post:
    """A notifier in memory. `ways[place]` is called at each send: it may raise, or answer what to wait for."""

    def __init__(self, *places: str) -> None:
        self.places = places or ("json #1",)
        self.ways: dict[int, Callable[[], Any]] = {}
        self.sent: list[list[Notice]] = [[] for _ in self.places]
        self.calls: list[int] = [0 for _ in self.places]

    async def send(self, place: int, notice: Notice) -> None:
        self.calls[place] += 1
        if (way := self.ways.get(place)) is not None and (waits := way()) is not None:
            await waits
        self.sent[place].append(notice)

    def bodies(self, place: int = 0) -> list[str]:
        return [notice.body for notice in self.sent[place]]


class Plain:
    """Words as short as they can be."""

    def __init__(self) -> None:
        self.digests: list[tuple[float, float]] = []
        self.trouble: Exception | None = None

    def event(self, event: Event, snapshot: Snapshot) -> str:
        if self.trouble is not None:
            raise self.trouble
        return str(event.data.get("text", event.kind.value))

    def message(self, message: Message, now: float) -> Notice:
        lines = [("over: " if alert.over else "") + alert.text for alert in message.alerts]
        return Notice("held" if message.held else "", "\n".join(lines))

    async def digest(self, since: float, until: float) -> Notice:
        self.digests.append((since, until))
        if self.trouble is not None:
            raise self.trouble
        return Notice("digest", "the day")

    def lost(self, count: int) -> str:
        return f"{count} lost"


class Bench:
    """An `Alerting` that runs, told by hand."""

    def __init__(self, post: Post, policy: AlertPolicy, state: JSON = None) -> None:
        self.clock = LoopClock(asyncio.get_running_loop(), EPOCH)
        self.post = post
        self.words = Plain()
        self.shown: dict[str, JSON] = {}
        self.alerting = Alerting(self.clock, Chance(1))
        self.alerting.recall(state)
        self.alerting.show_with(self.shown.__setitem__)
        self.policy = policy
        self.use(policy)

    def use(self, policy: AlertPolicy, post: Post | None = None) -> None:
        self.alerting.use(Told(policy, UTC, self.words, post or self.post))

    def event(self, text: str, kind: EventKind = EventKind.WISH_OBTAINABLE) -> None:
        assert self.alerting.hooks.on_event is not None
        self.alerting.hooks.on_event(Event(self.clock.now(), kind, ALPHA, {"text": text}), self.snapshot())

    def snapshot(self, *warnings: Warning) -> Snapshot:
        account = Account(UserId("9"), Login("me"))
        return Snapshot(self.clock.now(), account, True, Census(0, 0, 0, 0, 0), {}, warnings, None)

    def warn(self, *codes: str, severity: str = WARNING) -> None:
        assert self.alerting.hooks.on_snapshot is not None
        now = self.clock.now()
        self.alerting.hooks.on_snapshot(
            self.snapshot(*(Warning(code, severity, f"T {code}", "W", now) for code in codes))
        )

    async def tell(self, text: str) -> None:
        """One event, in a message of its own."""
        self.event(text)
        await self.clock.sleep(BATCH + SPACING)

    @property
    def places(self) -> list[dict[str, Any]]:
        state: Any = json.loads(json.dumps(self.shown[NOTIFY]))
        places: list[dict[str, Any]] = state["places"]
        return places


@asynccontextmanager
async def bench(
    post: Post | None = None, policy: AlertPolicy | None = None, state: JSON = None
) -> AsyncIterator[Bench]:
    one = Bench(post or Post(), policy or AlertPolicy(frozenset(Kind)), state)
    task = asyncio.ensure_future(one.alerting.run())
    try:
        yield one
    finally:
        task.cancel()
        await asyncio.wait({task})


# -- what is sent ----------------------------------------------------------------------------------------------------
async def test_what_happens_together_is_one_message_to_each_place(anyio_backend: object) -> None:
    post = Post("json #1", "ntfy #2")
    async with bench(post) as one:
        for text in "abc":
            one.event(text)
        one.event("no news", EventKind.PRESENT)
        await one.clock.sleep(BATCH + 1)
        assert post.bodies(0) == post.bodies(1) == ["a\nb\nc"]


async def test_quiet_hours_and_the_urgent(anyio_backend: object) -> None:
    async with bench() as one:
        now = one.clock.now()
        minute = int(now // 60 % 1440)
        hours = Hours(minute, (minute + 60) % 1440)
        one.use(AlertPolicy(frozenset(Kind), hours))
        one.event("held")
        one.warn("sign_in_needed", severity=ERROR)
        await one.clock.sleep(BATCH + 1)
        assert one.post.bodies() == ["T sign_in_needed. W"]
        end = quiet_until(hours, one.clock.now(), UTC)
        assert end is not None
        await one.clock.sleep(end - one.clock.now() + 1)
        assert one.post.bodies() == ["T sign_in_needed. W", "held"]
        assert one.post.sent[0][-1].title == "held"


async def test_a_trouble_and_its_end(anyio_backend: object) -> None:
    async with bench() as one:
        one.warn("helix_failing", "channels_flat")
        await one.clock.sleep(SETTLE + BATCH + 1)
        assert one.post.bodies() == ["T helix_failing. W"]
        one.warn()
        await one.clock.sleep(SETTLE + BATCH + SPACING)
        assert one.post.bodies()[1:] == ["over: T helix_failing"]


async def test_the_digest_comes_by_itself(anyio_backend: object) -> None:
    async with bench() as one:
        minute = (int(one.clock.now() // 60 % 1440) + 5) % 1440
        one.use(AlertPolicy(digest=minute))
        await one.clock.sleep(600)
        assert [notice.title for notice in one.post.sent[0]] == ["digest"]
        [(since, until)] = one.words.digests
        assert (until - since, until % 86_400) == (86_400, minute * 60)


# -- places ----------------------------------------------------------------------------------------------------------
def hang() -> Any:
    return asyncio.Event().wait()


def raising(error: BaseException) -> Callable[[], Any]:
    def way() -> Any:
        raise error

    return way


WAYS: list[tuple[str, Callable[[], Any], str]] = [
    ("hangs", hang, f"no answer within {PATIENCE:.0f} s"),
    ("refuses", raising(Refused("it refuses the message (HTTP 400)", 400)), "it refuses the message (HTTP 400)"),
    ("unknown", raising(Unknown("no connection")), "no connection"),
    ("raises", raising(RuntimeError("https://host/CANARY")), "RuntimeError inside the notifier"),
]


@pytest.mark.parametrize(("way", "text"), [pytest.param(*case[1:], id=f"fc_25_{case[0]}") for case in WAYS])
async def test_one_place_never_keeps_another_waiting(
    way: Callable[[], Any], text: str, caplog: pytest.LogCaptureFixture
) -> None:
    post = Post("dead #1", "ntfy #2")
    post.ways[0] = way
    async with bench(post) as one:
        with caplog.at_level(logging.INFO, LOGGER):
            for number in range(5):
                await one.tell(f"{number}")
            assert post.bodies(1) == ["0", "1", "2", "3", "4"]
            assert post.bodies(0) == []
            assert one.places[0]["error"] == text
            assert one.places[1] == {"name": "ntfy #2", "error": None, "since": None, "lost": 0}
            await one.clock.sleep(7200)
        assert caplog.messages == [f"notifications to dead #1 do not get through: {text}"], "named once"
        assert one.places[0]["lost"] == 5
        caplog.clear()
        del post.ways[0]
        with caplog.at_level(logging.INFO, LOGGER):
            await one.tell("5")
            await one.tell("6")
        assert post.bodies(0) == ["5\n5 lost", "6"]
        assert caplog.messages == ["notifications to dead #1 get through again"]
        assert one.places[0] == {"name": "dead #1", "error": None, "since": None, "lost": 0}
        assert "CANARY" not in caplog.text


async def test_an_unclear_end_is_tried_again_and_a_refusal_is_not(anyio_backend: object) -> None:
    post = Post("unclear #1", "refuses #2")
    post.ways = {0: raising(Unknown("x")), 1: raising(Refused("x", 400))}
    async with bench(post) as one:
        await one.tell("a")
        await one.clock.sleep(7200)
        assert post.calls == [TRIES, 1]
        assert one.places[0]["lost"] == one.places[1]["lost"] == 1


async def test_a_place_that_asks_to_wait_is_not_asked_before(anyio_backend: object) -> None:
    async with bench() as one:
        until = one.clock.now() + 1_800
        one.post.ways[0] = raising(Limited("it asks to wait (HTTP 429)", until))
        await one.tell("a")
        await one.clock.sleep(1_500)
        assert one.post.calls == [1]
        del one.post.ways[0]
        await one.clock.sleep(700)
        assert (one.post.calls, one.post.bodies()) == ([2], ["a"])


async def test_a_place_that_asks_to_wait_is_left_alone_with_the_next_notice_too(anyio_backend: object) -> None:
    """Six answers of 429, each with a word on when: the next notice does not slip in between."""
    async with bench() as one:
        asked: list[float] = []

        def way() -> Any:
            asked.append(one.clock.now())
            raise Limited("it asks to wait 900 s (HTTP 429)", one.clock.now() + 900)

        one.post.ways[0] = way
        await one.tell("a")
        await one.tell("b")
        await one.clock.sleep(3 * 3_600)
        assert len(asked) > TRIES, "the second notice was tried too"
        assert all(later - before >= 900 for before, later in itertools.pairwise(asked))


async def test_who_says_when_is_asked_then_and_who_repeats_it_later(anyio_backend: object) -> None:
    async with bench() as one:
        asked: list[float] = []

        def way() -> Any:
            asked.append(one.clock.now())
            raise Limited("it asks to wait 5 s (HTTP 429)", one.clock.now() + 5)

        one.post.ways[0] = way
        await one.tell("a")
        await one.clock.sleep(3 * 3_600)
        gaps = [later - before for before, later in itertools.pairwise(asked)]
        assert 5 <= gaps[0] <= 7
        assert len(gaps) == TRIES - 1
        assert gaps[-1] > 60


async def test_a_wait_that_is_absurd_is_cut_short(anyio_backend: object) -> None:
    async with bench() as one:
        one.post.ways[0] = raising(Limited("wait", one.clock.now() + 10**9))
        await one.tell("a")
        one.post.ways.clear()
        await one.clock.sleep(LONGEST_WAIT + 10)
        assert one.post.bodies() == ["a"]


async def test_fc_25_the_queue_of_a_place_is_bounded_and_drops_the_oldest(anyio_backend: object) -> None:
    async with bench() as one:
        one.post.ways[0] = raising(Limited("wait", one.clock.now() + 10**6))
        for number in range(QUEUE + 6):
            await one.tell(f"{number}")
        assert one.places[0]["lost"] in (5, 6)
        lost = one.places[0]["lost"]
        one.post.ways.clear()
        await one.clock.sleep(4_000)
        assert len(one.post.sent[0]) == QUEUE + 6 - lost
        assert one.post.bodies()[-1] == f"{QUEUE + 5}"
        assert sum(int(body.split("\n")[1].split()[0]) for body in one.post.bodies() if "lost" in body) == lost
        assert one.places[0]["lost"] == 0


# -- mistakes of our own ---------------------------------------------------------------------------------------------
async def test_what_our_own_words_raise_stays_in_here_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async with bench() as one:
        one.words.trouble = ValueError("a mistake")
        for _ in range(9):
            one.event("x")
        await one.clock.sleep(BATCH + SPACING)
        assert caplog.messages == ["an event could not be told"]
        one.words.trouble = None
        await one.tell("y")
        assert one.post.bodies() == ["y"]


async def test_a_digest_that_cannot_be_read_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    async with bench() as one:
        one.words.trouble = OSError("the disk")
        one.use(AlertPolicy(digest=(int(one.clock.now() // 60 % 1440) + 1) % 1440))
        await one.clock.sleep(120)
        one.words.trouble = None
        await one.tell("y")
        assert one.post.bodies() == ["y"]
        assert caplog.messages == ["a notification could not be written"]


async def test_nobody_is_told_where_nobody_is_named(anyio_backend: object) -> None:
    async with bench() as one:
        one.alerting.use(None)
        await one.tell("x")
        assert one.post.calls == [0]
        assert one.places == []
        one.use(one.policy)
        await one.tell("y")
        assert one.post.bodies() == ["y"]


async def test_a_changed_config_acts_at_once(anyio_backend: object) -> None:
    async with bench() as one:
        other = Post("other #1")
        one.use(AlertPolicy(frozenset({Kind.CHEAPER})), other)
        one.event("not wanted any more")
        one.event("wanted", EventKind.WISH_CHEAPER)
        await one.clock.sleep(BATCH + 1)
        assert (one.post.calls, other.bodies()) == ([0], ["wanted"])


async def test_what_waits_for_a_place_that_stays_is_kept_over_a_change(anyio_backend: object) -> None:
    async with bench() as one:
        one.post.ways[0] = raising(Unknown("x"))
        await one.tell("a")
        one.use(AlertPolicy(frozenset({Kind.CHEAPER})))
        one.post.ways.clear()
        await one.clock.sleep(3_600)
        assert one.post.bodies() == ["a"]


async def test_the_desk_outlives_the_process(anyio_backend: object) -> None:
    async with bench() as one:
        one.warn("sign_in_needed", severity=ERROR)
        await one.clock.sleep(1)
        one.event("pending")
        await one.clock.sleep(1)
        state = json.loads(json.dumps(one.shown[NOTIFY]))
    post = Post()
    async with bench(post, state=state) as again:
        await again.clock.sleep(1)
        assert post.bodies() == ["pending"]
        again.warn("sign_in_needed", severity=ERROR)
        await again.clock.sleep(RETURN + 1)
        assert post.bodies() == ["pending"], "it was told before"


async def test_a_flood_costs_no_more_memory_than_there_is_room_for(anyio_backend: object) -> None:
    async with bench() as one:
        for number in range(ROOM * 3):
            one.event(f"{number}")
        assert len(json.dumps(one.alerting._desk.pending, default=str)) < ROOM * 400
        await one.clock.sleep(BATCH + 1)
        assert one.post.bodies()[0].endswith(f"{ROOM * 3 - 1}")


async def test_trying_all_places_tells_of_each(anyio_backend: object) -> None:
    post = Post("a #1", "b #2", "c #3", "d #4")
    post.ways = dict(enumerate((lambda: None, *(way for _, way, _ in WAYS[:2]), raising(RuntimeError("CANARY")))))
    assert await tried(post, Notice("t", "b")) == [None, WAYS[0][2], WAYS[1][2], "RuntimeError inside the notifier"]


# -- presence --------------------------------------------------------------------------------------------------------
def beside(fakes: Fakes, post: Post) -> Alerting:
    """The same service, with notifications beside it."""
    alerting = Alerting(fakes.clock, Chance(1))
    assemble = fakes._assemble

    async def with_alerts(stack: Any, hooks: Hooks, chat: Any) -> Any:
        service = await assemble(stack, both(alerting.hooks, hooks), chat)
        alerting.use(Told(AlertPolicy(frozenset(Kind)), UTC, Plain(), post))
        alerting.show_with(service.show)
        running = asyncio.ensure_future(alerting.run())

        async def end() -> None:
            running.cancel()
            await asyncio.wait({running})

        stack.push_async_callback(end)
        return service

    fakes._assemble = with_alerts  # type: ignore[method-assign]
    return alerting


@pytest.mark.parametrize("way", [pytest.param(case[1], id=f"fc_25_{case[0]}") for case in WAYS])
async def test_no_notifier_costs_presence(fakes: Fakes, way: Callable[[], Any]) -> None:
    """From the start on: it hangs, refuses, fails or raises; the day goes on as if it was not there."""
    post = Post("dead #1")
    post.ways[0] = way
    beside(fakes, post)
    fakes.add("alpha", "beta", live=True)
    await fakes.start()
    assert await fakes.until(lambda: fakes.rooms == {"alpha", "beta"}, within=10) < 10
    await fakes.elapse(200)
    assert post.calls[0] >= 1, "it was told that they are live"
    fakes.go_offline("alpha")
    await fakes.until(lambda: fakes.rooms == {"beta"}, within=400)
    fakes.go_live("alpha")
    await fakes.until(lambda: fakes.rooms == {"alpha", "beta"}, within=60)
    await fakes.elapse(120)
    stored: Any = fakes.memory.service[NOTIFY]
    assert stored["places"][0]["name"] == "dead #1"
    assert stored["places"][0]["error"]
    assert await fakes.stop() < 5


async def test_even_if_all_of_it_raises_the_loop_goes_on(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    alerting = beside(fakes, Post())
    for name in ("take", "watch", "due", "kind_of", "remembered"):
        monkeypatch.setattr(f"allthepoints.core.alerts.{name}", raising(RuntimeError("a mistake")))
    fakes.add("alpha", live=True)
    await fakes.start()
    await fakes.until(lambda: fakes.rooms == {"alpha"}, within=10)
    await fakes.elapse(600)
    assert fakes.rooms == {"alpha"}
    assert alerting._stumbled


async def test_fc_22_one_session_is_told_once_over_restarts_and_reconnects(fakes: Fakes) -> None:
    post = Post()
    beside(fakes, post)
    fakes.add("alpha", live=True)
    await fakes.start()
    await fakes.elapse(BATCH + 30)
    for connection in fakes.sandbox.hub.of(fakes.sandbox.account):
        connection.reset()
    await fakes.elapse(600)
    await fakes.stop()
    await fakes.start()
    await fakes.elapse(3 * 3600)
    assert [body for body in post.bodies() if "live" in body] == ["live"]
