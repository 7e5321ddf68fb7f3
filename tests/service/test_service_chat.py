"""Through everything that happens to a chat connection, by the sandbox's own word."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest
import trustme
from service_stages import Fakes, Sockets, Stage, Steady, stage

from allthepoints.base.types import Login
from allthepoints.core.records import EventKind
from allthepoints.twitch.chat import TcpChat
from allthepoints.views.lines import WARNING_LINE, Changes

pytestmark = pytest.mark.anyio

ROOMS = tuple(f"c{number}" for number in range(30))


async def test_fc_02_no_window_holds_more_than_20_joins(on: Stage) -> None:
    """62 are wanted at once, the link drops at 4 s, three more go live at 30 s."""
    first, late = [f"c{n}" for n in range(62)], ["x1", "x2", "x3"]
    on.add(*first, live=True)
    on.add(*late)
    await on.start()
    await on.until(lambda: len(on.rooms) >= 20, within=3)
    await on.elapse(4.0 - on.at)
    on.sandbox.fault("reset", connection="all")
    await on.elapse(30.0 - on.at)
    for login in late:
        on.go_live(login)
    on.go_offline("c61")  # whoever goes while he waits for his turn is not asked for
    await on.until(lambda: len(on.rooms) == 65 - (not on.sat("c61")), within=60)
    tally = on.tally
    assert (tally.joins_worst, tally.join_limit_violations) == (20, 0)
    assert not tally.protocol_errors
    # A JOIN is asked again for nobody but those that the drop took.
    assert tally.joins <= 65 + 40


async def test_fc_02_62_are_confirmed_by_40_s(on: Stage) -> None:
    on.add(*(f"c{n}" for n in range(62)), live=True)
    await on.start()
    await on.until(lambda: len(on.rooms) == 62, within=40)
    assert (on.tally.joins, on.tally.join_limit_violations) == (62, 0)
    await on.elapse(1)
    assert on.snapshot.census.present == 62


async def test_fc_03_a_ban_is_respected_until_the_person_says_otherwise(on: Stage) -> None:
    on.add("alpha", "beta", live=True)
    service = await on.start()
    await on.elapse(5)
    on.sandbox.fault("ban", channel="beta")
    await on.elapse(60)
    [refused] = on.told(EventKind.REFUSED)
    on.go_offline("beta")
    await on.elapse(600)
    on.go_live("beta")
    on.sandbox.fault("reset", connection="all")
    await on.elapse(3600)
    await on.stop()
    service = await on.start()
    await on.elapse(600)
    assert on.tally.joins_after_ban == 0
    assert on.rooms == {"alpha"}
    assert (on.row("beta").state, on.row("beta").reason) == ("refused", "banned")
    assert on.row("beta").since == pytest.approx(refused.at, abs=1), "also after a restart"
    assert on.warned() == {"channels_refused"}
    assert len(on.told(EventKind.REFUSED)) == 1
    service.ask("retry", Login("beta"))
    await on.elapse(60)
    assert on.tally.joins_after_ban == 1
    assert on.row("beta").state == "refused"
    on.sandbox.fault("unban", channel="beta")
    service.ask("retry", Login("beta"))
    await on.until(lambda: on.rooms == {"alpha", "beta"}, within=2)


async def test_fc_03_refusals_do_not_block_the_others(on: Stage) -> None:
    on.add("alpha", "beta", "gamma", *ROOMS, live=True)
    on.sandbox.world.find("alpha").suspended = "msg_channel_suspended"
    on.sandbox.world.find("beta").banned.add(on.sandbox.account.id)
    on.sandbox.fault("lose_join", channel="gamma", seconds=300.0)
    await on.start()
    await on.until(lambda: on.rooms >= set(ROOMS), within=30)
    await on.elapse(240)
    assert on.rooms == set(ROOMS)
    assert on.row("beta").reason == "banned"
    assert on.row("gamma").state in ("asked", "waiting", "refused")
    refused = [(event.channel, event.data["why"]) for event in on.told(EventKind.REFUSED)]
    assert len(refused) == len(set(refused))
    await on.until(lambda: "gamma" in on.rooms, within=700)


@pytest.mark.parametrize("fault", ["reconnect", "reconnect_with_channel"])
async def test_fc_04_a_reconnect_costs_no_presence(on: Stage, fault: str) -> None:
    """The replacement comes first: by the sandbox's word nobody was away for a moment."""
    on.add(*ROOMS, live=True)
    await on.start()
    await on.until(lambda: len(on.rooms) == 30, within=30)
    await on.elapse(60)
    on.sandbox.fault(fault, delay=30.0)
    await on.elapse(120)
    assert {len(on.sat(login)) for login in ROOMS} == {1}
    assert on.rooms == set(ROOMS)
    assert not on.told(EventKind.LEFT)
    assert (on.tally.welcomes, on.tally.reconnects) == (2, 1)
    assert on.tally.join_limit_violations == 0


async def test_fc_04_what_people_say_changes_nothing(on: Stage) -> None:
    on.add("alpha", "beta", live=True)
    await on.start()
    await on.elapse(5)
    on.sandbox.fault("chat_noise", rate=600.0, seconds=120.0)
    on.sandbox.fault("odd_lines")
    on.sandbox.fault("duplicate_lines", chance=0.5)
    on.sandbox.fault("split_writes")
    await on.elapse(180)
    assert [len(on.sat(login)) for login in ("alpha", "beta")] == [1, 1]
    assert (on.tally.logins, on.tally.joins) == (1, 2)
    assert not on.told(EventKind.DISCONNECTED, EventKind.RECONNECT_ASKED, EventKind.REFUSED)


# -- FC-05: every kind of loss -------------------------------------------------------------------------------------
Loss = Callable[[Stage], Awaitable[None]]


def _reset(on: Stage) -> None:
    on.sandbox.fault("reset", connection="all")


async def a_no_answer_to_tls(on: Stage) -> None:
    on.sandbox.fault("no_tls_answer", n=1)
    _reset(on)


async def b_no_welcome(on: Stage) -> None:
    on.sandbox.fault("no_welcome", n=1)
    _reset(on)


async def c_silence_with_the_socket_open(on: Stage) -> None:
    on.sandbox.fault("half_open", connection="all")


async def d_closed_in_order(on: Stage) -> None:
    on.sandbox.fault("fin", connection="all")


async def e_reset(on: Stage) -> None:
    _reset(on)


async def g_ten_seconds_without_a_network(on: Stage) -> None:
    on.sandbox.fault("close_after_nick", seconds=10.0)
    _reset(on)


async def h_three_drops_in_a_row(on: Stage) -> None:
    for _ in range(3):
        _reset(on)
        await on.until(lambda: on.sandbox.hub.of(on.sandbox.account), within=60)
        await on.elapse(0.05)


LOSSES = (
    a_no_answer_to_tls,
    b_no_welcome,
    c_silence_with_the_socket_open,
    d_closed_in_order,
    e_reset,
    g_ten_seconds_without_a_network,
    h_three_drops_in_a_row,
)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: f"fc_05_{loss.__name__}")
async def test_every_loss_is_survived(on: Stage, loss: Loss) -> None:
    on.add(*ROOMS, live=True)
    await on.start()
    await on.until(lambda: len(on.rooms) == 30, within=30)
    await on.elapse(60)
    begun = on.at
    await loss(on)
    # At worst 30 s of silence, 10 s for an answer, a welcome that does not come (20 s), and the JOIN budget.
    await on.until(lambda: on.told(EventKind.LEFT), within=45)
    away = {row.login for row in on.snapshot.rows.values() if row.state != "present"}
    assert away == set(ROOMS)
    await on.until(lambda: len(on.rooms) == 30 and on.snapshot.census.present == 30, within=100)
    tally = on.tally
    assert (tally.join_limit_violations, tally.login_limit_violations) == (0, 0)
    assert not tally.protocol_errors
    # What we claim ends not later than we could know, and begins not before the server's word.
    for login in ROOMS:
        spans = on.sat(login)
        claims = on.claimed(login)
        assert claims[-1][0] >= spans[-1][0]
        assert claims[0][1] is not None
        assert claims[0][1] - begun <= 45


async def test_fc_05_f_the_host_sleeps_8_h(on: Stage) -> None:
    """Who is live is asked before anybody is joined, and nobody is claimed for the time asleep."""
    on.add("alpha", "beta", live=True)
    await on.start()
    await on.elapse(100)
    slept_at = on.at
    on.go_offline("alpha")
    on.clock.leap(8 * 3600.0)
    for connection in on.sandbox.hub.of(on.sandbox.account):
        connection.go_deaf()  # the server gave us up hours ago, and its RST never reached us
        connection.lost()
    await on.until(lambda: on.rooms == {"beta"}, within=60)
    await on.elapse(60)
    assert len(on.sat("alpha")) == 1
    assert on.row("alpha").state == "absent"
    assert [len(on.told(kind)) for kind in (EventKind.WOKE, EventKind.PRESENT)] == [1, 3]
    for login in ("alpha", "beta"):
        assert on.claimed(login)[0][1] == pytest.approx(slept_at, abs=31)


@pytest.mark.parametrize("deaf", [True, False], ids=["tls_never_answers", "tls"])
async def test_fc_05_over_tls(anyio_backend: object, tmp_path: Path, deaf: bool) -> None:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    async with stage("sockets", tmp_path, ssl_context=server) as one:
        assert isinstance(one, Sockets)
        one.chat = TcpChat(one.settings.endpoints.irc, one.clock, client)
        one.add("alpha", live=True)
        if deaf:
            one.sandbox.fault("no_tls_answer", n=1)
        await one.start()
        await one.until(lambda: one.rooms == {"alpha"}, within=25 if deaf else 2)
        _reset(one)
        await one.until(lambda: not one.rooms, within=1)
        await one.until(lambda: one.rooms == {"alpha"}, within=5)
        assert [event.data["why"] for event in one.told(EventKind.DISCONNECTED)] == (
            ["no_welcome_in_time", "reset"] if deaf else ["reset"]
        )


async def test_fc_05_nothing_listens_for_a_while(sockets: Sockets) -> None:
    sockets.add("alpha", live=True)
    await sockets.start()
    await sockets.elapse(5)
    port = int(sockets.settings.endpoints.irc.rsplit(":", 1)[1])
    await sockets.sandbox._chat_server.stop()
    await sockets.elapse(600)
    assert sockets.row("alpha").state == "waiting"
    assert sockets.warned() == {"chat_disconnected"}
    await sockets.sandbox._chat_server.start(port)
    await sockets.until(lambda: sockets.rooms == {"alpha"}, within=125)
    assert not sockets.warned()


async def test_fc_05_g_ten_seconds_of_outage_and_another_address(
    sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chat's name leads elsewhere when it is back: each attempt asks anew where that is."""
    server, loop, address = sockets.sandbox._chat_server, asyncio.get_running_loop(), "127.0.0.1"
    port = int(sockets.settings.endpoints.irc.rsplit(":", 1)[1])
    asked: list[str] = []

    async def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        assert host == "localhost"
        asked.append(address)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))]

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    sockets.chat = TcpChat(f"irc://localhost:{port}", sockets.clock)
    sockets.add(*ROOMS, live=True)
    await sockets.start()
    await sockets.until(lambda: len(sockets.rooms) == 30, within=30)
    await sockets.elapse(60)
    await server.stop()
    await sockets.elapse(10)
    address = "127.0.0.2"
    await _bound(server.start(port, address))
    await sockets.until(lambda: len(sockets.rooms) == 30, within=60)
    opened = sockets.told(EventKind.DISCONNECTED, EventKind.CONNECTED)
    assert len(asked) == len(opened) - 1 > 2  # each attempt stood or failed, and the first that stood also ended
    assert (asked[0], asked[-1]) == ("127.0.0.1", "127.0.0.2")
    assert sockets.tally.join_limit_violations == 0
    assert {len(sockets.sat(login)) for login in ROOMS} == {2}


async def _bound(starting: Awaitable[int]) -> None:
    try:
        await starting
    except OSError as error:
        pytest.skip(f"loopback has one address only here: {error.strerror}")


# -- logins --------------------------------------------------------------------------------------------------------
async def test_fc_06_no_storm_of_logins(on: Stage) -> None:
    """Closed straight after NICK ten times: ever longer pauses, one attempt at a time, told once each."""
    on.chance = Steady(0.99)
    on.add("alpha", live=True)
    on.sandbox.fault("close_after_nick", n=10)
    await on.start()
    await on.until(lambda: on.rooms == {"alpha"}, within=700)
    tally = on.tally
    assert (tally.logins, tally.connections, tally.welcomes) == (11, 11, 1)
    assert tally.logins_worst <= 20
    assert not tally.protocol_errors  # among them: PASS or NICK twice on a socket
    lost = [event.at for event in on.told(EventKind.DISCONNECTED)]
    assert len(lost) == 10
    pauses = [later - earlier for earlier, later in pairwise(lost)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == pytest.approx(120 * 0.99, abs=1)


async def test_fc_06_the_log_has_one_line_for_each_attempt(fakes: Fakes, caplog: pytest.LogCaptureFixture) -> None:
    """And `run` shows none of them: that the chat is not there has been said."""
    fakes.chance = Steady(0.99)
    fakes.add("alpha", live=True)
    fakes.sandbox.fault("close_after_nick", n=10)
    said, faces = Changes(), []
    caplog.set_level(logging.INFO)  # the details of DEBUG have as many lines as there are steps
    await fakes.start()
    while fakes.rooms != {"alpha"}:
        await fakes.elapse(0.25)
        faces += said.between(fakes.snapshot)
    ended = [line for line in caplog.messages if "ended" in line]
    assert len(ended) == 10
    assert len(caplog.messages) == len(ended) + 5, caplog.messages  # started, signed in, live, connected, in the chat
    assert len([change for change in faces if change.shape is WARNING_LINE]) == 1
    assert len(faces) == 7, faces


async def test_fc_06_the_cpu_is_idle_between_attempts(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passes of the event loop in an hour of attempts that fail."""
    fakes.chance = Steady(0.99)
    fakes.add("alpha", live=True)
    fakes.sandbox.fault("close_after_nick", seconds=1e9)
    await fakes.start()
    await fakes.elapse(600)
    loop, passes, logins = asyncio.get_running_loop(), 0, fakes.tally.logins
    once = loop._run_once

    def counted() -> None:
        nonlocal passes
        passes += 1
        once()

    monkeypatch.setattr(loop, "_run_once", counted)
    await fakes.elapse(3600)
    polls, attempts = 3600 / 30, fakes.tally.logins - logins
    assert attempts >= 29
    assert passes <= 20 * (polls + attempts)


async def test_fc_06_a_short_welcome_is_no_success(on: Stage) -> None:
    """Dropped 5 s after each welcome: the pauses grow all the same."""
    on.chance = Steady(0.99)
    on.add("alpha", live=True)
    await on.start()
    for _ in range(6):
        await on.until(lambda: on.sandbox.hub.of(on.sandbox.account), within=130)
        await on.elapse(5)
        _reset(on)
        await on.elapse(0.1)
    lost = [event.at for event in on.told(EventKind.DISCONNECTED)]
    pauses = [later - earlier for earlier, later in pairwise(lost)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > 16


async def test_fc_06_the_worst_luck_keeps_the_login_limit(on: Stage) -> None:
    on.chance = Steady(0.0)
    on.add("alpha", live=True)
    on.sandbox.fault("close_after_nick", n=60)
    await on.start()
    await on.until(lambda: on.rooms == {"alpha"}, within=120)
    assert on.tally.login_limit_violations == 0


async def test_fc_17_a_dead_token_is_renewed_once(on: Stage) -> None:
    on.add("alpha", live=True)
    await on.start()
    await on.elapse(1000)
    on.expire_token()
    _reset(on)
    await on.until(lambda: on.rooms == {"alpha"}, within=60)
    await on.elapse(600)
    assert on.renewals() == 1
    assert on.tally.refresh_reuse == 0
    assert on.rooms == {"alpha"}
    assert len(on.sat("alpha")) == 2
    assert not on.warned()


async def test_fc_46_all_find_the_token_dead_at_once(sockets: Sockets) -> None:
    """Chat, poll and check in the same tick: one refresh."""
    sockets.add("alpha", live=True)
    await sockets.start()
    await sockets.elapse(3599.9)
    sockets.expire_token()
    _reset(sockets)
    await sockets.elapse(600)
    assert (sockets.tally.refreshes, sockets.tally.refresh_reuse) == (1, 0)
    assert sockets.rooms == {"alpha"}


async def test_fc_17_helix_renews_while_the_chat_still_has_the_old_token(fakes: Fakes) -> None:
    """The old token is refused, the present one is not: it is not renewed for that."""
    fakes.add("alpha", live=True)
    await fakes.start()
    await fakes.elapse(1000)
    fakes.chat.slow = 5.0
    _reset(fakes)
    await fakes.elapse(3)
    fakes.expire_token()
    await fakes.tokens.renew(fakes.tokens.chat_token())
    fakes.chat.slow = 0.0
    await fakes.until(lambda: fakes.rooms == {"alpha"}, within=20)
    assert fakes.tokens.renewals == 1


@pytest.mark.parametrize("text", ["failed", "improper", "unsuccessful"])
async def test_fc_17_the_chat_refuses_a_good_token(on: Stage, text: str) -> None:
    """Refreshed once; then it is no matter of the token, and asked ever more seldom."""
    on.add("alpha", live=True)
    on.sandbox.fault("refuse_login", text=text, seconds=3000.0)
    await on.start()
    await on.elapse(2900)
    assert on.tally.logins <= 12
    assert on.renewals() <= 10
    assert on.warned() == {"chat_refuses_token"}
    await on.until(lambda: on.rooms == {"alpha"}, within=1000)
    assert not on.warned()


async def test_fc_17_signed_out_and_in_again(on: Stage) -> None:
    """No login loop; all that was known stays; a new sign-in is taken up without a restart."""
    on.add("alpha", live=True)
    await on.start()
    await on.elapse(1000)
    on.revoke()
    _reset(on)
    await on.until(lambda: "sign_in_needed" in on.warned(), within=60)
    logins, renewals = on.tally.logins, on.renewals()
    await on.elapse(3600)
    assert (on.tally.logins, on.renewals()) == (logins, renewals)
    assert logins <= 3
    assert on.warned() == {"sign_in_needed"}
    assert len(on.told(EventKind.SIGN_IN_LOST)) == 1
    assert (on.row("alpha").state, on.row("alpha").reason) == ("waiting", "signed_out")
    on.sign_in_again()
    await on.until(lambda: on.rooms == {"alpha"}, within=60)
    assert not on.warned()
    assert len(on.told(EventKind.SIGNED_IN)) == 2
