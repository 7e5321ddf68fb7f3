"""Helix: for whom a read has an answer, and for whom it has none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stub_twitch import HELIX, Call, MemoryStore, Reply, Signed, Twitch, body, grant, keeper, no, page, row, stored

from allthepoints.base.errors import Limited, OutsideError, Refused, Unauthorised, Unknown
from allthepoints.base.types import Login, UserId
from allthepoints.core.actions import ReadLive
from allthepoints.core.facts import HelixPoints
from allthepoints.core.model import ChannelRef, StreamKind
from allthepoints.twitch.helix import Helix

ME = UserId("1000")


def helix(twitch: Twitch, auth: Any = None, on_points: Callable[[HelixPoints], None] = lambda _: None) -> Helix:
    return Helix(twitch.client, HELIX, auth or Signed(), twitch.clock, on_points)


def ids(*values: int) -> frozenset[UserId]:
    return frozenset(UserId(str(value)) for value in values)


def named(*values: int, logins: tuple[str, ...] = ()) -> ReadLive:
    return ReadLive(None, frozenset(), ids(*values), frozenset(Login(login) for login in logins))


def followed(*values: int, also: tuple[int, ...] = ()) -> ReadLive:
    return ReadLive(ME, ids(*values), ids(*also), frozenset())


def wanted(call: Call) -> list[str]:
    return call.values("user_id") + call.values("user_login")


def streams_of(*live: int, bad: tuple[str, ...] = ()) -> Callable[[Call], Reply]:
    """Get Streams that knows who is live, and calls some values malformed."""

    def answer(call: Call) -> Reply:
        assert len(wanted(call)) <= 100
        assert call.values("first") == ["100"]
        if set(wanted(call)) & set(bad):
            return no(400, 'The parameter "user_id" was malformed')
        return page(row(n) for n in live if str(n) in wanted(call) or f"u{n}" in wanted(call))

    return answer


def pages(*parts: list[Any], **more: Any) -> Callable[[Call], Reply]:
    """A list in pages with cursors p1, p2, ..."""

    def answer(call: Call) -> Reply:
        at = int((call.values("after") or ["p0"])[0][1:])
        return page(parts[at], f"p{at + 1}" if at + 1 < len(parts) else None, **more)

    return answer


def follow(number: int) -> dict[str, Any]:
    return {
        "broadcaster_id": str(number),
        "broadcaster_login": f"u{number}",
        "broadcaster_name": f"U{number}",
        "followed_at": "2022-05-24T22:22:08Z",
    }


# -- FC-12: follows ------------------------------------------------------------------------------------------------
FOLLOWS = [follow(n) for n in range(241)]
THREE = [FOLLOWS[:100], FOLLOWS[100:200], FOLLOWS[200:]]


@pytest.mark.anyio
async def test_fc_12_all_pages_each_once() -> None:
    twice = [FOLLOWS[:100], FOLLOWS[99:199], FOLLOWS[199:]]
    twitch = Twitch().on("/channels/followed", pages(*twice, total=241))
    channels = await helix(twitch).follows(ME)
    assert [channel.id for channel in channels] == [str(n) for n in range(241)]
    assert channels[0] == ChannelRef(UserId("0"), Login("u0"), "U0")
    assert len(twitch.calls) == 3
    assert all(call.values("first") == ["100"] and call.values("user_id") == [ME] for call in twitch.calls)


@pytest.mark.anyio
@pytest.mark.parametrize("trouble", [no(500, "oops"), body({"data": None}), httpx2.ReadTimeout("slow"), page([{}])])
async def test_fc_12_a_a_page_that_fails_fails_all(trouble: Reply) -> None:
    twitch = Twitch().on("/channels/followed", page(FOLLOWS[:100], "p1", total=241), trouble)
    with pytest.raises(Unknown):
        await helix(twitch).follows(ME)


@pytest.mark.anyio
async def test_fc_12_b_a_cursor_that_repeats_ends_it() -> None:
    twitch = Twitch().on("/channels/followed", page(FOLLOWS[:100], "p1", total=100))
    assert len(await helix(twitch).follows(ME)) == 100
    assert len(twitch.calls) == 2
    for total in ({"total": 241}, {}):
        twitch = Twitch().on("/channels/followed", page(FOLLOWS[:100], "p1", **total))
        with pytest.raises(Unknown, match="only 100"):
            await helix(twitch).follows(ME)


@pytest.mark.anyio
async def test_fc_12_d_a_total_that_is_not_reached() -> None:
    twitch = Twitch().on("/channels/followed", page(FOLLOWS[:100], total=241))
    with pytest.raises(Unknown, match="only 100 of 241"):
        await helix(twitch).follows(ME)
    twitch = Twitch().on("/channels/followed", page([], total=241))
    with pytest.raises(Unknown):
        await helix(twitch).follows(ME)
    twitch = Twitch().on("/channels/followed", page(FOLLOWS[:99], total=100))  # one of them closed its account
    assert len(await helix(twitch).follows(ME)) == 99


@pytest.mark.anyio
async def test_fc_12_nobody_followed_and_closed_accounts() -> None:
    assert await helix(Twitch().on("/channels/followed", page([], total=0))).follows(ME) == ()
    closed = [follow(1), follow(2) | {"broadcaster_login": ""}, follow(3) | {"broadcaster_name": None}, 7, None]
    channels = await helix(Twitch().on("/channels/followed", page(closed))).follows(ME)
    assert [(channel.id, channel.display) for channel in channels] == [("1", "U1"), ("3", "u3")]


@pytest.mark.anyio
async def test_fc_12_a_list_without_end_ends() -> None:
    count = iter(range(10_000))
    twitch = Twitch().on("/channels/followed", lambda _: page([follow(n := next(count))], f"p{n}"))
    with pytest.raises(Unknown):
        await helix(twitch).follows(ME)
    assert len(twitch.calls) == 200


# -- FC-13: a hundred a call ---------------------------------------------------------------------------------------
@pytest.mark.anyio
async def test_fc_13_101_ids_are_two_calls() -> None:
    twitch = Twitch().on("/streams", streams_of(7, 100))
    read = await helix(twitch).live(named(*range(101)))
    assert [len(wanted(call)) for call in twitch.calls] == [100, 1]
    assert {stream.channel.id for stream in read.streams} == {"7", "100"}
    assert read.asked == ids(*range(101))
    assert read.error is None


@pytest.mark.anyio
async def test_fc_13_ids_and_logins_share_a_call() -> None:
    twitch = Twitch().on("/streams", streams_of(7))
    read = await helix(twitch).live(named(*range(60), logins=tuple(f"u{n}" for n in range(200, 240))))
    assert [len(wanted(call)) for call in twitch.calls] == [100]
    assert len(read.asked_logins) == 40


@pytest.mark.anyio
async def test_fc_13_too_many_is_our_bug_and_nobody_is_offline() -> None:
    text = 'malformed: The parameter "user_id" was malformed: the value must be less than or equal to 100'
    twitch = Twitch().on("/streams", no(400, text), page([]))
    read = await helix(twitch).live(named(*range(101)))
    assert read.error is not None
    assert "bug in allthepoints" in read.error
    assert len(read.asked) == 1
    twitch = Twitch().on("/streams", no(400, text))
    with pytest.raises(Unknown, match="bug in allthepoints"):
        await helix(twitch).live(named(1))
    assert len(twitch.calls) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(("count", "live"), [(1, 0), (100, 100), (250, 140), (2000, 140)])
async def test_fc_13_n_followed_cost_n_by_100_calls(count: int, live: int) -> None:
    rows = [row(n) for n in range(live)]
    parts = [rows[at : at + 100] for at in range(0, max(live, 1), 100)]
    twitch = Twitch().on("/streams/followed", pages(*parts)).on("/streams", streams_of(*range(live)))
    read = await helix(twitch).live(followed(*range(count)))
    assert read.asked == ids(*range(count))
    assert len(read.streams) == live
    assert len(twitch.calls) <= -(-count // 100)
    without = helix(twitch, Signed(scopes=frozenset({"chat:read"})))
    twitch.calls.clear()
    assert set((await without.live(followed(*range(count)))).streams) == set(read.streams)
    assert len(twitch.calls) == -(-count // 100)


@pytest.mark.anyio
async def test_nothing_asked_is_nothing_sent() -> None:
    twitch = Twitch()
    read = await helix(twitch).live(named())
    assert (read.asked, read.streams, read.error, twitch.calls) == (frozenset(), (), None, [])


# -- a bad id ------------------------------------------------------------------------------------------------------
@pytest.mark.anyio
async def test_a_malformed_id_is_found_and_set_aside_for_a_day() -> None:
    twitch = Twitch().on("/streams", streams_of(7, 50, bad=("42", "u999")))
    api = helix(twitch)
    ask = named(*range(99), logins=("u999",))
    read = await api.live(ask)
    assert read.asked == ids(*range(99)) - ids(42)
    assert read.asked_logins == frozenset()
    assert {stream.channel.id for stream in read.streams} == {"7", "50"}
    assert read.error is not None
    assert "set aside" in read.error
    assert "42, u999" in read.error
    twitch.calls.clear()
    twitch.clock.advance(3600)
    again = await api.live(ask)
    assert len(twitch.calls) == 1
    assert again.error is not None
    twitch.clock.advance(23 * 3600 + 1)
    twitch.on("/streams", streams_of(7, 42)).calls.clear()
    healed = await api.live(ask)
    assert healed.asked == ids(*range(99))
    assert healed.error is None


@pytest.mark.anyio
async def test_a_helix_that_calls_everything_malformed_sets_nobody_aside() -> None:
    twitch = Twitch().on("/streams", no(400, "malformed"))
    api = helix(twitch)
    with pytest.raises(OutsideError):
        await api.live(named(*range(250)))
    assert len(twitch.calls) < 80
    twitch.on("/streams", streams_of(7))
    assert (await api.live(named(*range(250)))).asked == ids(*range(250))


# -- FC-15: gone, FC-16: renamed -----------------------------------------------------------------------------------
def user(number: int, login: str | None = None) -> dict[str, Any]:
    return {"id": str(number), "login": login or f"u{number}", "display_name": f"U{number}", "type": ""}


@pytest.mark.anyio
async def test_fc_15_who_is_not_named_is_missing() -> None:
    twitch = Twitch().on("/users", page([user(1, "alpha")]))
    read = await helix(twitch).users(ids(1, 2), frozenset({Login("alpha"), Login("gone")}))
    assert read.missing_logins == {"gone"}
    assert read.missing_ids == {"2"}
    assert [channel.login for channel in read.found] == ["alpha"]
    assert twitch.calls[0].values("id") == ["1", "2"]
    assert twitch.calls[0].values("login") == ["alpha", "gone"]


@pytest.mark.anyio
async def test_fc_15_a_404_for_all_is_an_outage() -> None:
    twitch = Twitch().on("/users", no(404, "Not Found"))
    with pytest.raises(Refused):
        await helix(twitch).users(ids(1), frozenset({Login("alpha")}))
    twitch = Twitch().on("/users", httpx2.Response(404, content=b"<html>"))
    with pytest.raises(Unknown):
        await helix(twitch).users(ids(1), frozenset())


@pytest.mark.anyio
async def test_fc_15_all_batches_or_an_error() -> None:
    twitch = Twitch().on("/users", page([user(n) for n in range(100)]), no(500, "oops"))
    with pytest.raises(Unknown):
        await helix(twitch).users(ids(*range(150)), frozenset())
    assert [len(call.values("id")) for call in twitch.calls] == [100, 50]


@pytest.mark.anyio
async def test_fc_15_a_malformed_name_is_nobodys() -> None:
    def answer(call: Call) -> Reply:
        if "bad_" in call.values("login"):
            return no(400, "Invalid username(s), email(s), or ID(s). Bad Identifiers.")
        return page([user(1)] if "u1" in call.values("login") else [])

    api = helix(Twitch().on("/users", answer))
    for names in (("u1", "bad_"), ("bad_",)):
        read = await api.users(frozenset(), frozenset(Login(name) for name in names))
        assert read.missing_logins == {"bad_"}


@pytest.mark.anyio
async def test_fc_15_a_row_without_sense_makes_nobody_missing() -> None:
    read = await helix(Twitch().on("/users", page([user(1), {"id": None}]))).users(ids(1, 2), frozenset())
    assert (read.missing_ids, len(read.found)) == (frozenset(), 1)
    read = await helix(Twitch().on("/users", page([user(1), {"id": "2"}]))).users(ids(1, 2, 3), frozenset())
    assert read.missing_ids == {"3"}
    with pytest.raises(Unknown):
        await helix(Twitch().on("/users", page([{}]))).users(ids(1, 2), frozenset())


@pytest.mark.anyio
async def test_fc_16_a_rename_is_the_same_id_with_another_login() -> None:
    rows = [row(42, "alpha2"), row(77, "alpha")]
    read = await helix(Twitch().on("/streams/followed", page(rows[:1]))).live(followed(42))
    assert [(s.channel.id, s.channel.login) for s in read.streams] == [("42", "alpha2")]
    found = (await helix(Twitch().on("/users", page([user(42, "alpha2")]))).users(ids(42), frozenset())).found
    assert found == (ChannelRef(UserId("42"), Login("alpha2"), "U42"),)
    # asked for by its old login, another channel answers: it is told by its own id
    read = await helix(Twitch().on("/streams", page(rows[1:]))).live(named(42, logins=("alpha",)))
    assert [(s.channel.id, s.channel.login) for s in read.streams] == [("77", "alpha")]
    assert read.asked == {"42"}


# -- FC-08, FC-20, FC-21: rows and bodies --------------------------------------------------------------------------
@pytest.mark.anyio
async def test_fc_20_nobody_live() -> None:
    twitch = Twitch().on("/streams", body({"data": [], "pagination": {}}))
    read = await helix(twitch).live(named(1, 2, logins=("a",)))
    assert (read.asked, read.asked_logins, read.streams) == ({"1", "2"}, {"a"}, ())
    twitch = Twitch().on("/streams/followed", body({"data": []}))
    assert (await helix(twitch).live(followed(1, 2))).asked == {"1", "2"}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, StreamKind.LIVE),
        ({"tags": None}, StreamKind.LIVE),
        ({"tags": [None, "Chill"]}, StreamKind.LIVE),
        ({"tags": ["Rerun"]}, StreamKind.RERUN),
        ({"tags": ["x", "RE-RUN"]}, StreamKind.RERUN),
        ({"type": "rerun"}, StreamKind.RERUN),
        ({"type": "playlist"}, StreamKind.RERUN),
        ({"title": "not a rerun"}, StreamKind.LIVE),
        ({"title": None}, StreamKind.LIVE),
    ],
)
async def test_fc_08_reruns(more: dict[str, Any], kind: StreamKind) -> None:
    read = await helix(Twitch().on("/streams", page([row(1) | more]))).live(named(1))
    assert [stream.kind for stream in read.streams] == [kind]


@pytest.mark.anyio
async def test_a_stream_as_we_take_it() -> None:
    read = await helix(Twitch().on("/streams", page([row(1, "Alpha", "s9", user_name="アルファ")]))).live(named(1))
    (stream,) = read.streams
    assert stream.channel == ChannelRef(UserId("1"), Login("alpha"), "アルファ")
    assert (stream.id, stream.title, stream.started_at) == ("s9", "hello", 1_700_000_000.0)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "more",
    [
        {"type": ""},
        {"type": None},
        {"id": None},
        {"id": ""},
        {"user_login": None},
        {"user_login": "not a login"},
        {"started_at": None},
        {"started_at": "yesterday"},
        {"title": 7},
        {"tags": "x"},
    ],
    ids=str,
)
async def test_fc_08_a_row_without_sense_is_doubtful(more: dict[str, Any]) -> None:
    read = await helix(Twitch().on("/streams", page([row(1) | more, row(2)]))).live(named(1, 2, 3))
    assert read.doubtful == {"1"}
    assert [stream.channel.id for stream in read.streams] == ["2"]
    assert read.asked == {"1", "2", "3"}


@pytest.mark.anyio
@pytest.mark.parametrize("began", ["0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59"])
async def test_a_start_that_no_face_could_show_is_none(began: str) -> None:
    read = await helix(Twitch().on("/streams", page([row(1) | {"started_at": began}]))).live(named(1))
    assert [stream.started_at for stream in read.streams] == [0.0]


@pytest.mark.anyio
@pytest.mark.parametrize("gone", ["type", "started_at", "title", "user_name", "tags"])
async def test_a_row_may_say_little(gone: str) -> None:
    said = {key: value for key, value in row(1).items() if key != gone}
    (stream,) = (await helix(Twitch().on("/streams", page([said | {"id": 9, "user_id": 1}]))).live(named(1))).streams
    assert (stream.id, stream.channel.id, stream.kind) == ("9", "1", StreamKind.LIVE)


@pytest.mark.anyio
async def test_fc_08_a_doubtful_row_leaves_its_login_unanswered() -> None:
    read = await helix(Twitch().on("/streams", page([row(1, "a", type="")]))).live(named(logins=("a", "b")))
    assert (read.doubtful, read.asked_logins) == ({"1"}, {"b"})


@pytest.mark.anyio
@pytest.mark.parametrize(
    "bad", [{}, 7, None, [], {"user_id": None}, row("x"), row(1) | {"user_id": 1.5, "user_login": 2}]
)
async def test_fc_21_a_row_that_may_be_anybodys_makes_nobody_offline(bad: Any) -> None:
    read = await helix(Twitch().on("/streams", page([bad, row(2)]))).live(named(1, 2))
    assert read.asked == {"2"}
    twitch = Twitch().on("/streams/followed", page([bad, row(2)])).on("/streams", streams_of(1))
    read = await helix(twitch).live(followed(1, 2))
    assert [wanted(call) for call in twitch.asked("/streams")] == [["1"]]
    assert {stream.channel.id for stream in read.streams} == {"1", "2"}


@pytest.mark.anyio
async def test_a_row_twice_is_one_stream() -> None:
    read = await helix(Twitch().on("/streams", page([row(1), row(1)]))).live(named(1))
    assert len(read.streams) == 1


@pytest.mark.anyio
async def test_fc_21_a_batch_that_fails_is_left_out() -> None:
    twitch = Twitch().on("/streams", page([row(1)]), no(502, "bad"), page([row(301)]))
    read = await helix(twitch).live(named(*range(100, 400)))
    assert len(read.asked) == 200
    assert read.error is not None
    assert "502" in read.error


@pytest.mark.anyio
async def test_fc_21_two_failures_in_a_row_end_the_read() -> None:
    twitch = Twitch().on("/streams", page([row(1)]), httpx2.ReadTimeout("slow"))
    read = await helix(twitch).live(named(*range(100, 1100)))
    assert (len(read.asked), len(twitch.calls)) == (100, 3)
    twitch = Twitch().on("/streams", httpx2.ReadTimeout("slow"))
    with pytest.raises(Unknown):
        await helix(twitch).live(named(*range(100, 1100)))
    assert len(twitch.calls) == 2


# -- streams/followed ----------------------------------------------------------------------------------------------
@pytest.mark.anyio
async def test_followed_and_named_together() -> None:
    twitch = Twitch().on("/streams/followed", page([row(1), row(5)])).on("/streams", streams_of(9))
    read = await helix(twitch).live(followed(1, 2, also=(2, 8, 9)))
    assert [wanted(call) for call in twitch.asked("/streams")] == [["8", "9"]]
    assert read.asked == ids(1, 2, 8, 9)
    assert {stream.channel.id for stream in read.streams} == {"1", "5", "9"}  # 5 was followed a moment ago


@pytest.mark.anyio
@pytest.mark.parametrize(
    "refusal",
    [no(404, "Not Found"), no(410, "Gone"), no(403, "no"), no(401, "Missing scope: user:read:follows")],
    ids=["404", "410", "403", "scope"],
)
async def test_followed_refused_falls_back_to_ids_for_an_hour(refusal: Reply) -> None:
    twitch = Twitch().on("/streams/followed", refusal).on("/streams", streams_of(2))
    auth = Signed()
    api = helix(twitch, auth)
    for _ in range(3):
        read = await api.live(followed(1, 2))
        assert (read.asked, read.error) == (ids(1, 2), None)
        assert [stream.channel.id for stream in read.streams] == ["2"]
        twitch.clock.advance(1000)
    assert len(twitch.asked("/streams/followed")) == 1
    assert auth.renewed == 0
    twitch.clock.advance(1000)
    await api.live(followed(1, 2))
    assert len(twitch.asked("/streams/followed")) == 2


@pytest.mark.anyio
async def test_followed_that_fails_half_way_is_finished_by_ids() -> None:
    twitch = Twitch().on("/streams/followed", page([row(1)], "p1"), no(500, "oops")).on("/streams", streams_of(2))
    api = helix(twitch)
    read = await api.live(followed(1, 2, 3))
    assert [wanted(call) for call in twitch.asked("/streams")] == [["2", "3"]]
    assert read.asked == ids(1, 2, 3)
    assert {stream.channel.id for stream in read.streams} == {"1", "2"}
    await api.live(followed(1, 2, 3))
    assert len(twitch.asked("/streams/followed")) == 3  # an outage is not remembered


@pytest.mark.anyio
async def test_followed_with_a_cursor_that_repeats_proves_nobody_offline() -> None:
    twitch = Twitch().on("/streams/followed", page([row(1)], "p1")).on("/streams", no(500, "oops"))
    read = await helix(twitch).live(followed(1, 2))
    assert read.asked == {"1"}
    assert len(twitch.asked("/streams/followed")) == 2


# -- tokens --------------------------------------------------------------------------------------------------------
@pytest.mark.anyio
async def test_fc_46_a_401_renews_once_and_asks_again() -> None:
    def answer(call: Call) -> Reply:
        good = call.headers["authorization"] == "Bearer canary1"
        assert call.headers["client-id"] == "c"
        return page([row(1)]) if good else no(401, "Invalid OAuth token")

    auth = Signed()
    assert (await helix(Twitch().on("/streams", answer), auth).live(named(1))).asked == {"1"}
    assert auth.renewed == 1


@pytest.mark.anyio
async def test_fc_46_a_401_that_stays_is_raised_after_one_renewal() -> None:
    auth = Signed()
    with pytest.raises(Unauthorised):
        await helix(Twitch().on("/streams", no(401, "Invalid OAuth token")), auth).live(named(1))
    assert auth.renewed == 1


@pytest.mark.anyio
async def test_fc_46_a_many_reads_at_once_with_a_dead_token_make_one_post() -> None:
    def only_new(call: Call) -> Reply:
        return page([]) if call.headers["authorization"] == "Bearer T1" else no(401, "Invalid OAuth token")

    twitch = Twitch().on("/token", grant(scope=["chat:read", "user:read:follows"]))
    for path in ("/streams", "/streams/followed", "/users", "/channels/followed"):
        twitch.on(path, only_new)
    api = helix(twitch, keeper(twitch, MemoryStore(stored())))
    reads = [api.live(followed(1)), api.live(named(2)), api.users(ids(3), frozenset()), api.follows(ME)]
    await asyncio.gather(*reads)
    assert len(twitch.posts("refresh_token")) == 1


@pytest.mark.anyio
async def test_app_token_for_what_is_public_and_the_persons_for_follows() -> None:
    seen: dict[str, bool] = {}

    class Auth(Signed):
        async def bearer(self, own: bool) -> Any:
            seen[twitch_path[-1]] = own
            return await super().bearer(own)

    twitch_path = ["first"]
    twitch = Twitch().on("/streams", page([])).on("/streams/followed", page([])).on("/users", page([]))
    api = helix(twitch.on("/channels/followed", page([])), Auth(app=True))
    for name, work in {
        "live": api.live(named(1)),
        "followed": api.live(followed(1)),
        "users": api.users(ids(1), frozenset()),
        "follows": api.follows(ME),
    }.items():
        twitch_path.append(name)
        await work
    assert seen == {"live": False, "followed": True, "users": False, "follows": True}


# -- FC-53: limits -------------------------------------------------------------------------------------------------
def rate(remaining: int, reset: float) -> dict[str, str]:
    return {"ratelimit_limit": "800", "ratelimit_remaining": str(remaining), "ratelimit_reset": str(int(reset))}


@pytest.mark.anyio
async def test_fc_53_points_are_told_also_with_errors() -> None:
    told: list[HelixPoints] = []
    twitch = Twitch()
    now = twitch.clock.now()
    twitch.on("/streams", body({"data": []}, **rate(799, now + 60)), no(500, "oops", **rate(798, now + 60)))
    api = helix(twitch, on_points=told.append)
    await api.live(named(1))
    with pytest.raises(Unknown):
        await api.live(named(1))
    assert [(points.remaining, points.limit, points.reset_at) for points in told] == [
        (799, 800, now + 60),
        (798, 800, now + 60),
    ]


@pytest.mark.anyio
async def test_fc_53_429_raises_with_its_time_and_ends_the_read() -> None:
    twitch = Twitch()
    now = twitch.clock.now()
    twitch.on("/streams", no(429, "Too Many Requests", ratelimit_reset=str(int(now + 25))))
    with pytest.raises(Limited) as caught:
        await helix(twitch).live(named(*range(1000)))
    assert caught.value.until == now + 25
    assert len(twitch.calls) == 1


@pytest.mark.anyio
async def test_fc_53_a_reserve_is_left_until_the_reset() -> None:
    twitch = Twitch()
    now = twitch.clock.now()
    twitch.on("/streams", body({"data": []}, **rate(10, now + 40)))
    api = helix(twitch)
    read = await api.live(named(*range(250)))
    assert (len(read.asked), len(twitch.calls)) == (100, 1)
    with pytest.raises(Limited) as caught:
        await api.live(named(1))
    assert caught.value.until == now + 40
    assert len(twitch.calls) == 1
    twitch.clock.advance(40)
    await api.live(named(1))
    assert len(twitch.calls) == 2


@pytest.mark.anyio
async def test_fc_53_app_and_person_have_a_bucket_each() -> None:
    twitch = Twitch()
    now = twitch.clock.now()
    twitch.on("/streams", body({"data": []}, **rate(0, now + 40)))
    twitch.on("/channels/followed", body({"data": [], "total": 0}, **rate(700, now + 40)))
    api = helix(twitch, Signed(app=True))
    await api.live(named(1))
    assert await api.follows(ME) == ()
    with pytest.raises(Limited):
        await api.live(named(1))


# -- anything ------------------------------------------------------------------------------------------------------
values = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.none(), max_size=1)
bad_rows = st.lists(
    st.just(row(1))
    | st.dictionaries(st.sampled_from(sorted(row(1)) + sorted(user(1)) + sorted(follow(1))), values)
    | values,
    max_size=4,
)
envelopes = st.fixed_dictionaries({"data": bad_rows}, optional={"pagination": values, "total": values})


async def read_all(reply: Reply) -> None:
    twitch = Twitch()
    for path in ("/streams", "/streams/followed", "/users", "/channels/followed"):
        twitch.on(path, reply)
    api = helix(twitch)
    for ask in (named(1, 2, logins=("a",)), followed(1, 2)):
        with suppress(OutsideError):
            read = await api.live(ask)
            assert read.asked <= ask.ids | ask.followed
            assert read.asked_logins <= ask.logins
            assert not read.doubtful & {stream.channel.id for stream in read.streams}
    with suppress(OutsideError):
        users = await api.users(ids(1, 2), frozenset({Login("a")}))
        assert not users.missing_ids & {channel.id for channel in users.found}
    with suppress(OutsideError):
        await api.follows(ME)


@settings(max_examples=150)
@given(envelopes)
def test_fc_21_any_rows_never_crash(envelope: dict[str, Any]) -> None:
    asyncio.run(read_all(body(envelope)))


GOOD = json.dumps({"data": [row(1), row(2)], "pagination": {"cursor": "p1"}, "total": 2}).encode()


@settings(max_examples=150)
@given(st.integers(0, len(GOOD)), st.integers(0, len(GOOD)), st.binary(max_size=8))
def test_fc_21_any_mutated_body_never_crashes(start: int, end: int, patch: bytes) -> None:
    asyncio.run(read_all(body(GOOD[:start] + patch + GOOD[end:])))
