"""The chat transport against small servers on loopback: TLS, ends of every kind, pace, bounded queues."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
import trustme

from allthepoints.base.clock import SystemClock
from allthepoints.base.errors import Unknown, UsageError
from allthepoints.base.secret import Secret
from allthepoints.core.model import Lost
from allthepoints.irc.events import End, Ended, RoomJoined, SessionEvent, Welcome
from allthepoints.irc.pump import Pace, PlainPump
from allthepoints.irc.session import Session, SessionOptions
from allthepoints.ports import ChatLink, ChatTransport
from allthepoints.twitch import link as link_module
from allthepoints.twitch.chat import TcpChat
from allthepoints.twitch.link import ChatUnreachable, Link

pytestmark = pytest.mark.anyio

CA = trustme.CA()
CERT = CA.issue_cert("127.0.0.1", "localhost")
CLOCK = SystemClock()
CLOSED = "the server closed the connection"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def client_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    CA.configure_trust(context)
    return context


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CERT.configure_cert(context)
    return context


@contextlib.asynccontextmanager
async def serving(serve: Serve, *, tls: bool = True) -> AsyncIterator[str]:
    """A server; what it does with a connection is `serve`. Everything is closed at the end."""
    tasks: set[asyncio.Task[None]] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError, ssl.SSLError):
            await serve(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(run, "127.0.0.1", 0, ssl=server_context() if tls else None)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"{'ircs' if tls else 'irc'}://{host}:{port}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def register(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not (await reader.readuntil(b"\n")).startswith(b"NICK"):
        pass
    writer.write(b":tmi.twitch.tv 001 me :Welcome, GLHF!\r\n")


async def for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.get_running_loop().create_future()


class Ear:
    """What the transport told."""

    def __init__(self) -> None:
        self.events: list[SessionEvent] = []
        self.lost: list[str] = []
        self._changed = asyncio.Event()

    def on_events(self, events: Sequence[SessionEvent]) -> None:
        assert not self.lost, "no event after the end"
        self.events += events
        self._changed.set()

    def on_lost(self, text: str) -> None:
        self.lost.append(text)
        self._changed.set()

    async def until(self, done: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not done():
                self._changed.clear()
                await self._changed.wait()

    async def end(self) -> list[SessionEvent]:
        await self.until(lambda: self.lost)
        for _ in range(3):  # whatever is still to be told is told now
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)
        assert len(self.lost) == 1
        return self.events


def session(**options: float) -> Session:
    return Session("me", Secret("T0"), CLOCK.now(), SessionOptions(**options))  # type: ignore[arg-type]


async def opened(url: str, ear: Ear, *, tick: float = 0.001, **options: float) -> Link:
    chat = TcpChat(url, CLOCK, client_context(), tick=tick)
    return await chat.open(session(**options), ear.on_events, ear.on_lost)


async def unreachable(url: str, context: ssl.SSLContext | None = None, **options: float) -> ChatUnreachable:
    ear = Ear()
    with pytest.raises(ChatUnreachable) as caught:
        await TcpChat(url, CLOCK, context or client_context()).open(session(**options), ear.on_events, ear.on_lost)
    assert isinstance(caught.value, Unknown)
    assert not ear.events
    assert not ear.lost
    return caught.value


def test_it_is_what_the_service_needs() -> None:
    transport: ChatTransport = TcpChat("ircs://irc.example.net", CLOCK)
    assert transport
    kind: type[ChatLink] = Link
    assert kind


# -- endpoints -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("irc://irc.chat.twitch.tv:6667", "in clear"),
        ("irc://192.168.1.2:6667", "in clear"),
        ("irc://localhost.example.net", "in clear"),
        ("https://irc.chat.twitch.tv", "begin with ircs"),
        ("irc.chat.twitch.tv:6697", "begin with ircs"),
        ("ircs://", "names no host"),
        ("ircs://host:99999", "port makes no sense"),
        ("ircs://a..b", "not a host's name"),
        ("", "begin with ircs"),
    ],
)
def test_endpoints_that_are_refused(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        TcpChat(url, CLOCK)


def test_the_default_context_checks() -> None:
    context = TcpChat("ircs://irc.example.net", CLOCK)._context
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


# -- a good life ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("tls", [True, False], ids=["TLS", "plain"])
async def test_sign_in_join_and_goodbye(tls: bool) -> None:
    said: list[bytes] = []
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await register(reader, writer)
        while line := await reader.readline():
            said.append(line)
            if line.startswith(b"JOIN"):
                writer.write(b":me!me@me.tmi.twitch.tv JOIN #alpha\r\n")
        over.set()

    async with serving(serve, tls=tls) as url:
        ear = Ear()
        link = await opened(url, ear)
        await ear.until(lambda: ear.events)
        link.session.join(["alpha"], CLOCK.now())
        link.flush()
        await ear.until(lambda: len(ear.events) == 2)
        link.session.part(["alpha"], CLOCK.now())
        link.session.quit(CLOCK.now())
        link.close()
        link.close()
        assert await ear.end() == [Welcome("me"), RoomJoined("alpha")]
        await over.wait()
        link.flush()
    assert said == [b"JOIN #alpha\r\n", b"PART #alpha\r\n", b"QUIT\r\n"]
    assert ear.lost == ["closed by us"]
    assert link.lost is Lost.OURS


async def test_goodbye_arrives_although_chat_is_unread() -> None:
    said = bytearray()
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await register(reader, writer)
        writer.write(b":bob!b@h PRIVMSG #alpha :x\r\n" * 20_000)
        while data := await reader.read(4096):
            said.extend(data)
        over.set()

    async with serving(serve) as url:
        ear = Ear()
        link = await opened(url, ear, tick=0.05)
        await ear.until(lambda: ear.events)
        link.session.quit(CLOCK.now())
        link.close()
        await ear.end()
        await over.wait()
    assert said == b"QUIT\r\n"


async def test_a_server_that_never_closes_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "LINGER", 0.02)
    async with serving(for_ever) as url:
        ear = Ear()
        link = await opened(url, ear)
        link.close()
        assert await ear.end() == []
    assert link.lost is Lost.OURS


async def test_closing_from_within_an_event() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await register(reader, writer)
        await reader.read(-1)

    async with serving(serve) as url:
        ear = Ear()
        link: Link | None = None

        def on_events(events: Sequence[SessionEvent]) -> None:
            ear.on_events(events)
            assert link is not None
            link.close()

        link = await TcpChat(url, CLOCK, client_context()).open(session(), on_events, ear.on_lost)
        assert await ear.end() == [Welcome("me")]
    assert ear.lost == ["closed by us"]


async def test_a_server_that_speaks_first() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"NOTICE * :*** Looking up your hostname\r\nPING :first\r\n")
        assert await reader.readuntil(b"PONG :first\r\n")
        writer.write(b":irc.example.net 001 me :hi\r\n")
        await reader.read(-1)

    for tls in (True, False):
        async with serving(serve, tls=tls) as url:
            ear = Ear()
            link = await opened(url, ear)
            await ear.until(ear.events.copy)
            link.close()
            assert await ear.end() == [Welcome("me")]


# -- connections that never come to be -----------------------------------------------------------------------------
async def test_fc_05_a_tcp_accepts_and_tls_never_answers() -> None:
    async with serving(for_ever, tls=False) as url:
        error = await unreachable(url.replace("irc:", "ircs:"), welcome_timeout=0.05)
    assert error.lost is Lost.DEADLINE
    assert "in time" in str(error)


async def test_nobody_answers() -> None:
    """The kernel drops what calls where the queue is full: to us that is a network that is gone."""
    with contextlib.ExitStack() as open_:
        full = open_.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            caller = open_.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        error = await unreachable(f"irc://127.0.0.1:{full.getsockname()[1]}", welcome_timeout=0.2)
    assert error.lost is Lost.CONNECT
    assert "in time" in str(error)


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = await unreachable(f"ircs://127.0.0.1:{port}")
    assert error.lost is Lost.CONNECT
    assert "could not connect to 127.0.0.1" in str(error)


async def test_another_authority() -> None:
    async with serving(for_ever) as url:
        error = await unreachable(url, ssl.create_default_context())
    assert error.lost is Lost.TLS
    assert "certificate" in str(error)


async def test_another_host() -> None:
    context = client_context()
    other = trustme.CA()
    other.configure_trust(context)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    other.issue_cert("irc.example.net").configure_cert(server)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=server)
    async with listening:
        error = await unreachable(f"ircs://127.0.0.1:{listening.sockets[0].getsockname()[1]}", context)
    assert error.lost is Lost.TLS
    assert "mismatch" in str(error)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_it_does_not_speak_tls(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with serving(serve, tls=False) as url:
        error = await unreachable(url.replace("irc:", "ircs:"))
    assert error.lost is Lost.TLS


async def test_a_session_that_is_over_is_not_opened() -> None:
    over = session()
    over.quit(CLOCK.now())
    ear = Ear()
    with pytest.raises(ChatUnreachable):
        await TcpChat("irc://127.0.0.1:1", CLOCK).open(over, ear.on_events, ear.on_lost)


async def test_opening_can_be_given_up() -> None:
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read(-1)
        gone.set()

    async with serving(serve, tls=False) as url:
        ear = Ear()
        chat = TcpChat(url.replace("irc:", "ircs:"), CLOCK, client_context())
        task = asyncio.create_task(chat.open(session(), ear.on_events, ear.on_lost))
        done, _ = await asyncio.wait([task], timeout=0.02)
        assert not done
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await gone.wait()
    assert not ear.lost


# -- ends ----------------------------------------------------------------------------------------------------------
async def test_fc_05_b_tls_and_no_welcome() -> None:
    async with serving(for_ever) as url:
        ear = Ear()
        link = await opened(url, ear)
        link.session._late_at = (
            CLOCK.now()
        )  # a short deadline from the start could end the connecting on a busy machine
        link.flush()
        assert await ear.end() == [Ended(End.DEADLINE, "no welcome within 20 s")]
    assert link.lost is Lost.DEADLINE
    assert ear.lost == ["no welcome within 20 s"]


async def test_fc_05_c_welcome_and_then_silence() -> None:
    asked = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await register(reader, writer)
        assert await reader.readuntil(b"PING :allthepoints-1\r\n")
        asked.set()
        await for_ever(reader, writer)

    async with serving(serve) as url:
        ear = Ear()
        link = await opened(url, ear, idle_ping=0.02, pong_timeout=0.03)
        assert await ear.end() == [Welcome("me"), Ended(End.SILENT, "no answer within 0.03 s")]
        await asked.wait()
    assert link.lost is Lost.SILENT


async def test_fc_05_c_what_a_silent_server_has_not_taken_is_taken_back() -> None:
    """A server that was only cut off sees a reset, and no JOINs from a link that is given up."""
    how: list[type[BaseException] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await register(reader, writer)
        try:
            await reader.read(-1)
            how.append(None)
        except ConnectionError as error:
            how.append(type(error))

    async with serving(serve, tls=False) as url:
        ear = Ear()
        await opened(url, ear, idle_ping=0.02, pong_timeout=0.03)
        await ear.end()
        while not how:
            await asyncio.to_thread(lambda: None)
    assert how == [ConnectionResetError]


async def test_fc_05_c_an_answer_keeps_it() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await register(reader, writer)
        for number in (1, 2, 3):
            assert await reader.readuntil(b"PING :allthepoints-%d\r\n" % number)
            writer.write(b":tmi.twitch.tv PONG tmi.twitch.tv :allthepoints-%d\r\n" % number)
        await writer.drain()
        writer.write(b":me!me@me JOIN #done\r\n")
        await reader.read(-1)

    async with serving(serve) as url:
        ear = Ear()
        link = await opened(url, ear, idle_ping=0.02, pong_timeout=5)
        await ear.until(lambda: len(ear.events) == 2)
        link.close()
        assert await ear.end() == [Welcome("me"), RoomJoined("done")]


@pytest.mark.parametrize("tls", [True, False], ids=["TLS", "plain"])
async def test_fc_05_d_clean_close(tls: bool) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await register(reader, writer)
        writer.write(b":me!me@me JOIN #last\r\n")
        writer.close()
        await writer.wait_closed()

    async with serving(serve, tls=tls) as url:
        ear = Ear()
        link = await opened(url, ear)
        assert await ear.end() == [Welcome("me"), RoomJoined("last"), Ended(End.CLOSED)]
    assert (link.lost, ear.lost) == (Lost.CLOSED, [CLOSED])


async def test_fc_05_d_closed_while_reading_is_paused() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await register(reader, writer)
        for _ in range(200):
            writer.write(b":bob!b@h PRIVMSG #alpha :x\r\n")
            await writer.drain()
        writer.write(b":me!me@me JOIN #last\r\n")
        writer.close()
        await writer.wait_closed()

    async with serving(serve) as url:
        ear = Ear()
        await opened(url, ear, tick=0.05)
        assert await ear.end() == [Welcome("me"), RoomJoined("last"), Ended(End.CLOSED)]


async def test_fc_05_e_reset() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await register(reader, writer)
        await writer.drain()
        assert await reader.readuntil(b"JOIN #alpha\r\n")
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with serving(serve) as url:
        ear = Ear()
        link = await opened(url, ear)
        await ear.until(lambda: ear.events)
        link.session.join(["alpha"], CLOCK.now())
        link.flush()
        assert await ear.end() == [Welcome("me"), Ended(End.CLOSED)]
    assert link.lost is Lost.RESET
    assert "broke" in ear.lost[0]


async def test_fc_06_closed_straight_after_nick_is_told_once() -> None:
    said = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.extend(await reader.readuntil(b"NICK me\r\n"))
        writer.close()
        await writer.wait_closed()

    async with serving(serve) as url:
        ear = Ear()
        link = await opened(url, ear)
        link.flush()
        assert await ear.end() == [Ended(End.CLOSED)]
        link.flush()
        link.close()
    assert said.count(b"CAP") == said.count(b"PASS") == said.count(b"NICK") == 1


async def test_fc_17_login_refused() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"NICK me\r\n")
        writer.write(b":tmi.twitch.tv NOTICE * :Login authentication failed\r\n")
        writer.close()
        await writer.wait_closed()

    async with serving(serve) as url:
        ear = Ear()
        link = await opened(url, ear)
        events = await ear.end()
    assert [type(event).__name__ for event in events] == ["LoginRefused", "Ended"]
    assert link.lost is Lost.LOGIN
    assert "T0" not in ear.lost[0]


async def test_goodbye_of_tls_without_the_end_of_tcp() -> None:
    def serve_blocking(listening: socket.socket) -> None:
        accepted, _ = listening.accept()
        with server_context().wrap_socket(accepted, server_side=True) as tls:
            tls.sendall(b":tmi.twitch.tv 001 me :hi\r\n")
            with contextlib.suppress(OSError):
                tls.unwrap()  # waits for our answer

    with socket.create_server(("127.0.0.1", 0)) as listening:
        served = asyncio.get_running_loop().run_in_executor(None, serve_blocking, listening)
        ear = Ear()
        link = await opened(f"ircs://127.0.0.1:{listening.getsockname()[1]}", ear)
        assert await ear.end() == [Welcome("me"), Ended(End.CLOSED)]
        await served
    assert link.lost is Lost.CLOSED


async def test_a_damaged_record_ends_it() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await register(reader, writer)
        await reader.readuntil(b"JOIN #alpha\r\n")
        raw = writer.transport._ssl_protocol._transport  # type: ignore[attr-defined]
        raw.write(b"\x17\x03\x03\x00\x10" + b"x" * 16)
        await for_ever(reader, writer)

    async with serving(serve) as url:
        ear = Ear()
        link = await opened(url, ear)
        await ear.until(lambda: ear.events)
        link.session.join(["alpha"], CLOCK.now())
        link.flush()
        assert await ear.end() == [Welcome("me"), Ended(End.CLOSED)]
    assert link.lost is Lost.TLS


# -- size and pace -------------------------------------------------------------------------------------------------
async def test_fc_30_b_ten_megabytes_without_a_newline() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await register(reader, writer)
        for _ in range(640):
            writer.write(b"x" * 16384)
            await writer.drain()
        await for_ever(reader, writer)

    async with serving(serve) as url:
        ear = Ear()
        link = await opened(url, ear)
        assert await ear.end() == [Welcome("me"), Ended(End.OVERFLOW, "a line without end in 65536 bytes")]
    assert link.lost is Lost.OVERFLOW
    assert ear.lost == ["a line without end in 65536 bytes"]


@pytest.mark.parametrize("tick", [0.0, 0.02, 10.0])
async def test_fc_30_c_every_ping_in_a_flood_is_answered(tick: float) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await register(reader, writer)
        for number in range(5):
            writer.write(b"@a=b :bob!b@h PRIVMSG #alpha :PING :forged\r\n" * 1000)
            writer.write(b"PING :%d\r\n" % number)
            assert await reader.readuntil(b"\r\n") == b"PONG :%d\r\n" % number
        writer.write(b":me!me@me JOIN #done\r\n")
        await reader.read(-1)

    async with serving(serve) as url:
        ear = Ear()
        link = await opened(url, ear, tick=tick)
        await ear.until(lambda: len(ear.events) == 2)
        link.close()
        assert await ear.end() == [Welcome("me"), RoomJoined("done")]


async def test_a_server_that_does_not_read_is_left() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await register(reader, writer)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await for_ever(reader, writer)

    async with serving(serve, tls=False) as url:
        ear = Ear()
        link = await TcpChat(url, CLOCK, write_limit=4096).open(session(), ear.on_events, ear.on_lost)
        await ear.until(lambda: ear.events)
        rooms = [f"room{number:05}" for number in range(20_000)]
        for _ in range(100):
            if ear.lost or link.lost:
                break
            link.session.join(rooms, CLOCK.now())
            link.flush()
        await ear.end()
    assert (link.lost, ear.lost) == (Lost.SILENT, ["the server does not read what we send"])


class Wire(asyncio.Transport):
    """A transport that only notes what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.paused: list[bool] = []
        self.written = bytearray()
        self.done: list[str] = []
        self.waiting = 0
        self.gone = False

    def pause_reading(self) -> None:
        self.paused.append(True)

    def resume_reading(self) -> None:
        self.paused.append(False)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def is_closing(self) -> bool:
        return False

    def write_eof(self) -> None:
        self.done.append("write_eof")
        if self.gone:
            raise OSError(107, "Transport endpoint is not connected")

    def close(self) -> None:
        self.done.append("close")

    def abort(self) -> None:
        self.done.append("abort")


async def test_dense_chat_is_read_by_the_tick_and_sparse_at_once() -> None:
    wire, ear = Wire(), Ear()
    link = Link(session(), PlainPump(), CLOCK, Pace(0.02), 65536)
    link.connection_made(wire)
    link.adopt(ear.on_events, ear.on_lost)

    def read(data: bytes) -> None:
        link.get_buffer(-1)[: len(data)] = data
        link.buffer_updated(len(data))

    read(b":tmi.twitch.tv 001 me :hi\r\n")
    assert wire.paused == []
    read(b"PING :x\r\n")
    assert wire.paused == [True]
    assert wire.written.endswith(b"PONG :x\r\n")
    async with asyncio.timeout(5):
        while len(wire.paused) < 2:
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)
    assert wire.paused == [True, False]
    read(b"\n" * len(link.get_buffer(-1)))  # full: more is waiting
    assert wire.paused == [True, False]
    link.connection_lost(None)
    assert ear.lost == [CLOSED]


@pytest.mark.parametrize(
    ("waiting", "gone", "done"),
    [
        (0, False, ["write_eof"]),
        (0, True, ["write_eof", "abort"]),  # a real daemon was that quick
        (100, False, ["close"]),
    ],
)
async def test_how_we_go(waiting: int, gone: bool, done: list[str]) -> None:
    wire, ear = Wire(), Ear()
    link = Link(session(), PlainPump(), CLOCK, Pace(0.02), 65536)
    link.connection_made(wire)
    link.adopt(ear.on_events, ear.on_lost)
    wire.waiting, wire.gone = waiting, gone
    link.close()
    assert wire.done == done
    link.connection_lost(None)
    assert ear.lost == ["closed by us"]
    assert not ear.events
