"""What the doctor measures of the network: small servers on loopback, an injected resolver, TLS, a proxy, clocks."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from pathlib import Path
from socket import EAI_AGAIN, EAI_NONAME, AddressFamily, gaierror

import pytest
import trustme
from doctor_stage import (
    FAULT,
    OK,
    SHORT,
    WARNING,
    answering,
    closed,
    leading,
    server_context,
    serving,
    silent,
)

from allthepoints.core.checkup import Grade
from allthepoints.core.checkup_net import Why
from allthepoints.operation import doctor_net
from allthepoints.operation.doctor_net import Patience
from allthepoints.operation.doctor_tls import certificate

pytestmark = pytest.mark.anyio

CA = trustme.CA(organization_name="Trusty Authority")
FIRM = trustme.CA(organization_name="Firm Inspector")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def trusting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts CA, and nobody else."""
    file = tmp_path / "ca.pem"
    CA.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


# -- names -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("error", "why"),
    [
        (gaierror(EAI_NONAME, "x"), Why.NO_NAME),
        (gaierror(EAI_AGAIN, "x"), Why.NO_RESOLVER),
        (OSError("odd"), Why.NO_NAME),
        (UnicodeError("label too long"), Why.NO_NAME),
    ],
)
async def test_names_that_are_not_found(error: Exception, why: Why) -> None:
    async def resolve(host: str, port: int, family: AddressFamily) -> Sequence[str]:
        raise error

    found = await doctor_net.look_up("irc.example", 6697, resolve, SHORT)
    assert (found.v4, found.v6, found.failed) == ((), (), why)


async def test_a_resolver_that_hangs(tmp_path: Path) -> None:
    async def resolve(host: str, port: int, family: AddressFamily) -> Sequence[str]:
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    stage = closed(tmp_path, irc="ircs://irc.example:6697", helix="https://helix.example/helix")
    await stage.examine(resolve=resolve, patience=SHORT)
    stage.see("chat.names", FAULT, "no name server answered in time", cure="DNS")
    stage.see("helix.names", FAULT, "helix.example could not be looked up")
    assert {"chat.tcp", "chat.tls", "helix.tcp", "helix.http"} & {*stage.last} == set(), "one cause, one fault"


async def test_the_systems_resolver() -> None:
    found = await doctor_net.look_up("localhost", 80, doctor_net.by_system, Patience())
    assert "127.0.0.1" in found.v4
    assert not found.literal


async def test_a_filter_and_an_address_of_this_network(tmp_path: Path) -> None:
    stage = closed(tmp_path, irc="ircs://irc.example:6697", helix="https://helix.example/helix")
    await stage.examine(
        resolve=leading(irc_example=("0.0.0.0", "::"), helix_example=("127.0.0.1",)),
        patience=SHORT,
    )
    stage.see("chat.names", FAULT, "a filter in this network blocks it")
    assert "chat.tcp" not in stage.last
    stage.see("helix.names", WARNING, "127.0.0.1 is an address of your own network")


# -- TCP -------------------------------------------------------------------------------------------------------------
async def test_nobody_listens(tmp_path: Path) -> None:
    stage = closed(tmp_path)
    await stage.examine(patience=SHORT)
    for name in ("chat.tcp", "helix.tcp", "oauth.tcp", "streamelements.tcp"):
        stage.see(name, FAULT, "127.0.0.1 port 1 cannot be reached: refused", cure="relay or sandbox")
    assert "helix.http" not in stage.last


async def test_one_kind_of_address_is_enough(tmp_path: Path) -> None:
    async with serving(silent) as port:
        stage = closed(tmp_path, irc=f"irc://localhost:{port}")
        resolve = leading(localhost=("127.0.0.1", "::1"))
        await stage.examine(resolve=resolve, patience=SHORT)
    stage.see("chat.tcp", OK, "by IPv4", "IPv6 does not get through")


async def test_fc_05_everything_hangs_and_the_whole_ends(tmp_path: Path) -> None:
    async with serving(silent) as port:
        base = f"https://localhost:{port}"
        stage = closed(
            tmp_path,
            **{name: f"{base}/{name}" for name in ("helix", "oauth", "streamelements")},
            irc=f"ircs://localhost:{port}",
        )
        await stage.examine(resolve=leading(), patience=SHORT)
    for name in ("chat", "helix", "oauth", "streamelements"):
        stage.see(f"{name}.tls", FAULT, "TLS got no answer in time", cure="firewall")


def test_the_bounds_add_up_to_less_than_the_whole() -> None:
    p = Patience()
    assert p.names + 2 * p.connect + p.shake < p.whole
    assert p.answer + p.welcome + 2 < p.whole
    assert p.whole + p.files <= 21


# -- TLS -------------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("trusting")
async def test_whose_certificate(tmp_path: Path) -> None:
    async with serving(silent, server_context(CA, "localhost")) as port:
        stage = closed(tmp_path, irc=f"ircs://localhost:{port}", helix=f"https://localhost:{port}/helix")
        await stage.examine(resolve=leading(), patience=Patience(answer=1.0))
    for name in ("chat.tls", "helix.tls"):
        stage.see(name, OK, "TLS 1.3. Certificate of localhost, issued by Trusty Authority", "good until")
    stage.see("helix.http", FAULT, "did not answer: no whole answer within 1 s")


@pytest.mark.usefixtures("trusting")
async def test_a_firms_proxy_in_the_middle_is_known_by_its_issuer(tmp_path: Path) -> None:
    heard = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(1):
            heard.set()

    async with serving(listen, server_context(FIRM, "localhost")) as port:
        stage = closed(tmp_path, irc=f"ircs://localhost:{port}", oauth=f"https://localhost:{port}/oauth2")
        await stage.examine(resolve=leading())
    for name in ("chat.tls", "oauth.tls"):
        stage.see(name, FAULT, "not trusted here. Certificate of localhost, issued by Firm Inspector", cure="company")
    assert not heard.is_set(), "not a byte is said to one who is not trusted"


@pytest.mark.usefixtures("trusting")
async def test_a_certificate_for_another_name(tmp_path: Path) -> None:
    async with serving(silent, server_context(CA, "portal.wifi")) as port:
        stage = closed(tmp_path, irc=f"ircs://localhost:{port}")
        await stage.examine(resolve=leading())
    stage.see("chat.tls", FAULT, "for another name than localhost. Certificate of portal.wifi", cure="login page")


async def test_not_tls_at_all(tmp_path: Path) -> None:
    async def chat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b":tmi NOTICE * :hello\r\n")
        await silent(reader, writer)

    async with serving(chat) as port:
        stage = closed(tmp_path, irc=f"ircs://localhost:{port}")
        await stage.examine(resolve=leading())
    stage.see("chat.tls", FAULT, "TLS failed: ", cure="firewall")


async def test_closed_in_the_handshake(tmp_path: Path) -> None:
    async def chat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with serving(chat) as port:
        stage = closed(tmp_path, irc=f"ircs://localhost:{port}")
        await stage.examine(resolve=leading())
    stage.see("chat.tls", FAULT, "TLS failed: ")


def test_names_on_certificates_are_other_peoples_text() -> None:
    told = {
        "subject": ((("commonName", "a\x1b[31m\nb"),),),
        "issuer": ((("organizationName", "X" * 200),), (("commonName", "Y"),)),
        "notAfter": "nonsense",
    }
    found = certificate(told)
    assert found is not None
    assert found.subject == "a[31m b"
    assert found.issuer == "X" * 80 + " (Y)"
    assert found.ends is None
    assert certificate({}) is None


async def test_a_trust_store_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    stage = closed(tmp_path)
    await stage.examine(patience=SHORT)
    stage.see("proxy", FAULT, "no such file", cure="SSL_CERT_FILE")
    assert "chat.names" not in stage.last


# -- HTTP ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "body", "headers", "grade", "words"),
    [
        (
            "401 Unauthorized",
            '{"error":"Unauthorized","status":401,"message":"OAuth token is missing"}',
            "",
            OK,
            "Twitch",
        ),
        ("200 OK", '{"data":[]}', "", OK, "Twitch answers"),
        ("200 OK", "<html>log in</html>", "", FAULT, "not Twitch's answered 200"),
        ("302 Found", "", "Location: http://portal.wifi/login?x=1\r\n", FAULT, "leads on to portal.wifi."),
        ("403 Forbidden", "<html>blocked</html>", "", FAULT, "answered 403"),
        ("503 Service Unavailable", "", "", WARNING, "trouble: it answered 503"),
        ("429 Too Many", '{"status":429,"message":"x"}', "", WARNING, "too often"),
    ],
)
async def test_who_answers(tmp_path: Path, status: str, body: str, headers: str, grade: Grade, words: str) -> None:
    async with serving(answering(status, body, headers=headers)) as port:
        stage = closed(tmp_path, helix=f"http://127.0.0.1:{port}/helix")
        await stage.examine()
    stage.see("helix.http", grade, words)


# -- the clock -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("off", "grade", "words"),
    [(0.0, OK, "agrees"), (-60.0, WARNING, "59 s ahead of|1 min ahead of"), (7200.0, FAULT, "h behind the servers'")],
)
async def test_fc_34_the_servers_date(tmp_path: Path, off: float, grade: Grade, words: str) -> None:
    async with serving(answering(off=off)) as port:
        stage = closed(tmp_path, helix=f"http://127.0.0.1:{port}/helix")
        await stage.examine()
    assert stage.last["clock"].grade is grade, stage.last["clock"]
    assert any(word in stage.last["clock"].text for word in words.split("|")), stage.last["clock"].text


async def test_one_server_with_a_wrong_clock_is_its_own_trouble(tmp_path: Path) -> None:
    async with serving(answering(off=-9000)) as wrong, serving(answering()) as right:
        stage = closed(tmp_path, helix=f"http://127.0.0.1:{wrong}/helix", oauth=f"http://127.0.0.1:{right}/oauth2")
        await stage.examine()
    stage.see("clock", OK, "agrees")


@pytest.mark.parametrize(
    ("headers", "ahead"),
    [
        ({"date": "Wed, 25 Nov 2026 21:00:00 GMT"}, -0.5),
        ({"date": "Wed, 25 Nov 2026 21:00:00 GMT", "age": "100"}, -100.5),
        ({"date": "Wed, 25 Nov 2026 21:00:00 GMT", "age": "?"}, None),
        ({"date": "yesterday"}, None),
        ({}, None),
    ],
)
def test_ahead(headers: dict[str, str], ahead: float | None) -> None:
    assert doctor_net.ahead(headers, 1_795_640_400.0) == ahead


# -- a proxy ---------------------------------------------------------------------------------------------------------
class Forwarder:
    """A proxy that leads every CONNECT to one port; `head`: what it was asked."""

    def __init__(self, port: int, status: str = "200 Connection established") -> None:
        self.port, self.status = port, status
        self.heads: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {self.status}\r\n\r\n".encode())
        if not self.status.startswith("200"):
            await writer.drain()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            await asyncio.wait(
                [asyncio.ensure_future(_pass(reader, back)), asyncio.ensure_future(_pass(there, writer))]
            )
        finally:
            back.transport.abort()


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    except ConnectionError:
        pass
    sink.transport.abort()


@pytest.mark.usefixtures("trusting")
async def test_https_through_a_proxy_and_chat_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(answering(), server_context(CA, "helix.example")) as helix:
        forwarder = Forwarder(helix)
        async with serving(forwarder) as proxy, serving(silent) as chat:
            monkeypatch.setenv("HTTPS_PROXY", f"http://bob:canary-hunter2@127.0.0.1:{proxy}")
            stage = closed(tmp_path, irc=f"irc://localhost:{chat}", helix="https://helix.example/helix")
            await stage.examine(resolve=leading())
    stage.see("proxy", OK, f"HTTPS (helix) goes through 127.0.0.1:{proxy}. The chat does not go through it")
    stage.see("helix.tcp", OK, f"The proxy 127.0.0.1:{proxy} leads to helix.example port 443")
    stage.see("helix.tls", OK, "Certificate of helix.example, issued by Trusty Authority")
    stage.see("helix.http", OK, "Twitch answers")
    stage.see("chat.tcp", OK, "by IPv4")
    stage.see("oauth.tcp", FAULT, "refused")
    assert "helix.names" not in stage.last, "names are the proxy's affair"
    assert all(head.startswith("CONNECT helix.example:443 HTTP/1.1\r\n") for head in forwarder.heads)
    secret = base64.b64encode(b"bob:canary-hunter2").decode()
    assert len(forwarder.heads) == 2
    assert all(f"Basic {secret}" in head for head in forwarder.heads), "as the program does it"
    told = " ".join(f"{one.text} {one.cure}" for one in stage.last.values())
    assert "canary" not in told
    assert secret not in told


@pytest.mark.usefixtures("trusting")
async def test_an_inspecting_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inspecting = server_context(FIRM, "helix.example")
    async with serving(silent, inspecting) as inspector, serving(Forwarder(inspector)) as proxy:
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy}")
        stage = closed(tmp_path, helix="https://helix.example/helix")
        await stage.examine(resolve=leading())
    stage.see("helix.tls", FAULT, "issued by Firm Inspector", cure="SSL_CERT_FILE")


@pytest.mark.parametrize(
    ("status", "words"), [("407 Proxy Authentication Required", "a user and a password"), ("403 No", "it answered 403")]
)
async def test_a_proxy_that_says_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str, words: str) -> None:
    async with serving(Forwarder(1, status)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy}")
        stage = closed(tmp_path, helix="https://helix.example/helix")
        await stage.examine(resolve=leading())
    stage.see("helix.tcp", FAULT, "does not lead to helix.example port 443", words)
    assert "helix.http" not in stage.last


async def test_a_proxy_that_is_not_there_is_one_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://bob:canary@127.0.0.1:1")
    stage = closed(
        tmp_path,
        irc="ircs://irc.example:6697",
        **{name: f"https://{name}.example/x" for name in ("helix", "oauth", "streamelements")},
    )
    await stage.examine(resolve=leading(irc_example=("127.0.0.1",)), patience=SHORT)
    stage.see("proxy", FAULT, "127.0.0.1:1 cannot be reached: refused", cure="HTTPS_PROXY")
    assert not [name for name in stage.last if name.startswith(("helix", "oauth", "streamelements"))]
    stage.see("chat.tcp", FAULT, cure="Chat does not go through a proxy")


async def test_no_proxy_is_heeded_and_a_proxy_never_leads_to_ourselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://p.example:3128")
    monkeypatch.setenv("NO_PROXY", "twitch.example")
    found = doctor_net.gateway("https", "se.example")
    assert found is not None
    assert found.address == "p.example:3128"
    assert doctor_net.gateway("https", "api.twitch.example") is None
    assert doctor_net.gateway("https", "127.0.0.1") is None
    monkeypatch.setenv("HTTPS_PROXY", "http://[broken")
    assert doctor_net.gateway("https", "se.example") is None


@pytest.mark.parametrize("text", ["socks5://127.0.0.1:1", "gopher://127.0.0.1:1", "http://[broken"])
async def test_a_proxy_of_a_kind_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", text)
    stage = closed(tmp_path, helix="https://helix.example/x")
    await stage.examine(resolve=leading(), patience=SHORT)
    assert stage.last["proxy"].grade is not OK or stage.last["helix.names"].grade is FAULT
