"""The chat server without faults: every answer of the protocol, and the limits."""

from __future__ import annotations

import pytest
from sandboxes import Chatter, always_live, elapse, sandbox, signed_in

from allthepoints.sim.scenario import AccountPlan, Limits, Scenario
from allthepoints.sim.server import Sandbox

pytestmark = pytest.mark.anyio


async def test_a_login_is_welcomed() -> None:
    async with sandbox() as box:
        client = Chatter(box)
        token = box.issue_tokens().access
        lines = await client.say("CAP REQ :twitch.tv/tags twitch.tv/commands", f"PASS oauth:{token}", "NICK me")
        assert lines[0] == ":tmi.twitch.tv CAP * ACK :twitch.tv/tags twitch.tv/commands"
        assert [line.split()[1] for line in lines[1:8]] == ["001", "002", "003", "004", "375", "372", "376"]
        assert lines[8].endswith(" :tmi.twitch.tv GLOBALUSERSTATE")
        assert "user-id=1001" in lines[8]
        assert lines[9] == "PING :tmi.twitch.tv"
        assert box.tally().protocol_errors == ()


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        (["NICK me"], "Improperly formatted auth"),
        (["PASS {token}", "NICK me"], "Improperly formatted auth"),
        (["PASS oauth:wrong", "NICK me"], "Login authentication failed"),
        (["PASS oauth:{token}", "NICK you"], "Login authentication failed"),
        (["PASS oauth:{app}", "NICK me"], "Login unsuccessful"),
        (["PASS oauth:{noscope}", "NICK me"], "Login unsuccessful"),
    ],
)
async def test_a_bad_login_is_refused_and_closed(lines: list[str], refusal: str) -> None:
    async with sandbox() as box:
        tokens = {
            "token": box.issue_tokens().access,
            "app": box.tokens.issue_app("sandbox-confidential", box.clock.now()),
            "noscope": box.issue_tokens(["user:read:follows"]).access,
        }
        client = Chatter(box)
        heard = await client.say(*(line.format(**tokens) for line in lines))
        assert heard == [f":tmi.twitch.tv NOTICE * :{refusal}"]
        assert client.lost


async def test_logins_that_fail_count_as_the_accounts() -> None:
    async with sandbox() as box:
        for _ in range(3):
            await Chatter(box).say("PASS oauth:wrong", "NICK me")
        assert (box.tally().logins, box.tally().logins_worst, box.tally().welcomes) == (3, 3, 0)


async def test_an_expired_token_is_refused() -> None:
    async with sandbox() as box:
        token = box.issue_tokens().access
        await elapse(box, 14400)
        heard = await Chatter(box).say(f"PASS oauth:{token}", "NICK me")
        assert heard == [":tmi.twitch.tv NOTICE * :Login authentication failed"]


async def test_unknown_capabilities_are_refused() -> None:
    async with sandbox() as box:
        heard = await Chatter(box).say("CAP REQ :twitch.tv/foo", "CAP LS 302", "CAP END")
        assert heard == [
            ":tmi.twitch.tv CAP * NAK :twitch.tv/foo",
            ":tmi.twitch.tv CAP * LS :twitch.tv/tags twitch.tv/commands twitch.tv/membership",
        ]
        assert box.tally().protocol_error_count == 1


async def test_capabilities_after_the_login_count_too() -> None:
    async with sandbox() as box:
        client = await signed_in(box, caps="")
        await client.say("CAP REQ :twitch.tv/tags twitch.tv/commands")
        assert any("ROOMSTATE #alpha" in line for line in await client.say("JOIN #alpha"))


async def test_a_second_nick_ends_it() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        assert await client.say("NICK me") == [":tmi.twitch.tv NOTICE * :NICK already set"]
        assert client.lost


async def test_a_join_is_proven() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        alpha = box.world.find("alpha")
        assert await client.say("JOIN #alpha") == [
            ":me!me@me.tmi.twitch.tv JOIN #alpha",
            ":me.tmi.twitch.tv 353 me = #alpha :me",
            ":me.tmi.twitch.tv 366 me #alpha :End of /NAMES list",
            "@badge-info=;badges=;color=;display-name=me;emote-sets=0;mod=0;subscriber=0;user-type= "
            ":tmi.twitch.tv USERSTATE #alpha",
            f"@emote-only=0;followers-only=-1;r9k=0;room-id={alpha.id};slow=0;subs-only=0 "
            ":tmi.twitch.tv ROOMSTATE #alpha",
        ]
        assert await client.say("PART #alpha") == [":me!me@me.tmi.twitch.tv PART #alpha"]
        assert await client.say("PART #alpha") == []
        assert box.tally().protocol_errors == ()


async def test_without_capabilities_only_the_irc_lines_come() -> None:
    async with sandbox() as box:
        client = await signed_in(box, caps="")
        assert [line.split()[1] for line in await client.say("JOIN #alpha")] == ["JOIN", "353", "366"]


async def test_comma_lists_and_case() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        heard = await client.say("JOIN #alpha,#Beta")
        assert sum(" JOIN #" in line for line in heard) == 2
        assert box.tally().joins == 2
        assert box.tally().protocol_errors == ("chat: JOIN: channel name in upper case",)
        assert len(await client.say("PART #alpha,#beta")) == 2


async def test_a_channel_that_nobody_has_is_met_with_silence() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        assert await client.say("JOIN #nobody") == []
    async with sandbox(limits=Limits(unknown_join="notice")) as box:
        client = await signed_in(box)
        assert "msg-id=msg_channel_suspended" in (await client.say("JOIN #nobody"))[0]


async def test_refusals_are_named() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        box.fault("suspend", channel="alpha")
        box.fault("ban", channel="beta")
        heard = await client.say("JOIN #alpha,#beta")
        assert heard == [
            "@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE #alpha "
            ":This channel does not exist or has been suspended.",
            "@msg-id=msg_banned :tmi.twitch.tv NOTICE #beta :You are permanently banned from talking in beta.",
        ]
        assert box.tally().joins_after_ban == 1
        box.fault("unban", channel="beta")
        box.fault("unsuspend", channel="alpha")
        assert sum(" JOIN #" in line for line in await client.say("JOIN #alpha,#beta")) == 2


async def test_anonymous_clients_may_read_and_do_not_count() -> None:
    async with sandbox() as box:
        client = Chatter(box)
        await client.say("CAP REQ :twitch.tv/tags twitch.tv/commands", "NICK justinfan123")
        heard = await client.say("JOIN #alpha")
        assert "ROOMSTATE" in heard[-1]
        assert not any("USERSTATE" in line for line in heard)
        await elapse(box, 10)
        assert box.tally().present_s == 0
        assert box.tally().welcomes == 0


async def join_many(box: Sandbox, client: Chatter, count: int, *, start: int = 0) -> list[str]:
    """Join within the limit: 20, then 10 s."""
    heard = []
    for first in range(start, start + count, 20):
        names = [f"#c{number}" for number in range(first, min(first + 20, start + count))]
        heard += await client.say("JOIN " + ",".join(names))
        await elapse(box, 10)
        heard += await client.say("PONG :tmi.twitch.tv")
    return heard


MANY = always_live(*(f"c{number}" for number in range(130)))


async def test_an_account_has_a_hundred_rooms_over_all_its_connections() -> None:
    async with sandbox(*MANY) as box:
        one, two = await signed_in(box), await signed_in(box)
        await join_many(box, one, 60)
        heard = await join_many(box, two, 60, start=60)
        assert sum("msg_concurrent_channel_limit_reached" in line for line in heard) == 20
        assert box.tally().rooms_peak == 100
        assert box.tally().join_limit_violations == 0
        again = await two.say("JOIN #c0")
        assert any(" 366 " in line for line in again), "a room on two connections takes one slot"
        await one.say("PART #c1")
        assert any(" 366 " in line for line in await two.say("JOIN #c120"))


async def test_rooms_may_be_counted_for_each_socket() -> None:
    async with sandbox(*MANY, limits=Limits(rooms=2, rooms_per="socket")) as box:
        one, two = await signed_in(box), await signed_in(box)
        await one.say("JOIN #c0")
        await two.say("JOIN #c0")
        assert "msg_concurrent_channel_limit_reached" in (await two.say("JOIN #c1"))[0]


async def test_rooms_that_one_moderates_do_not_count() -> None:
    plan = Scenario(channels=MANY, account=AccountPlan(moderates=("c0",)), limits=Limits(rooms=1))
    async with sandbox(scenario=plan) as box:
        client = await signed_in(box)
        heard = await client.say("JOIN #c0,#c1,#me")
        assert sum(" 366 " in line for line in heard) == 3
        assert any("mod=1" in line for line in heard)
        assert "msg_concurrent_channel_limit_reached" in (await client.say("JOIN #c2"))[0]


@pytest.mark.parametrize("mode", ["silent", "disconnect", "accept"])
async def test_twenty_joins_in_ten_seconds(mode: str) -> None:
    async with sandbox(*MANY, limits=Limits(join_mode=mode)) as box:  # type: ignore[arg-type]
        client = await signed_in(box)
        heard = await client.say("JOIN " + ",".join(f"#c{number}" for number in range(21)))
        assert sum(" 366 " in line for line in heard) == (21 if mode == "accept" else 20)
        assert bool(client.lost) == (mode == "disconnect")
        assert box.tally().join_limit_violations == 1
        assert box.tally().joins_worst == 21


async def test_the_join_limit_outlives_a_connection() -> None:
    async with sandbox(*MANY) as box:
        one = await signed_in(box)
        await one.say("JOIN " + ",".join(f"#c{number}" for number in range(20)))
        one.hang_up()
        two = await signed_in(box)
        assert await two.say("JOIN #c30") == []
        await elapse(box, 10)
        assert await two.say("JOIN #c30") != []
        assert box.tally().join_limit_violations == 1


async def test_twenty_logins_in_ten_seconds() -> None:
    async with sandbox() as box:
        for _ in range(20):
            (await signed_in(box)).hang_up()
        client = Chatter(box)
        token = box.issue_tokens().access
        assert await client.say(f"PASS oauth:{token}", "NICK me") == []
        assert client.lost
        tally = box.tally()
        assert (tally.login_limit_violations, tally.logins_worst, tally.logins) == (1, 21, 21)


async def test_ping_both_ways() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        assert await client.say("PING :abc") == [":tmi.twitch.tv PONG tmi.twitch.tv :abc"]
        await elapse(box, 285)
        assert await client.say("PONG :tmi.twitch.tv") == ["PING :tmi.twitch.tv"]
        await elapse(box, 285 + 29)
        assert await client.heard() == ["PING :tmi.twitch.tv"]
        assert not client.lost
        await elapse(box, 1)
        assert client.lost, "no PONG within 30 s"


async def test_others_are_seen_with_membership_only() -> None:
    plan = Scenario(channels=always_live("alpha"), others=(AccountPlan("bob", "1002"),))
    async with sandbox(scenario=plan) as box:
        curious, plain = await signed_in(box, caps="twitch.tv/membership"), await signed_in(box)
        await curious.say("JOIN #alpha")
        await plain.say("JOIN #alpha")
        bob = await signed_in(box, account="bob", caps="twitch.tv/membership")
        assert ":bob.tmi.twitch.tv 353 bob = #alpha :me" in await bob.say("JOIN #alpha")
        assert await curious.heard() == [":bob!bob@bob.tmi.twitch.tv JOIN #alpha"]
        bob.hang_up()
        assert await curious.heard() == [":bob!bob@bob.tmi.twitch.tv PART #alpha"]
        assert await plain.heard() == []


@pytest.mark.parametrize(
    ("line", "noted"),
    [
        (b"WHO #alpha\r\n", "unknown command WHO"),
        (b"PRIVMSG #alpha :hello\r\n", "PRIVMSG: wrote in chat"),
        (b"JOIN #alpha\n", "line ends in LF without CR"),
        (b"\r\n", "empty line"),
        (b"JOIN alpha\r\n", "JOIN: not a channel name"),
        (b"JOIN\r\n", "malformed JOIN"),
        (b"JOIN #alpha #beta\r\n", "malformed JOIN"),
        (b"PART\r\n", "malformed PART"),
        (b"join #alpha\r\n", "command in lower case"),
        (b":me JOIN #alpha\r\n", "client sent a prefix"),
        (b"@a=b JOIN #alpha\r\n", "client sent tags"),
        (b"PING :\xff\r\n", "line is not UTF-8"),
        (b"PING :\0\r\n", "NUL in a line"),
        (b"CAP\r\n", "malformed CAP"),
        (b"PONG :somebody\r\n", "PONG with another text than the PING"),
        (b"PING :" + b"x" * 505 + b"\r\n", "line of more than 512 bytes"),
        (b"x" * 20_000, "line without end"),
    ],
)
async def test_what_no_client_should_send_is_noted(line: bytes, noted: str) -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        await client.send(line)
        assert box.tally().protocol_errors == (f"chat: {noted}",)
        assert box.tally().chat_lines_sent == (1 if b"PRIVMSG" in line else 0)


async def test_an_unknown_command_gets_421_and_a_join_too_early_451() -> None:
    async with sandbox() as box:
        assert await Chatter(box).say("JOIN #alpha") == [":tmi.twitch.tv 451 * :You have not registered"]
        client = await signed_in(box)
        assert await client.say("WHO #alpha") == [":tmi.twitch.tv 421 me WHO :Unknown command"]


async def test_lines_are_read_however_they_are_cut() -> None:
    async with sandbox() as box:
        client = Chatter(box)
        token = box.issue_tokens().access
        for byte in f"PASS oauth:{token}\r\nNICK me\r\nJOIN #alpha\r\nPING :é\r\n".encode():
            await client.send(bytes([byte]))
        assert box.tally().rooms_now == 1
        assert b"PONG tmi.twitch.tv :\xc3\xa9" in b"".join(client.chunks)
        assert box.tally().protocol_errors == ()


async def test_quit_ends_it_and_the_rooms() -> None:
    async with sandbox() as box:
        client = await signed_in(box)
        await client.say("JOIN #alpha", "QUIT :bye")
        assert client.lost
        assert box.tally().rooms_now == 0


async def test_a_join_over_all_rooms_is_counted_and_one_whose_rooms_are_held_is_not() -> None:
    async with sandbox(limits=Limits(rooms=1)) as box:
        attempts = box.journal.of(box.account.id)
        client = await signed_in(box)
        await client.say("JOIN #alpha", "JOIN #alpha")
        assert attempts.over_rooms == 0
        await client.say("JOIN #beta")
        assert attempts.over_rooms == 1
        box.fault("half_open")
        other = await signed_in(box)
        assert "msg_concurrent_channel_limit_reached" in (await other.say("JOIN #beta"))[0]
        assert attempts.over_rooms == 1, "nobody can leave a room of a connection on which nothing gets through"
