"""What a page that listens is sent: what changed, all of it, and nothing else."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from web_stage import AT, SAME, Listening, Stage, get, post, row, turns, until, worry

from allthepoints.base.errors import SignInNeeded
from allthepoints.base.types import Login, UserId
from allthepoints.config.settings import Dashboard
from allthepoints.core.records import Event, EventKind
from allthepoints.storage.read_points import PointsReader
from allthepoints.views.web import stream
from allthepoints.views.web.app import Pages
from allthepoints.views.web.board import EVENTS_KEPT, GONE_KEPT, Board, Doings, Pace
from allthepoints.views.web.change import Change
from allthepoints.views.web.guard import COOKIE
from allthepoints.views.web.signing import Show
from allthepoints.views.web.telling import MOST_AT_ONCE

pytestmark = pytest.mark.anyio


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    found = Stage(tmp_path)
    found.tell([row(n) for n in range(1, 301)])
    return found


def listen(stage: Stage, since: str | None = None) -> Listening:
    return Listening(stage.app, f"/events?of=now&since={stage.board.version if since is None else since}")


def rows_of(stage: Stage) -> dict[UserId, object]:
    seen = stage.board.snapshot()
    assert seen is not None
    return dict(seen.rows)


async def step(stage: Stage) -> None:
    await turns()
    stage.clock.advance(0.3)
    await turns()


async def test_only_what_changed_is_sent(stage: Stage) -> None:
    client = listen(stage)
    await step(stage)
    assert (client.status, client.events()) == (200, []), "it has what the page had"
    rows = rows_of(stage)
    rows[UserId("7")] = row(7, points=5000)
    stage.tell(list(rows.values()))  # type: ignore[arg-type]
    await step(stage)
    assert client.events() == [("row", "<i>c7\n5000</i>"), ("version", stage.board.version)]
    stage.tell(list(rows.values()))  # type: ignore[arg-type]
    await step(stage)
    assert client.events() == [], "the same again is no news"
    del rows[UserId("9")]
    stage.tell(list(rows.values()), warnings=(worry(),))  # type: ignore[arg-type]
    await step(stage)
    names = dict(client.events())
    assert names["row"] == "gone 9"
    assert names["alerts"] == "jwt_missing"
    assert "299 of 299" in names["sentence"] or "299 live" in names["sentence"]
    await client.hang_up()


async def test_a_slow_client_is_owed_the_difference_only(stage: Stage) -> None:
    client = listen(stage)
    await turns()
    client.said = ""
    for points in range(100):
        rows = rows_of(stage)
        rows[UserId("7")] = row(7, points=points)
        rows[UserId("8")] = row(8, points=points)
        stage.tell(list(rows.values()))  # type: ignore[arg-type]
        await turns(3)
    await step(stage)
    told = [data for name, data in client.events() if name == "row"]
    assert len(told) <= 4, "the first, and what it came to while the client was waited for"
    assert told[-1] == "<i>c8\n99</i>"
    await client.hang_up()


async def test_a_client_that_comes_back_is_told_what_it_missed(stage: Stage) -> None:
    before = stage.board.version
    rows = rows_of(stage)
    rows[UserId("5")] = row(5, points=1)
    stage.board.happened(Event(AT, EventKind.PRESENT, UserId("5")), stage.tell(list(rows.values())))  # type: ignore[arg-type]
    stage.tell(list(rows.values()))  # type: ignore[arg-type]
    client = Listening(stage.app, "/events?since=old", {"last-event-id": before})
    await step(stage)
    assert client.events() == [
        ("row", "<i>c5\n1</i>"),
        ("event", "present"),
        ("sentence", stage.board.sentence()),
        ("version", stage.board.version),
    ]
    await client.hang_up()


@pytest.mark.parametrize("since", ["", "x", "other.5", "{boot}.999", "{boot}.-1", "{boot}.x", "{boot}." + "1" * 99])
async def test_who_knows_nothing_of_now_is_told_everything(stage: Stage, since: str) -> None:
    boot = stage.board.version.partition(".")[0]
    client = listen(stage, since.replace("{boot}", boot))
    await step(stage)
    assert len([name for name, _ in client.events() if name == "row"]) == 300
    await client.hang_up()


async def test_who_was_away_while_very_many_channels_went_is_told_everything(stage: Stage) -> None:
    before = stage.board.version
    many = [row(n) for n in range(1, GONE_KEPT + 200)]
    stage.tell(many)
    stage.tell(many[:1])
    change = stage.board.since(before)
    assert change is not None
    assert change.whole
    assert [one.login for one in change.rows] == ["c1"]


async def test_events_are_bounded(stage: Stage) -> None:
    before = stage.board.version
    seen = stage.board.snapshot()
    assert seen is not None
    for _ in range(EVENTS_KEPT * 2):
        stage.board.happened(Event(AT, EventKind.LIVE, UserId("1")), seen)
        stage.board.told(seen)
    change = stage.board.since(before)
    assert change is not None
    assert len(change.events) == EVENTS_KEPT
    assert change.events[0].login == "c1"
    assert not change.rows


async def test_polling_is_the_same(stage: Stage) -> None:
    before = stage.board.version
    assert (await get(stage, f"/poll?since={before}")).status_code == 204
    rows = rows_of(stage)
    rows[UserId("3")] = row(3, points=3)
    stage.tell(list(rows.values()))  # type: ignore[arg-type]
    answer = (await get(stage, f"/poll?since={before}")).json()
    assert answer["version"] == stage.board.version
    assert ["row", "<i>c3\n3</i>"] in answer["fragments"]
    assert len(answer["fragments"]) == 2, "and the sentence"


async def test_clients_are_bounded_and_forgotten(stage: Stage) -> None:
    clients = [listen(stage) for _ in range(stream.MOST)]
    await turns()
    late = listen(stage)
    await turns()
    assert (late.status, late.task.done()) == (503, True)
    for client in clients:
        await client.hang_up()
    again = listen(stage)
    await turns()
    assert again.status == 200
    await again.hang_up()


async def test_a_sign_of_life(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.board.pace = Pace(anew=0.01)
    stage.tell([row(1)])
    client = listen(stage)

    async def told() -> bool:
        return "still here" in client.said

    await until(told)
    await client.hang_up()


async def test_who_takes_nothing_is_let_go(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.board.pace = Pace(sent_within=0.01)
    stage.tell([row(1)])
    client = listen(stage)
    await turns(3)
    client.stuck = True
    stage.tell([row(1, points=2)])

    async def let_go() -> bool:
        return "allthepoints_dashboard_listeners 0.0" in (await get(stage, "/metrics")).text

    await until(let_go)
    client.task.cancel()
    await asyncio.gather(client.task, return_exceptions=True)


async def test_it_ends_with_the_session(tmp_path: Path) -> None:
    stage = Stage(tmp_path, Dashboard(), "four random words")
    stage.tell([row(1)])
    door = stage.door
    assert door is not None
    session = await door.log_in("four random words", "127.0.0.1")
    assert isinstance(session, str)
    client = Listening(stage.app, f"/events?since={stage.board.version}", {"cookie": f"{COOKIE}={session}"})
    await step(stage)
    assert client.status == 200
    mine = {**SAME, "cookie": f"{COOKIE}={session}"}
    await post(stage, "/logout", stage.token(session), mine)
    client.said = ""
    stage.tell([row(1, points=77)])
    await step(stage)
    assert client.task.done()
    assert "77" not in client.said


def test_what_others_wrote_cannot_add_an_event() -> None:
    assert stream.message("row", "a\r\nevent: x\rdata: y\n\nz") == (
        "event: row\ndata: a\ndata: event: x\ndata: data: y\ndata: \ndata: z\n\n"
    )


# -- the sign-in from the page ---------------------------------------------------------------------------------------
async def test_signing_in_from_the_page(tmp_path: Path) -> None:
    confirmed: asyncio.Future[Login] = asyncio.get_running_loop().create_future()
    asked = 0

    async def sign_in(show: Show) -> Login:
        nonlocal asked
        asked += 1
        show("ABCD", "https://www.twitch.tv/activate", 1800.0)
        return await confirmed

    stage = Stage(tmp_path)
    doings = Doings(lambda *_: None, lambda: stage.settings, tmp_path / "c.toml", sign_in)
    board = Board(PointsReader(tmp_path / "none.db"), stage.clock, doings)
    signing = board.sign_in()
    assert signing is not None
    assert signing.state.stage == "idle"
    board.told(stage.tell([row(1)]))
    before = board.version
    signing.start()
    signing.start()
    await turns()
    assert (signing.state.stage, signing.state.code, asked) == ("waiting", "ABCD", 1)
    assert signing.state.ends_at == AT + 1800
    change = board.since(before)
    assert change is not None
    assert change.head
    confirmed.set_result(Login("me"))
    await turns()
    assert (signing.state.stage, signing.state.login) == ("done", "me")
    confirmed = asyncio.get_running_loop().create_future()
    confirmed.set_exception(SignInNeeded("the code ABCD has expired"))
    signing.start()
    await turns()
    assert (signing.state.stage, signing.state.error) == ("failed", "the code ABCD has expired")
    await board.aclose()
    assert stage.board.sign_in() is None


# -- made once, on a thread ------------------------------------------------------------------------------------------
class Counted:
    """Fragments that are counted, and may be made to hang as long as `gate` is not set."""

    def __init__(self) -> None:
        self.made: list[tuple[str, int | None, int]] = []
        self.threads: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()

    async def __call__(self, board: Board, change: Change, topic: str) -> list[tuple[str, str]]:
        self.made.append((topic, change.known, change.number))

        def work() -> list[tuple[str, str]]:
            self.threads.add(threading.get_ident())
            self.gate.wait(10)
            return [("row", str(one.points)) for one in change.rows]

        return await asyncio.to_thread(work)


def counted(stage: Stage) -> Counted:
    found = Counted()
    stage.build(pages=Pages({}, {}, found))
    return found


async def test_what_many_are_owed_is_made_once_and_on_a_thread(stage: Stage) -> None:
    work = counted(stage)
    clients = [listen(stage) for _ in range(20)]

    async def begun() -> bool:
        return len(work.made) >= 1 and all(client.status == 200 for client in clients)

    await until(begun)
    await turns()
    work.made.clear()
    for points in (1, 2, 3):
        rows = rows_of(stage)
        rows[UserId("7")] = row(7, points=points)
        stage.tell(list(rows.values()))  # type: ignore[arg-type]

        async def told(points: int = points) -> bool:
            stage.clock.advance(0.05)
            return all(f"data: {points}\n" in client.said for client in clients)

        await until(told)
    assert len(work.made) <= 6, "and not 60"
    assert threading.get_ident() not in work.threads
    answers = await asyncio.gather(*(get(stage, f"/poll?of=now&since={stage.board.version[:-1]}0") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(work.made) <= 7, "who asks is told what was made for others"
    for client in clients:
        await client.hang_up()


async def test_what_hangs_in_the_making_holds_up_nobody_else(stage: Stage) -> None:
    work = counted(stage)
    clients = [listen(stage) for _ in range(5)]
    await turns()
    work.gate.clear()
    rows = rows_of(stage)
    for points in range(50):  # the loop's turns go on
        rows[UserId("7")] = row(7, points=points)
        stage.tell(list(rows.values()))  # type: ignore[arg-type]
        await turns(3)
    assert (await get(stage, "/healthz")).text == "ok\n"
    polls = [asyncio.ensure_future(get(stage, f"/poll?of=now{n}&since=x")) for n in range(MOST_AT_ONCE + 5)]
    await turns(60)
    refused = [poll.result() for poll in polls if poll.done()]
    assert {(answer.status_code, answer.headers["retry-after"]) for answer in refused} == {(503, "10")}
    assert len(work.threads) == 1, "one at a time"
    work.gate.set()
    answers = await asyncio.gather(*polls)
    assert {answer.status_code for answer in answers} == {200, 503}
    for client in clients:
        await client.hang_up()


async def test_a_client_that_is_stuck_holds_up_no_other(stage: Stage) -> None:
    stuck, well = listen(stage), listen(stage)
    await turns()
    stuck.stuck = True
    for points in (1, 2, 3):
        rows = rows_of(stage)
        rows[UserId("7")] = row(7, points=points)
        stage.tell(list(rows.values()))  # type: ignore[arg-type]
        await step(stage)
        assert f"<i>c7\ndata: {points}</i>" in well.said
    await well.hang_up()
    stuck.task.cancel()
    await asyncio.gather(stuck.task, return_exceptions=True)


async def test_what_fails_in_the_making_is_told_and_logged_once(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    async def fails(board: Board, change: Change, topic: str) -> list[tuple[str, str]]:
        raise KeyError("x")

    stage.build(pages=Pages({}, {}, fails, lambda _board, error: [("trouble", str(error))]))
    answers = [await get(stage, "/poll?of=now&since=x") for _ in range(3)]
    assert [answer.json()["fragments"] for answer in answers] == [
        [["trouble", "Something went wrong here. It is in the log file"]]
    ] * 3
    assert len(caplog.records) == 1
