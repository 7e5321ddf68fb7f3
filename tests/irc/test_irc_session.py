"""The session: sign-in, proof of presence, keep-alive, ends. Time is the argument `now`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.base.errors import UsageError
from allthepoints.base.secret import Secret
from allthepoints.base.types import NotALogin
from allthepoints.irc.events import (
    End,
    Ended,
    LoginRefused,
    Reconnect,
    RoomJoined,
    RoomParted,
    SessionEvent,
    Welcome,
)
from allthepoints.irc.session import PING_ANYWAY, Session, SessionOptions, WrongState
from allthepoints.irc.states import State

DEFAULTS = SessionOptions()
WELCOME = b":tmi.twitch.tv 001 me :Welcome, GLHF!\r\n"


def registering(options: SessionOptions = DEFAULTS) -> Session:
    session = Session("me", Secret("T0"), 0.0, options)
    session.connected(0.0)
    session.outgoing()
    return session


def ready(options: SessionOptions = DEFAULTS) -> Session:
    session = registering(options)
    assert session.receive(WELCOME, 0.0) == [Welcome("me")]
    return session


# -- sign-in -------------------------------------------------------------------------------------------------------
def test_fc_06_one_registration_and_one_end() -> None:
    session = Session("Me", Secret("T0"), 0.0)
    assert session.outgoing() == b""
    session.connected(1.0)
    assert session.outgoing() == b"CAP REQ :twitch.tv/tags twitch.tv/commands\r\nPASS oauth:T0\r\nNICK me\r\n"
    with pytest.raises(WrongState):
        session.connected(1.0)
    session.receive(b":tmi.twitch.tv CAP * ACK :twitch.tv/tags twitch.tv/commands\r\n" + WELCOME, 2.0)
    assert session.outgoing() == b""
    assert session.receive_eof(3.0) == [Ended(End.CLOSED)]
    assert session.receive_eof(3.0) == []
    assert session.receive(b"PING :x\r\n", 3.0) == []
    assert session.tick(1e9) == []
    assert session.outgoing() == b""
    assert session.deadline() is None


def test_fc_06_closed_straight_after_nick() -> None:
    session = registering()
    assert session.receive_eof(0.1) == [Ended(End.CLOSED)]
    assert session.state is State.ENDED


@pytest.mark.parametrize(
    "text",
    [
        "Login authentication failed",
        "Improperly formatted auth",
        "Improperly formatted AUTH",
        "Login unsuccessful",
        "Invalid NICK",
        "Error logging in",
    ],
)
@pytest.mark.parametrize("tags", ["", "@time=1 "])
def test_fc_17_login_refused(text: str, tags: str) -> None:
    line = f"{tags}:tmi.twitch.tv NOTICE * :{text}\r\n".encode()
    assert registering().receive(line, 1.0) == [LoginRefused(text), Ended(End.LOGIN, text)]
    assert ready().receive(line, 1.0) == []


def test_fc_17_refusal_and_capabilities_in_one_read_either_order() -> None:
    ack, no = (
        b":tmi.twitch.tv CAP * ACK :twitch.tv/tags\r\n",
        b":tmi.twitch.tv NOTICE * :Login authentication failed\r\n",
    )
    text = "Login authentication failed"
    for data in (ack + no, no + ack):
        assert registering().receive(data, 1.0) == [LoginRefused(text), Ended(End.LOGIN, text)]


def test_capabilities_that_are_refused_cost_no_login() -> None:
    no = b":tmi.twitch.tv CAP * NAK :twitch.tv/tags twitch.tv/commands\r\n"
    session = registering()
    assert session.receive(no, 1.0) == []
    assert session.receive(WELCOME, 1.0) == [Welcome("me")]
    session.join("alpha", 2.0)
    echo = b":me!me@me.tmi.twitch.tv JOIN #alpha\r\n:me.tmi.twitch.tv 366 me #alpha :End of /NAMES list\r\n"
    assert {type(event) for event in session.receive(echo, 2.0)} == {RoomJoined}


@pytest.mark.parametrize(
    "line",
    [
        b":irc.example.net NOTICE * :*** Looking up your hostname...",
        b"NOTICE AUTH :*** Checking Ident",
        b":tmi.twitch.tv NOTICE #alpha :Login authentication failed",
        b":bob!bob@bob.tmi.twitch.tv NOTICE * :Login authentication failed",
        b":tmi.twitch.tv NOTICE * :Somebody wrote: Login authentication failed",
        b":bob!bob@bob.tmi.twitch.tv PRIVMSG #alpha ::tmi.twitch.tv NOTICE * :Login authentication failed",
        b":me!me@me.tmi.twitch.tv JOIN #alpha",
    ],
)
def test_fc_17_other_lines_before_the_welcome_change_nothing(line: bytes) -> None:
    session = registering()
    assert session.receive(line + b"\r\n", 1.0) == []
    assert session.state is State.REGISTERING


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b":irc.example.net 432 * me :Erroneous nickname", "Erroneous nickname"),
        (b":irc.example.net 433 * me :Nickname already in use", "Nickname already in use"),
        (b":irc.example.net 464 me :Invalid password", "Invalid password"),
        (b"@time=1 :irc.example.net 465 me :You are banned", "You are banned"),
        (b":irc.example.net 464", ""),
        *(
            (b"ERROR :" + text.encode(), text)
            for text in (
                "Closing Link: me (Access denied by configuration)",
                "Closing Link: Bad Password",
                "Closing Link: SASL authentication required",
                "You are not authorised to connect to this server",
                "You are not authorized to connect to this server",
            )
        ),
    ],
)
def test_fc_17_how_other_daemons_refuse(line: bytes, text: str) -> None:
    assert registering().receive(line + b"\r\n", 1.0) == [LoginRefused(text), Ended(End.LOGIN, text)]


def test_an_error_that_is_not_about_the_login_is_a_loss() -> None:
    line = b"ERROR :Closing link: server full\r\n"
    assert registering().receive(line, 1.0) == [Ended(End.CLOSED, "Closing link: server full")]
    assert ready().receive(b"ERROR :Access denied\r\n", 1.0) == [Ended(End.CLOSED, "Access denied")]
    assert ready().receive(b"ERROR\r\n", 1.0) == [Ended(End.CLOSED)]


def test_what_comes_after_the_end_in_the_same_read_is_nothing() -> None:
    session = ready()
    session.outgoing()
    lines = b"ERROR :bye\r\n:tmi.twitch.tv RECONNECT\r\nPING :x\r\n"
    assert session.receive(lines, 1.0) == [Ended(End.CLOSED, "bye")]
    assert session.outgoing() == b""


def test_what_was_not_yet_sent_at_the_end_never_is() -> None:
    session = ready()
    session.join(["alpha"], 1.0)
    assert session.receive(b"PING :x\r\nERROR :bye\r\n", 1.0) == [Ended(End.CLOSED, "bye")]
    assert session.outgoing() == b""


def test_the_servers_words_are_cut_and_made_printable() -> None:
    told = registering().receive(b"ERROR :a\x1b[31m\x07" + b"b" * 1000 + b"\r\n", 1.0)
    assert told == [Ended(End.CLOSED, "a [31m " + "b" * 293)]


def test_the_servers_word_on_our_nick_counts() -> None:
    session = registering()
    assert session.receive(b":s 001 Renamed :hi\r\n", 0.0) == [Welcome("renamed")]
    assert session.receive(b":me!x@y JOIN #a\r\n:renamed!x@y JOIN #a\r\n", 0.0) == [RoomJoined("a")]
    assert session.receive(b":s 001 renamed :hi again\r\n", 0.0) == []


@pytest.mark.parametrize("welcome", [b"001", b"001 :Welcome", b"001 * :Welcome", b"001 #x :Welcome"])
def test_a_welcome_that_does_not_say_who_we_are(welcome: bytes) -> None:
    session = registering()
    assert session.receive(b":s " + welcome + b"\r\n", 0.0) == [Welcome("me")]
    assert session.receive(b":me!x@y JOIN #a\r\n", 0.0) == [RoomJoined("a")]


def test_other_daemons_want_a_user_line() -> None:
    session = Session("me", Secret("T0"), 0.0, SessionOptions(user_line=True, caps=()))
    session.connected(0.0)
    assert session.outgoing() == b"PASS oauth:T0\r\nNICK me\r\nUSER me 0 * :me\r\nCAP END\r\n"


@pytest.mark.parametrize("line", [":s NOTICE * :Login authentication failed: PASS {}", "ERROR :bad password {}"])
def test_fc_32_a_server_that_quotes_the_token(line: str) -> None:
    session = Session("me", Secret("canary"), 0.0)
    session.connected(0.0)
    events = session.receive(line.format("oauth:canary").encode() + b"\r\n", 0.0)
    assert events
    assert "canary" not in repr(events)
    assert "***" in repr(events)


def test_fc_32_a_token_in_a_channels_name_in_whatever_case() -> None:
    """Found by the fuzzer: names are made lower."""
    session = Session("me", Secret("canary1"), 0.0)
    session.connected(0.0)
    session.receive(b":tmi.twitch.tv 001 me :hi\r\n", 0.0)
    [event] = session.receive(b"@room-id=;slow=;subs-only= ROOMSTATE #cANARY1\r\n", 0.0)
    assert "canary1" not in repr(event)


def test_without_a_token_the_servers_words_stay_as_they_are() -> None:
    session = Session("me", Secret(""), 0.0)
    session.connected(0.0)
    assert session.receive(b"ERROR :bye\r\n", 0.0) == [Ended(End.CLOSED, "bye")]


def test_the_token_shows_nowhere() -> None:
    session = Session("me", Secret("canary"), 0.0)
    session.connected(0.0)
    assert "canary" not in repr(session)
    assert b"canary" in session.outgoing()
    assert "canary" not in repr(vars(session))
    with pytest.raises(WrongState) as caught:
        session.connected(0.0)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("nick", ["", "a b", "a\r\nQUIT", "アルファ"])
def test_a_nick_that_is_no_login(nick: str) -> None:
    with pytest.raises(NotALogin):
        Session(nick, Secret("T0"), 0.0)


# -- rooms ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("line", "told"),
    [
        (":me!me@me.tmi.twitch.tv JOIN #alpha", [RoomJoined("alpha")]),
        (":me!me@me.tmi.twitch.tv JOIN :#alpha", [RoomJoined("alpha")]),
        (":ME!Me@me.tmi.twitch.tv JOIN #Alpha", [RoomJoined("alpha")]),
        (":Me JOIN #alpha", [RoomJoined("alpha")]),
        ("@room-id=1;slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE #alpha", [RoomJoined("alpha", "1")]),
        ("@room-id=;slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE #alpha", [RoomJoined("alpha")]),
        (":me.tmi.twitch.tv 366 me #alpha :End of /NAMES list", [RoomJoined("alpha")]),
        (":irc.example.net 366 ME #Alpha :End of /NAMES list", [RoomJoined("alpha")]),
        (":me!me@me.tmi.twitch.tv PART #alpha", [RoomParted("alpha")]),
        # Not proof of anything.
        (":bob!bob@bob.tmi.twitch.tv JOIN #alpha", []),
        (":bob!bob@bob.tmi.twitch.tv PART #alpha", []),
        (":me2!me2@me2.tmi.twitch.tv JOIN #alpha", []),
        (":me.tmi.twitch.tv 353 me = #alpha :me", []),
        (":me.tmi.twitch.tv 366 you #alpha :End", []),
        (":bob!b@h 366 me #alpha :End", []),
        ("@slow=10 :tmi.twitch.tv ROOMSTATE #alpha", []),
        ("@room-id=1;slow=10 :tmi.twitch.tv ROOMSTATE #alpha", []),
        (":tmi.twitch.tv ROOMSTATE #alpha", []),
        ("@room-id=1;slow=0;subs-only=0 :bob!b@h ROOMSTATE #alpha", []),
        ("PING :tmi.twitch.tv", []),
        # Odd, but harmless.
        (":me!me@me.tmi.twitch.tv JOIN", []),
        (":me!me@me.tmi.twitch.tv JOIN #", []),
        (":me!me@me.tmi.twitch.tv PART :", []),
        (":me.tmi.twitch.tv 366", []),
        ("@room-id=1;slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE", []),
        (":tmi.twitch.tv CLEARCHAT #alpha :me", []),
        ("@ban-duration=x :tmi.twitch.tv CLEARCHAT", []),
    ],
)
def test_fc_01_what_proves_that_we_are_in(line: str, told: list[SessionEvent]) -> None:
    session = ready()
    session.join(["alpha", "beta"], 0.0)
    assert session.receive(line.encode() + b"\r\n", 1.0) == told


def test_fc_01_a_ghost_join_stays_unanswered() -> None:
    session = ready()
    session.join(["alpha"], 0.0)
    assert session.outgoing() == b"JOIN #alpha\r\n"
    others = b"PING :tmi.twitch.tv\r\n@a=b :bob!bob@bob.tmi.twitch.tv PRIVMSG #beta :hi\r\n"
    assert session.receive(others, 1.0) == []
    assert session.outgoing() == b"PONG :tmi.twitch.tv\r\n"


def test_fc_07_names_on_the_wire() -> None:
    session = ready()
    session.join(["Alpha", " beta ", "#gamma", "ALPHA", "#Beta"], 0.0)
    assert session.outgoing() == b"JOIN #alpha,#beta,#gamma\r\n"
    session.part(["#Alpha"], 0.0)
    assert session.outgoing() == b"PART #alpha\r\n"
    for name in ("アルファ", "a b", "a,b", "a\r\nPRIVMSG #a :x", ""):
        with pytest.raises(NotALogin):
            session.join([name], 0.0)
    assert session.outgoing() == b""
    session.join([], 0.0)
    assert session.outgoing() == b""


@given(st.lists(st.from_regex(r"[a-z0-9_]{1,25}", fullmatch=True), max_size=200), st.sampled_from(["join", "part"]))
def test_comma_lists_fit_into_lines(names: list[str], command: str) -> None:
    session = ready()
    getattr(session, command)(names, 0.0)
    lines = session.outgoing().split(b"\r\n")[:-1]
    assert all(len(line) + 2 <= 512 for line in lines)
    asked = [name for line in lines for name in line.decode().split(" ")[1].split(",")]
    assert asked == ["#" + name for name in dict.fromkeys(names)]


@pytest.mark.parametrize(("length", "lines"), [(18, [512]), (19, [492, 27])])
@pytest.mark.parametrize("command", ["join", "part"])
def test_a_line_of_512_bytes_is_full(command: str, length: int, lines: list[int]) -> None:
    session = ready()
    getattr(session, command)([*(f"{number:025}" for number in range(18)), "a" * length], 0.0)
    assert [len(line) for line in session.outgoing().splitlines(keepends=True)] == lines


@pytest.mark.parametrize("command", ["join", "part"])
def test_rooms_only_when_ready(command: str) -> None:
    over = ready()
    over.receive_eof(0.0)
    leaving = ready()
    leaving.quit(0.0)
    for session in (Session("me", Secret("T0"), 0.0), registering(), over, leaving):
        with pytest.raises(UsageError):
            getattr(session, command)(["alpha"], 0.0)


# -- keep-alive ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("ping", "pong"),
    [
        (b"PING :tmi.twitch.tv", b"PONG :tmi.twitch.tv"),
        (b"PING tmi.twitch.tv", b"PONG :tmi.twitch.tv"),
        (b"PING", b"PONG"),
        (b"PING :", b"PONG"),
        (b"PING :two words", b"PONG :two words"),
        (b"PING :\xff\xfe", b"PONG :\xff\xfe"),
        (b"PING :a\rPRIVMSG #a :x", b"PONG :a"),
        (b"PING :a\0b", b"PONG :a"),
        (b"@time=1 :irc.example.net PING :x", b"PONG :x"),
    ],
)
def test_a_ping_is_answered_in_every_state(ping: bytes, pong: bytes) -> None:
    leaving = ready()
    leaving.quit(0.0)
    leaving.outgoing()
    for session in (registering(), ready(), leaving):
        assert session.receive(ping + b"\r\n", 1.0) == []
        assert session.outgoing() == pong + b"\r\n"


def test_fc_05_silence_then_ping_then_end() -> None:
    session = ready()
    assert session.deadline() == 30.0
    assert session.tick(29.9) == []
    assert session.outgoing() == b""
    assert session.tick(30.0) == []
    assert session.outgoing() == b"PING :allthepoints-1\r\n"
    assert session.deadline() == 40.0
    assert session.tick(39.9) == []
    assert session.tick(40.0) == [Ended(End.SILENT, "no answer within 10 s")]
    assert session.tick(50.0) == []


@pytest.mark.parametrize("answer", [b":tmi.twitch.tv PONG tmi.twitch.tv :allthepoints-1\r\n", b"@a=b :bob!b@h PRIV"])
def test_fc_05_anything_received_proves_life(answer: bytes) -> None:
    session = ready()
    session.tick(30.0)
    session.outgoing()
    assert session.receive(answer, 35.0) == []
    assert session.deadline() == 65.0
    session.tick(65.0)
    assert session.outgoing() == b"PING :allthepoints-2\r\n"


def test_silence_after_a_join_is_asked_about_sooner() -> None:
    session = ready()
    session.receive(b":bob!b@h PRIVMSG #a :x\r\n", 7.0)
    session.join(["alpha"], 10.0)
    session.join(["beta"], 12.0)
    session.outgoing()
    assert session.deadline() == 15.0
    session.tick(15.0)
    assert session.outgoing() == b"PING :allthepoints-1\r\n"
    assert session.tick(25.0) == [Ended(End.SILENT, "no answer within 10 s")]


def test_a_join_that_is_not_answered_among_others_talk_is_no_silence() -> None:
    session = ready()
    session.join(["alpha"], 10.0)
    session.receive(b":bob!b@h PRIVMSG #a :x\r\n", 11.0)
    assert session.deadline() == 41.0


def test_busy_chat_is_pinged_too() -> None:
    session = ready()
    now = 0.0
    while now < PING_ANYWAY - 1:
        now += 1.0
        session.receive(b":bob!b@h PRIVMSG #a :x\r\n", now)
        assert session.tick(now) == []
    assert session.outgoing() == b""
    assert session.deadline() == PING_ANYWAY
    session.tick(PING_ANYWAY)
    assert session.outgoing() == b"PING :allthepoints-1\r\n"


def test_fc_05_host_sleeps_for_hours() -> None:
    session = ready()
    assert session.tick(8 * 3600.0) == []
    assert session.outgoing() == b"PING :allthepoints-1\r\n"
    assert session.tick(8 * 3600.0 + 10.0) == [Ended(End.SILENT, "no answer within 10 s")]


def test_fc_05_one_deadline_over_connect_tls_and_welcome() -> None:
    late = [Ended(End.DEADLINE, "no welcome within 20 s")]
    never_connected = Session("me", Secret("T0"), 0.0)
    assert never_connected.deadline() == 20.0
    assert never_connected.tick(20.0) == late
    slow = Session("me", Secret("T0"), 0.0)
    slow.connected(15.0)
    slow.receive(b":tmi.twitch.tv CAP * ACK :twitch.tv/tags\r\nPING :x\r\n", 19.0)
    assert slow.deadline() == 20.0
    assert slow.tick(19.9) == []
    assert slow.tick(20.0) == late


# -- ends ----------------------------------------------------------------------------------------------------------
def test_quit_expects_the_server_to_close() -> None:
    session = ready()
    session.quit(5.0)
    session.quit(6.0)
    assert session.outgoing() == b"QUIT\r\n"
    assert session.receive(b":me!me@me PART #a\r\n", 6.0) == [RoomParted("a")]
    assert session.deadline() == 15.0
    assert session.tick(15.0) == [Ended(End.CLOSED, "the server did not close after QUIT")]


def test_quit_before_the_transport_is_up() -> None:
    session = Session("me", Secret("T0"), 0.0)
    session.quit(0.0)
    assert session.state is State.ENDED
    assert session.outgoing() == b""


def test_fc_30_a_long_tagged_line_is_read() -> None:
    line = b"@big=" + b"x" * 12_000 + b";msg-id=msg_banned :tmi.twitch.tv NOTICE #alpha :no\r\n"
    session = ready()
    told = [event for byte in line for event in session.receive(bytes([byte]), 1.0)]
    assert told == ready().receive(line, 1.0)
    assert len(told) == 1


def test_fc_30_a_line_without_end_ends_the_session() -> None:
    session = ready()
    told: list[SessionEvent] = []
    fed = 0
    while not told:
        told = session.receive(b"x" * 4096, 1.0)
        fed += 4096
    assert told == [Ended(End.OVERFLOW, "a line without end in 65536 bytes")]
    assert fed <= 65536 + 4096


def test_fc_30_what_came_before_the_endless_line_counts() -> None:
    told = ready(SessionOptions(max_line=10)).receive(b":me!x@y JOIN #a\r\n" + b"x" * 11, 1.0)
    assert told == [RoomJoined("a"), Ended(End.OVERFLOW, "a line without end in 10 bytes")]


# -- bytes ---------------------------------------------------------------------------------------------------------
_CHAT = b"@display-name=\xf0\x9f\x98\x82 :bob!bob@bob.tmi.twitch.tv PRIVMSG #alpha :\xff\xfe \xf0\x9f\x8c\x8a \0 x"


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_fc_29_bytes_cut_anywhere(end: bytes) -> None:
    notice = "@msg-id=msg_banned :tmi.twitch.tv NOTICE #alpha :no 🌊".encode()
    data = end.join([_CHAT, notice, b"a\0b", _CHAT, b":me!x@y PART #alpha", _CHAT[:20]])
    whole = ready().receive(data, 1.0)
    assert [type(event).__name__ for event in whole] == ["RoomRefused", "RoomParted"]
    assert getattr(whole[0], "text", "") == "no 🌊"
    for cut in range(len(data)):
        session = ready()
        assert session.receive(data[:cut], 1.0) + session.receive(data[cut:], 1.0) == whole


def test_fc_29_bytes_that_are_not_utf_8_are_replaced() -> None:
    told = ready().receive(b"@msg-id=tos_ban :tmi.twitch.tv NOTICE #alpha :\xff\xfe\0!\r\n", 1.0)
    assert getattr(told[0], "text", "") == "\ufffd\ufffd !"


# -- forgery -------------------------------------------------------------------------------------------------------
FORGED = [
    b":bob!bob@bob.tmi.twitch.tv PRIVMSG #alpha :RECONNECT",
    b":bob!bob@bob.tmi.twitch.tv PRIVMSG #alpha :PING :tmi.twitch.tv",
    b":bob!bob@bob.tmi.twitch.tv PRIVMSG #alpha ::tmi.twitch.tv NOTICE * :Login authentication failed",
    b"@msg-id=resub;system-msg=x :tmi.twitch.tv USERNOTICE #alpha ::me!me@me PRIVMSG #alpha :hi",
    b"@msg-id=resub;system-msg=x :tmi.twitch.tv USERNOTICE #alpha ::me!me@me JOIN #alpha",
    b":bob!bob@bob.tmi.twitch.tv PRIVMSG #alpha :a CLEARCHAT b",
    b":bob!bob@bob.tmi.twitch.tv PRIVMSG #alpha :gg RECONNECT x",
    b":bob!bob@bob.tmi.twitch.tv PRIVMSG #alpha :\r:tmi.twitch.tv RECONNECT",
    b"@a=\\n:tmi.twitch.tv\\sRECONNECT :bob!bob@bob.tmi.twitch.tv PRIVMSG #alpha :x",
    b":me!me@me.tmi.twitch.tv PRIVMSG #alpha :JOIN #beta",
    b"@msg-id=msg_banned :bob!bob@bob.tmi.twitch.tv PRIVMSG #alpha :x",
    b":tmi.twitch.tv CLEARMSG #alpha ::tmi.twitch.tv CLEARCHAT #alpha :me",
]


@pytest.mark.parametrize("line", FORGED)
def test_fc_04_forged_lines(line: bytes) -> None:
    for start in (registering, ready):
        for cut in range(len(line) + 3):
            session = start()
            data = line + b"\r\n"
            assert session.receive(data[:cut], 1.0) + session.receive(data[cut:], 1.0) == []
            assert session.outgoing() == b""


def test_fc_04_the_real_thing() -> None:
    assert ready().receive(b":tmi.twitch.tv RECONNECT\r\n", 1.0) == [Reconnect()]
    assert ready().receive(b":tmi.twitch.tv RECONNECT #alpha\r\n", 1.0) == [Reconnect()]
    assert ready().receive(b":bob!bob@bob.tmi.twitch.tv RECONNECT\r\n", 1.0) == []


_WORDS = (
    "RECONNECT PING PONG JOIN PART NOTICE * #alpha me :me :tmi.twitch.tv :me!me@me.tmi.twitch.tv 366 001 CLEARCHAT "
    "ERROR ROOMSTATE @msg-id=msg_banned @room-id=1;slow=0;subs-only=0 : :: @ ; = \\n \r 😂 é lol"
)
_word = st.sampled_from(_WORDS.split(" "))
_text = st.lists(_word, max_size=12).map(" ".join)
_head = st.sampled_from(
    [
        ":bob!bob@bob.tmi.twitch.tv PRIVMSG #alpha :",
        ":me!me@me.tmi.twitch.tv PRIVMSG #alpha :",
        ":tmi.twitch.tv USERNOTICE #alpha :",
        ":tmi.twitch.tv CLEARMSG #alpha :",
        ":tmi.twitch.tv NOTICE #alpha :",
        "@msg-id=slow_on :tmi.twitch.tv NOTICE #alpha :",
        ":me.tmi.twitch.tv 353 me = #alpha :",
        ":tmi.twitch.tv CLEARCHAT #alpha :bob ",
        "@target-user-id=1 :tmi.twitch.tv CLEARCHAT #alpha :bob ",
    ]
)


@given(st.lists(st.tuples(_head, _text), min_size=1, max_size=4), st.booleans(), st.integers(0, 10))
def test_fc_04_chat_never_steers(lines: list[tuple[str, str]], signed_in: bool, offset: int) -> None:
    data = "".join(f"{head}{text}\r\n" for head, text in lines).encode()
    session = ready() if signed_in else registering()
    for cut in range(offset, len(data), 11):
        assert session.receive(data[:cut], 1.0) + session.receive(data[cut:], 1.0) == []
    assert session.outgoing() == b""
    assert session.state is (State.READY if signed_in else State.REGISTERING)


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_any_bytes_leave_it_alive_or_properly_ended(chunks: list[bytes]) -> None:
    session = ready(SessionOptions(max_line=100))
    told = [event for chunk in chunks for event in session.receive(chunk, 1.0)]
    ends = [event for event in told if isinstance(event, Ended)]
    assert len(ends) <= 1
    assert (session.state is State.ENDED) == bool(ends)
    assert not ends or told[-1] is ends[0]
