"""Every chat fault does what its line in the table says."""

from __future__ import annotations

import re

import pytest
from sandboxes import Chatter, elapse, sandbox, signed_in

from allthepoints.sim.chat import READ_WITHIN
from allthepoints.sim.faults import FAULTS
from allthepoints.sim.mischief import ODD_LINES
from allthepoints.sim.server import Sandbox
from allthepoints.testing.clock import settle

pytestmark = pytest.mark.anyio


def acked(lines: list[str], login: str) -> bool:
    return f":me!me@me.tmi.twitch.tv JOIN #{login}" in lines


async def test_fc_01_a_join_is_lost_once() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        box.fault("lose_join", channel="alpha")
        heard = await client.say("JOIN #alpha,#beta")
        assert (acked(heard, "alpha"), acked(heard, "beta")) == (False, True)
        assert acked(await client.say("JOIN #alpha"), "alpha")


async def test_an_ack_comes_late() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        box.fault("late_ack", delay=20.0)
        assert await client.say("JOIN #alpha") == []
        await elapse(box, 19)
        assert (await client.heard(), box.tally().rooms_now) == ([], 0)
        await elapse(box, 1)
        assert acked(await client.heard(), "alpha")
        box.fault("late_ack", delay="1m")
        await client.say("JOIN #beta")
        client.hang_up()
        await elapse(box, 60)
        assert box.tally().rooms_now == 0, "a late ack to a connection that is gone seats nobody"


async def test_fc_01_a_connection_answers_no_join_any_more() -> None:
    async with sandbox() as box:
        one, two = await signed_in(box), await signed_in(box)
        box.fault("ghost_joins", connection="oldest", seconds=60)
        assert await one.say("JOIN #alpha") == []
        assert await one.say("PING :x") != []
        assert acked(await two.say("JOIN #alpha"), "alpha")
        await elapse(box, 60)
        assert acked(await one.say("PONG :tmi.twitch.tv", "JOIN #alpha"), "alpha")


@pytest.mark.parametrize(
    ("fault", "line"),
    [("reconnect", ":tmi.twitch.tv RECONNECT"), ("reconnect_with_channel", ":tmi.twitch.tv RECONNECT #alpha")],
)
async def test_fc_04_reconnect_then_close(fault: str, line: str) -> None:
    async with sandbox() as box:
        old = await signed_in(box)
        await old.say("JOIN #alpha")
        box.fault(fault, delay="5s")
        assert await old.heard() == [line]
        new = await signed_in(box)
        assert box.tally().reconnects == 1
        await new.say("JOIN #alpha")
        assert box.tally().rooms_now == 1
        await elapse(box, 5)
        assert old.lost
        assert not new.lost
        assert (box.tally().rooms_now, box.tally().reconnects) == (1, 1)


async def test_reconnect_is_not_told_without_the_capability() -> None:
    async with sandbox() as box:
        client = await signed_in(box, caps="")
        box.fault("reconnect", delay=5)
        assert await client.heard() == []
        await elapse(box, 5)
        assert client.lost


@pytest.mark.parametrize(("fault", "how"), [("reset", "reset by the server"), ("fin", "closed by the server")])
async def test_fc_05_a_connection_ends(fault: str, how: str) -> None:
    async with sandbox() as box:
        one, two = await signed_in(box), await signed_in(box)
        await one.say("JOIN #alpha")
        box.fault(fault)
        await settle()
        assert (one.lost, two.lost) == (how, None)
        assert box.tally().rooms_now == 0
        await signed_in(box)
        assert box.tally().reconnects == 1


async def test_fc_05_half_open() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        await client.say("JOIN #alpha")
        box.fault("half_open")
        assert await client.say("PING :x", "JOIN #beta") == []
        assert box.tally().rooms_now == 1
        await elapse(box, 285 + 30)
        assert await client.heard() == []
        assert (client.lost, box.tally().rooms_now) == (None, 0)
        client.hang_up()
        await signed_in(box)
        assert box.tally().reconnects == 1


async def test_fc_05_no_welcome() -> None:
    async with sandbox() as box:
        box.fault("no_welcome")
        client = Chatter(box)
        token = box.issue_tokens().access
        assert await client.say(f"PASS oauth:{token}", "NICK me") == []
        assert not client.lost
        assert box.tally().welcomes == 0


async def test_fc_06_closed_straight_after_nick() -> None:
    async with sandbox() as box:
        box.fault("close_after_nick", n=2)
        token = box.issue_tokens().access
        for _ in range(2):
            client = Chatter(box)
            assert await client.say(f"PASS oauth:{token}", "NICK me") == []
            assert client.lost
        await signed_in(box)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("failed", "Login authentication failed"),
        ("improper", "Improperly formatted auth"),
        ("unsuccessful", "Login unsuccessful"),
        ("nick", "Invalid NICK"),
    ],
)
async def test_fc_17_a_login_is_refused(text: str, words: str) -> None:
    async with sandbox() as box:
        box.fault("refuse_login", text=text)
        client = Chatter(box)
        token = box.issue_tokens().access
        assert await client.say(f"PASS oauth:{token}", "NICK me") == [f":tmi.twitch.tv NOTICE * :{words}"]
        assert client.lost
        await signed_in(box)


async def test_slots_of_a_dead_connection_are_freed_late() -> None:
    async with sandbox() as box:
        box.hub.limits = type(box.hub.limits)(rooms=1)
        one = await signed_in(box)
        await one.say("JOIN #alpha")
        box.fault("slow_slots", hold="2m")
        box.fault("reset")
        two = await signed_in(box)
        assert "msg_concurrent_channel_limit_reached" in (await two.say("JOIN #beta"))[0]
        assert box.tally().rooms_now == 0
        attempts = box.journal.of(box.account.id)
        assert (attempts.slots_held, attempts.over_rooms) == (1, 0)
        await elapse(box, 120)
        assert acked(await two.say("PONG :tmi.twitch.tv", "JOIN #beta"), "beta")


async def test_lines_come_twice() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        box.fault("duplicate_lines", chance=1.0)
        heard = await client.say("JOIN #alpha")
        assert heard[::2] == heard[1::2]
        assert len(heard) == 10


async def test_lines_overtake_each_other() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        in_order = await client.say("JOIN #alpha")
        await client.say("PART #alpha")
        box.fault("reorder_lines", chance=1.0)
        heard = await client.say("JOIN #alpha")
        first, *others = in_order
        assert heard == [*others, first]  # each overtakes the one that was overtaken before
        box.fault("reorder_lines", chance=0.0)
        await client.say("PART #alpha")
        assert await client.say("JOIN #alpha") == in_order


async def test_word_of_a_ban_that_was_overtaken_is_word_once_all_is_sent() -> None:
    """Line by line: what is told leaves with the last byte of both."""
    async with sandbox() as box:
        client = await signed_in(box)
        channel = box.world.find("alpha")
        channel.banned.add(box.account.id)
        box.fault("reorder_lines", chance=1.0)
        box.fault("trickle", size=20, every=1.0)
        heard = await client.say("JOIN #alpha", "JOIN #beta")
        assert heard == []
        await elapse(box, 3)
        assert box.journal.of(box.account.id).told == {}
        await elapse(box, 60)
        assert list(box.journal.of(box.account.id).told) == [channel.id]


@pytest.mark.parametrize(
    "notice", ["msg_channel_blocked", "msg_suspended", "msg_verified_email", "msg_requires_verified_phone_number"]
)
async def test_a_barred_room_keeps_who_is_in_it_and_lets_nobody_in(notice: str) -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        await client.say("JOIN #alpha")
        box.fault("bar", channel="alpha", notice=notice)
        assert await client.heard() == []
        assert box.tally().rooms_now == 1
        await client.say("PART #alpha")
        (refused,) = await client.say("JOIN #alpha")
        assert refused.startswith(f"@msg-id={notice} :tmi.twitch.tv NOTICE #alpha :")
        assert acked(await client.say("JOIN #beta"), "beta")
        box.fault("bar", channel="alpha", on=False)
        assert acked(await client.say("JOIN #alpha"), "alpha")
        assert box.tally().joins_after_ban == 0


async def test_the_chat_server_is_down() -> None:
    async with sandbox() as box:
        one, two = await signed_in(box), Chatter(box)
        await one.say("JOIN #alpha")
        box.fault("chat_down", seconds="1m")
        await settle()
        assert (one.lost, two.lost) == ("reset by the server", "reset by the server")
        assert box.tally().rooms_now == 0


async def test_fc_29_lines_are_cut_anywhere() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        box.fault("split_writes")
        before = len(client.chunks)
        assert acked(await client.say("JOIN #alpha"), "alpha")
        assert len(client.chunks) - before > 2
        box.fault("split_writes", on=False)
        before = len(client.chunks)
        await client.say("JOIN #beta")
        assert len(client.chunks) - before == 1


async def test_bytes_trickle() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        box.fault("trickle", size=7, every=0.05)
        before = len(client.chunks)
        assert not acked(await client.say("JOIN #alpha"), "alpha")
        await elapse(box, 10)
        assert acked(b"".join(client.chunks).decode().split("\r\n"), "alpha")
        assert {len(chunk) for chunk in client.chunks[before:-1]} == {7}


async def test_fc_30_long_and_endless_lines() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        await client.say("JOIN #alpha")
        box.fault("long_lines", size=12_000)
        (line,) = await client.heard()
        assert len(line) > 12_000
        box.fault("endless_line", size=100_000)
        await settle()
        assert client.chunks[-1] == b"x" * 100_000


async def test_fc_29_odd_lines() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        box.fault("odd_lines")
        await settle()
        assert client.chunks[-1] == b"".join(line + b"\r\n" for line in ODD_LINES)


async def test_a_ban_tells_and_puts_out() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        await client.say("JOIN #alpha,#beta")
        box.fault("ban", channel="alpha")
        cleared, part = await client.heard()
        assert cleared.endswith(" :tmi.twitch.tv CLEARCHAT #alpha :me")
        assert "ban-duration" not in cleared
        assert "target-user-id=1001" in cleared
        assert part == ":me!me@me.tmi.twitch.tv PART #alpha"
        assert box.tally().rooms_now == 1
        box.fault("put_out", channel="#beta")
        assert await client.heard() == [":me!me@me.tmi.twitch.tv PART #beta"]
        assert "msg_banned" in (await client.say("JOIN #beta"))[0]


def after_ban(box: Sandbox) -> tuple[int, int]:
    """JOINs after a ban, and those of them that came from who had been told."""
    return box.tally().joins_after_ban, box.tally().joins_after_told


@pytest.mark.parametrize("word", ["ban", "put_out"])
async def test_who_was_told_of_a_ban_knows(word: str) -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        await client.say("JOIN #alpha")
        box.fault(word, channel="alpha")
        await client.say("JOIN #alpha")
        assert after_ban(box) == (1, 0), "the JOIN may have been on its way"
        await elapse(box, READ_WITHIN)
        await client.say("JOIN #alpha")
        assert after_ban(box) == (2, 1)
        (first, second) = box.tally().after_ban
        assert (first.at, first.told_at, second.at, second.told_at) == (0.0, None, READ_WITHIN, READ_WITHIN)
        box.fault("unban", channel="alpha")
        await client.say("JOIN #alpha", "PART #alpha")
        box.fault("ban", channel="alpha")
        await client.say("JOIN #alpha")
        assert after_ban(box) == (3, 1), "of the second ban nobody knew"


async def test_who_was_absent_learns_of_a_ban_by_the_answer() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        box.fault("ban", channel="alpha")
        await elapse(box, 60)
        await client.say("JOIN #alpha")
        await elapse(box, 60)
        assert after_ban(box) == (1, 0)
        await client.say("JOIN #alpha")
        assert after_ban(box) == (2, 1)


@pytest.mark.parametrize(("fault", "told"), [("half_open", False), ("reset", False), ("fin", True), ("trickle", False)])
async def test_a_word_that_did_not_get_through_tells_nothing(fault: str, told: bool) -> None:
    """The word of a ban, and something that happens to the connection just before it or after."""
    async with sandbox() as box:
        client = await signed_in(box)
        await client.say("JOIN #alpha")
        if fault in ("half_open", "trickle"):
            box.fault(fault, **({"size": 1, "every": 10.0} if fault == "trickle" else {}))
            box.fault("ban", channel="alpha")
        else:
            box.fault("ban", channel="alpha")
            box.fault(fault)
        await elapse(box, 20)
        await (await signed_in(box)).say("JOIN #alpha")
        assert after_ban(box) == (1, int(told))


async def test_a_timeout_leaves_us_in() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        await client.say("JOIN #alpha")
        box.fault("timeout_us", channel="alpha", seconds="350s")
        (line,) = await client.heard()
        assert line.startswith("@ban-duration=350;")
        assert box.tally().rooms_now == 1


async def test_suspended_and_deleted_channels_lose_their_chat() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        await client.say("JOIN #alpha,#beta")
        box.fault("suspend", channel="alpha", notice="tos_ban")
        box.fault("delete", channel="beta")
        assert await client.heard() == []
        assert box.tally().rooms_now == 0
        heard = await client.say("JOIN #alpha,#beta")
        assert len(heard) == 1
        assert "msg-id=tos_ban" in heard[0]


async def test_fc_16_a_rename_moves_the_chat() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        alpha = box.world.find("alpha")
        await client.say("JOIN #alpha")
        box.fault("rename", channel="alpha", to="alpha2", taken=True)
        assert await client.heard() == []
        assert box.tally().rooms_now == 0
        other = box.world.find("alpha")
        assert f"room-id={other.id}" in (await client.say("JOIN #alpha"))[-1]
        assert f"room-id={alpha.id}" in (await client.say("JOIN #alpha2"))[-1]
        assert alpha.on_air


async def test_fc_04_chat_noise_forges_commands() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        await client.say("JOIN #alpha,#beta")
        box.fault("chat_noise", rate=600, seconds="30s", every="10s")
        await elapse(box, 60)
        heard = await client.heard()
        assert len(heard) == 2 * 100 * 4
        assert all(" PRIVMSG #" in line and line.startswith("@") for line in heard)
        assert any(line.endswith(":RECONNECT") for line in heard)
        assert any(":me!me@me.tmi.twitch.tv PART #beta" in line for line in heard)


async def test_shared_chat_is_one_line_in_two_rooms() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        await client.say("JOIN #alpha,#beta")
        box.fault("shared_chat")
        one, two = (
            dict(tag.split("=") for tag in line[1:].partition(" ")[0].split(";")) for line in await client.heard()
        )
        assert one["source-id"] == two["source-id"]
        assert one["id"] != two["id"]
        assert one["source-room-id"] == box.world.find("alpha").id


async def test_the_clients_ping_stays_unanswered() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        box.fault("no_ping_reply", n=1)
        assert await client.say("PING :x") == []
        assert await client.say("PING :y") != []


async def test_the_server_pings_on_order() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        box.fault("server_ping")
        assert await client.heard() == ["PING :tmi.twitch.tv"]


async def test_a_chosen_connection_is_hit() -> None:
    async with sandbox() as box:
        one, two, three = await signed_in(box), await signed_in(box), await signed_in(box)
        box.fault("fin", connection=2)
        box.fault("reset", connection="newest")
        await settle()
        assert (one.lost, two.lost, three.lost) == (None, "closed by the server", "reset by the server")
        box.fault("fin", connection="all")
        await settle()
        assert one.lost
        assert box.tally().faults == {"fin": 2, "reset": 1}


async def test_a_fault_may_strike_by_chance() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        box.fault("no_ping_reply", seconds=60, chance=0.5)
        answered = len(await client.say(*["PING :x"] * 60))
        assert 10 < answered < 50


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("recconect", {}, "did you mean 'reconnect'?"),
        ("reconnect", {"dely": 3}, "did you mean 'delay'?"),
        ("reconnect", {"delay": "soon"}, "is not a duration"),
        ("ban", {}, "needs 'channel'"),
        ("ban", {"channel": "nobody"}, "no user 'nobody'"),
        ("lose_join", {"channel": "nobody"}, "no user 'nobody'"),
        ("refuse_login", {"text": "no"}, 'expected "failed" or'),
        ("lose_join", {"n": "many"}, "expected count"),
        ("split_writes", {"on": 1}, "expected flag"),
    ],
)
async def test_a_fault_that_cannot_be_is_refused_in_words(name: str, parameters: dict[str, object], words: str) -> None:
    async with sandbox() as box:
        with pytest.raises(ValueError, match=re.escape(words)):
            box.fault(name, **parameters)


def test_every_fault_says_what_it_does_and_where_it_was_seen() -> None:
    for fault in FAULTS.values():
        assert fault.does, fault.name
        assert fault.source, fault.name
