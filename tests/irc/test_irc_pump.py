"""The pumps, fed by hand: a TLS server of memory buffers on the other side."""

from __future__ import annotations

import contextlib
import ssl
from itertools import cycle

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from allthepoints.irc.pump import MAX_TICK, Pace, PlainPump, Pump, TlsFailed, TlsPump

CA = trustme.CA()
CERT = CA.issue_cert("irc.example.net")


def client_context(trust: trustme.CA = CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    trust.configure_trust(context)
    return context


class Server:
    """The server's side of TLS, without a socket."""

    def __init__(self, maximum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = maximum
        CERT.configure_cert(context)
        self.inbound, self.outbound = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.inbound, self.outbound, server_side=True)

    def shake_hands(self) -> None:
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()

    def read(self) -> bytes:
        """What has come; nothing before the handshake is done."""
        try:
            return self.tls.read(65536)
        except ssl.SSLWantReadError:
            return b""


def connected(server: Server, host: str = "irc.example.net") -> TlsPump:
    pump = TlsPump(client_context(), host)
    pump.start()
    while not pump.open:
        server.inbound.write(pump.outgoing())
        server.shake_hands()
        pump.feed(server.outbound.read())
    server.inbound.write(pump.outgoing())
    server.shake_hands()
    return pump


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
def server(request: pytest.FixtureRequest) -> Server:
    return Server(request.param)


def test_both_ways(server: Server) -> None:
    pump = connected(server)
    pump.feed(server.outbound.read())  # TLS 1.3 sends tickets after the handshake
    pump.send(b"NICK me\r\n")
    server.inbound.write(pump.outgoing())
    assert server.read() == b"NICK me\r\n"
    server.tls.write(b"PING :x\r\n")
    server.tls.write(b"PING :y\r\n")
    assert bytes(pump.feed(server.outbound.read())) == b"PING :x\r\nPING :y\r\n"
    assert bytes(pump.feed(b"")) == b""
    assert not pump.closed


def test_what_is_sent_before_the_handshake_waits_for_it(server: Server) -> None:
    pump = TlsPump(client_context(), "irc.example.net")
    pump.start()
    pump.send(b"NICK me\r\n")
    got = b""
    for _ in range(5):
        server.inbound.write(pump.outgoing())
        server.shake_hands()
        got += server.read() if pump.open else b""
        pump.feed(server.outbound.read())
    assert got == b"NICK me\r\n"


def test_before_tcp_is_up_nothing_goes_out() -> None:
    pump = TlsPump(client_context(), "irc.example.net")
    pump.send(b"NICK me\r\n")
    assert pump.outgoing() == b""


def test_records_cut_anywhere(server: Server) -> None:
    pump = connected(server)
    for text in (b"one\r\n", b"two\r\n"):
        server.tls.write(text)
    wire = server.outbound.read()
    got = b"".join(bytes(pump.feed(wire[at : at + 1])) for at in range(len(wire)))
    assert got == b"one\r\ntwo\r\n"


@given(
    st.sampled_from([ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]),
    st.integers(0, 40),
    st.lists(st.integers(1, 700), min_size=1, max_size=40),
)
@settings(max_examples=60, deadline=None)
def test_no_cut_stalls_the_handshake(version: ssl.TLSVersion, sent_at: int, cuts: list[int]) -> None:
    """Bytes arrive cut anywhere, in both directions by turns, and we speak at any moment: as long as one side has not
    got the other's words, bytes are on their way."""
    server, pump, sizes = Server(version), TlsPump(client_context(), "irc.example.net"), cycle(cuts)
    up, down, heard, got, spoken, step = bytearray(), bytearray(), b"", b"", False, 0
    pump.start()
    while (heard, got) != (b"NICK me\r\n", b":tmi.twitch.tv 001 me :hi\r\n"):
        if step == sent_at:
            pump.send(b"NICK me\r\n")
        up += pump.outgoing()
        assert up or down or step < sent_at, "nobody has anything to say, and not all was said"
        size = next(sizes)
        server.inbound.write(bytes(up[:size]))
        del up[:size]
        server.shake_hands()
        heard += server.read()
        if not spoken and server.tls.version() is not None and heard:
            server.tls.write(b":tmi.twitch.tv 001 me :hi\r\n")
            spoken = True
        down += server.outbound.read()
        size = next(sizes)
        got += bytes(pump.feed(bytes(down[:size])))
        del down[:size]
        step += 1
    assert pump.open
    assert not pump.closed


def test_more_than_the_buffer_holds(server: Server) -> None:
    pump = connected(server)
    sent = bytes(range(256)) * 4000
    for start in range(0, len(sent), 16000):
        server.tls.write(sent[start : start + 16000])
    assert bytes(pump.feed(server.outbound.read())) == sent
    server.tls.write(b"small")
    assert bytes(pump.feed(server.outbound.read())) == b"small"


def test_the_peer_says_goodbye_after_its_last_words(server: Server) -> None:
    pump = connected(server)
    server.tls.write(b"ERROR :bye\r\n")
    with pytest.raises(ssl.SSLWantReadError):
        server.tls.unwrap()
    assert bytes(pump.feed(server.outbound.read())) == b"ERROR :bye\r\n"
    pump.feed(b"")
    assert pump.closed
    pump.outgoing()
    pump.send(b"nobody reads this")
    assert pump.outgoing() == b""
    pump.close()
    assert bytes(pump.feed(b"")) == b""


def test_we_say_goodbye(server: Server) -> None:
    pump = connected(server)
    pump.send(b"QUIT\r\n")
    pump.close()
    server.inbound.write(pump.outgoing())
    assert server.read() == b"QUIT\r\n"
    assert server.tls.read(1) == b"", "close_notify; where none came it would want to read on"
    assert not pump.closed


def test_goodbye_before_the_handshake_is_silent() -> None:
    pump = TlsPump(client_context(), "irc.example.net")
    pump.close()
    assert pump.outgoing() == b""


def _fails(host: str, trust: trustme.CA) -> str:
    server = Server()
    pump = TlsPump(client_context(trust), host)
    pump.start()
    server.inbound.write(pump.outgoing())
    server.shake_hands()
    with pytest.raises(TlsFailed) as caught:
        pump.feed(server.outbound.read())
    assert pump.outgoing(), "the alert tells the server why"
    assert not pump.open
    return str(caught.value)


def test_another_host() -> None:
    assert "Hostname mismatch" in _fails("other.example.net", CA)


def test_an_unknown_authority() -> None:
    assert "the certificate was not accepted" in _fails("irc.example.net", trustme.CA())


def test_not_tls_at_all() -> None:
    pump = TlsPump(client_context(), "irc.example.net")
    pump.start()
    with pytest.raises(TlsFailed, match="TLS failed"):
        pump.feed(b":irc.example.net NOTICE AUTH :*** Looking up your hostname\r\n")


def test_a_damaged_record(server: Server) -> None:
    pump = connected(server)
    pump.feed(server.outbound.read())
    server.tls.write(b"PING :x\r\n")
    wire = bytearray(server.outbound.read())
    wire[-1] ^= 1
    with pytest.raises(TlsFailed):
        pump.feed(wire)


def test_plain() -> None:
    pump: Pump = PlainPump()
    pump.start()
    assert pump.open
    assert bytes(pump.feed(b"PING")) == b"PING"
    pump.send(b"a")
    pump.send(b"b")
    assert pump.outgoing() == b"ab"
    assert pump.outgoing() == b""
    pump.close()
    assert not pump.closed


# -- pace ----------------------------------------------------------------------------------------------------------
def test_sparse_traffic_is_read_at_once() -> None:
    pace = Pace(0.03)
    assert [pace.after_read(at, full=False) for at in (0.0, 1.0, 1.5, 1.54)] == [0.0] * 4


def test_dense_traffic_is_read_by_the_tick() -> None:
    pace = Pace(0.03)
    assert pace.after_read(0.0, full=False) == 0.0
    assert pace.after_read(0.01, full=False) == 0.03
    # Counted from the end of the pause: what gathered in it is there at once.
    assert pace.after_read(0.041, full=False) == 0.03
    assert pace.after_read(0.072, full=False) == 0.03
    assert pace.after_read(0.2, full=False) == 0.0


def test_what_comes_just_a_tick_later_is_dense() -> None:
    pace = Pace(0.0625)
    assert [pace.after_read(at, full=False) for at in (0.0, 0.0625)] == [0.0, 0.0625]


def test_a_full_read_means_that_more_is_waiting() -> None:
    pace = Pace(0.03)
    assert pace.after_read(0.0, full=True) == 0.0
    assert pace.after_read(0.0, full=True) == 0.0
    assert pace.after_read(0.0, full=False) == 0.03


@given(st.floats(-1, 10), st.lists(st.tuples(st.floats(0, 0.2), st.booleans()), max_size=20))
def test_fc_30_a_pong_is_never_late(tick: float, reads: list[tuple[float, bool]]) -> None:
    pace, now = Pace(tick), 0.0
    for gap, full in reads:
        now += gap
        assert 0.0 <= pace.after_read(now, full=full) <= MAX_TICK


def test_a_tick_of_nothing_is_off() -> None:
    pace = Pace(0.0)
    assert [pace.after_read(0.0, full=False) for _ in range(3)] == [0.0] * 3
