"""Apprise behind our port, against servers on loopback that answer well, badly, late or never."""

from __future__ import annotations

import asyncio
import html
import logging
import sys
import threading
from asyncio.subprocess import PIPE

import pytest
from post_office import CLOSE, DRIP, HANG, PORTAL, RESET, Answer, PostOffice

from allthepoints.base.clock import SystemClock
from allthepoints.base.errors import Limited, OutsideError, Refused, Unknown
from allthepoints.base.secret import Secret
from allthepoints.notify.answers import LONGEST
from allthepoints.notify.apprise_notifier import ASKED_TO_WAIT, AppriseNotifier, fitted, name_of
from allthepoints.notify.shorten import inert
from allthepoints.ports import Notice, Notifier

pytestmark = pytest.mark.anyio

HOSTILE = "me_and_you_ is live: *[new]* <b>_ `x` & @everyone <@&1>"
NOTICE = Notice("Live", HOSTILE)
SHORT = 0.2
"""Seconds that a test waits for a server that never answers."""
PATIENT = 60.0
"""And for one that does: a busy machine may be elsewhere for a while."""


class Stopped(SystemClock):
    """It is always the same time."""

    AT = 1_795_640_400.0

    def now(self) -> float:
        return self.AT


def notifier(*urls: str, within: float = PATIENT) -> AppriseNotifier:
    made = AppriseNotifier([Secret(url) for url in urls], SystemClock(), within)
    as_port: Notifier = made
    assert as_port.places
    return made


async def outcome(made: AppriseNotifier, notice: Notice = NOTICE, place: int = 0) -> OutsideError | None:
    error: OutsideError | None = None
    try:
        await made.send(place, notice)
    except OutsideError as raised:
        error = raised
    assert "CANARY" not in str(error)
    assert "127.0.0.1" not in str(error)
    return error


# -- names -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("discord://CANARY-id/CANARY-token", "discord #3"),
        ("TGram://CANARY:x/1", "tgram #3"),
        ("https://discord.com/api/webhooks/1/CANARY", "https #3"),
        ("CANARY", "address #3"),
        ("CANARY:secret@host", "address #3"),
        ("canary-that-is-much-too-long-for-a-schema://x", "address #3"),
        ("", "address #3"),
    ],
)
def test_a_place_is_called_by_its_schema_and_number(url: str, name: str) -> None:
    assert name_of(Secret(url), 3) == name


# -- answers ---------------------------------------------------------------------------------------------------------
ANSWERS: list[tuple[str, Answer, type[OutsideError] | None, str]] = [
    ("200", Answer(200), None, ""),
    ("204", Answer(204, b""), None, ""),
    ("400", Answer(400), Refused, "it refuses the message (HTTP 400)"),
    ("401", Answer(401), Refused, "it does not take the sign-in in its address (HTTP 401)"),
    ("404", Answer(404), Refused, "there is nothing at its address any more (HTTP 404)"),
    ("410", Answer(410), Refused, "there is nothing at its address any more (HTTP 410)"),
    ("418", Answer(418), Refused, "it refuses the message (HTTP 418)"),
    ("408", Answer(408), Unknown, "it has trouble of its own (HTTP 408)"),
    ("429", Answer(429), Limited, "it asks to wait (HTTP 429)"),
    ("429-says-when", Answer(429, headers={"Retry-After": "7"}), Limited, "it asks to wait 7 s (HTTP 429)"),
    ("429-html", Answer(429, PORTAL, {"Content-Type": "text/html"}), Limited, "it asks to wait (HTTP 429)"),
    ("503-says-when", Answer(503, headers={"Retry-After": "90"}), Limited, "it asks to wait 90 s (HTTP 503)"),
    ("503", Answer(503), Unknown, "it has trouble of its own (HTTP 503)"),
    ("500", Answer(500), Unknown, "it has trouble of its own (HTTP 500)"),
    ("502-html", Answer(502, PORTAL, {"Content-Type": "text/html"}), Unknown, "it has trouble of its own (HTTP 502)"),
    (
        "portal",
        Answer(302, PORTAL, {"Location": "http://127.0.0.1:9/login"}),
        Unknown,
        "it has trouble of its own (HTTP 302)",
    ),
    ("reset", Answer(RESET), Unknown, "no connection came to be, or it broke"),
    ("close", Answer(CLOSE), Unknown, "no connection came to be, or it broke"),
]


@pytest.mark.parametrize(
    ("answer", "kind", "text"), [pytest.param(*case[1:], id=f"fc_25_{case[0]}") for case in ANSWERS]
)
async def test_what_an_answer_means(
    office: PostOffice, answer: Answer, kind: type[OutsideError] | None, text: str
) -> None:
    office.answers = [answer]
    error = await outcome(notifier(office.json_url))
    assert (type(error) if error is not None else None, str(error or "")) == (kind, text)


WAITS: list[tuple[str, Answer, float]] = [
    ("untold", Answer(429), ASKED_TO_WAIT),
    ("seconds", Answer(429, headers={"Retry-After": "1234"}), 1234),
    (
        "date",
        Answer(
            429,
            headers={"Date": "Wed, 25 Nov 2026 21:00:00 GMT", "Retry-After": "Wed, 25 Nov 2026 21:10:00 GMT"},
        ),
        600,
    ),
    ("discord", Answer(429, b'{"message": "You are being rate limited.", "retry_after": 64.57}'), 64.57),
    ("telegram", Answer(429, b'{"ok": false, "error_code": 429, "parameters": {"retry_after": 35}}'), 35),
    ("matrix", Answer(429, b'{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}'), 2.5),
    ("absurd", Answer(429, headers={"Retry-After": "99999999999"}), LONGEST),
]


@pytest.mark.parametrize(("answer", "seconds"), [pytest.param(*case[1:], id=case[0]) for case in WAITS])
async def test_a_429_is_obeyed_for_as_long_as_it_says(office: PostOffice, answer: Answer, seconds: float) -> None:
    office.answers = [answer, Answer(200)]
    made = AppriseNotifier([Secret(office.json_url)], Stopped(), 20.0)
    error = await outcome(made)
    assert isinstance(error, Limited)
    assert error.until == pytest.approx(Stopped.AT + seconds)
    assert len(office.taken) == 1, "it is not asked again before"
    assert await outcome(made) is None


async def test_what_telegram_and_discord_say_of_waiting_is_heard_through_their_own_plugins(
    office: PostOffice, telegram: str, discord: str
) -> None:
    office.answers = [
        Answer(429, b'{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":35}}'),
        Answer(429, b'{"message":"You are being rate limited.","retry_after":64.57,"global":false}'),
    ]
    made = AppriseNotifier([Secret(telegram), Secret(discord)], Stopped(), 20.0)
    for place, seconds in ((0, 35.0), (1, 64.57)):
        error = await outcome(made, place=place)
        assert isinstance(error, Limited)
        assert error.until == pytest.approx(Stopped.AT + seconds)


async def test_what_other_threads_are_answered_is_not_taken_for_ours(office: PostOffice) -> None:
    """Two places at once: each is judged by its own answer."""
    office.answers = [Answer(HANG), Answer(429, headers={"Retry-After": "7"}), Answer(404)]
    made = notifier(office.json_url + "?rto=60", office.json_url, office.json_url)
    first = asyncio.ensure_future(outcome(made))
    await office.arrived.wait()
    assert isinstance(await outcome(made, place=1), Limited)
    assert isinstance(await outcome(made, place=2), Refused)
    office.release.set()
    assert await first is None


async def test_fc_25_nobody_listens(office: PostOffice, unused_port: int) -> None:
    error = await outcome(notifier(f"json://127.0.0.1:{unused_port}/CANARY"))
    assert (type(error), str(error)) == (Unknown, "no connection came to be, or it broke")


@pytest.fixture
async def unused_port(anyio_backend: object) -> int:
    server = await asyncio.start_server(lambda _, __: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


@pytest.mark.parametrize("url", ["nonsense", "foo://CANARY", "discord://", "tgram://CANARY"])
async def test_what_is_no_address_is_told_without_it(url: str) -> None:
    error = await outcome(notifier(url))
    assert (type(error), str(error)) == (Refused, "Apprise knows no service with such an address")


async def test_a_failure_is_one_even_if_the_address_calls_it_optional(office: PostOffice) -> None:
    office.answers = [Answer(500)]
    assert isinstance(await outcome(notifier(office.json_url + "?optional=yes")), Unknown)


# -- what hangs ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("how", [HANG, DRIP])
async def test_fc_25_a_host_that_hangs_costs_one_thread_and_nobody_else(office: PostOffice, how: str) -> None:
    office.answers = [Answer(how), Answer(200)]
    made = notifier(office.json_url + "?rto=60", office.json_url, within=SHORT)
    before = threading.active_count()
    error = await outcome(made)
    assert (type(error), str(error)) == (Unknown, "no answer within 0.2 s")
    await office.arrived.wait()
    made._within = PATIENT
    assert await outcome(made, place=1) is None
    made._within = SHORT
    for _ in range(3):
        assert isinstance(await outcome(made, Notice("another", "one")), Unknown)
    assert threading.active_count() <= before + 1
    assert len(office.taken) == 2, "a place that still hangs is not asked again"
    office.release.set()
    while isinstance(await outcome(made, Notice("another", "one")), Unknown):
        pass
    assert office.taken[-1].json["title"] == "another"


async def test_what_arrives_late_is_not_sent_twice(office: PostOffice) -> None:
    office.answers = [Answer(HANG)]
    made = notifier(office.json_url + "?rto=60", within=SHORT)
    assert isinstance(await outcome(made), Unknown)
    await office.arrived.wait()
    office.release.set()
    made._within = PATIENT
    assert await outcome(made) is None, "the call that hung took it after all"
    assert len(office.taken) == 1


async def test_the_end_of_the_program_waits_for_nothing(office: PostOffice) -> None:
    """The process ends though a call hangs."""
    office.answers = [Answer(HANG)]
    program = (
        "import asyncio, sys\n"
        "from allthepoints.base.clock import SystemClock\n"
        "from allthepoints.base.secret import Secret\n"
        "from allthepoints.notify.apprise_notifier import AppriseNotifier\n"
        "from allthepoints.ports import Notice\n"
        "async def main():\n"
        f"    made = AppriseNotifier([Secret('{office.json_url}?rto=600')], SystemClock(), within=600)\n"
        "    sending = asyncio.ensure_future(made.send(0, Notice('a', 'b')))\n"
        "    await asyncio.to_thread(sys.stdin.readline)\n"
        "    print(sending.done())\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdin=PIPE, stdout=PIPE)
    await office.arrived.wait()
    out, _ = await process.communicate(b"\n")
    assert (process.returncode, out.strip()) == (0, b"False")


# -- text ------------------------------------------------------------------------------------------------------------
async def test_plain_text_arrives_as_it_is_and_calls_nobody(office: PostOffice) -> None:
    await outcome(notifier(office.json_url))
    taken = office.taken[0].json
    assert taken["title"] == "Live"
    assert taken["message"].replace("\u200b", "") == HOSTILE
    assert "@everyone" not in taken["message"]
    assert "<@&1>" not in taken["message"]


@pytest.fixture
def telegram(office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a chat at Telegram, which is the server at hand."""
    from apprise.plugins.telegram import NotifyTelegram

    monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{office.port}/bot")
    return "tgram://123456789:CANARY_abcdefghijklmnopqrstu/12345"


@pytest.fixture
def discord(office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a web hook at Discord, which is the server at hand."""
    from apprise.plugins.discord import NotifyDiscord

    monkeypatch.setattr(NotifyDiscord, "notify_url", f"http://127.0.0.1:{office.port}/hooks")
    return "discord://123456789012345678/CANARY_abcdefghij"


async def test_fc_23_telegram_is_given_escaped_text(office: PostOffice, telegram: str) -> None:
    assert await outcome(notifier(telegram)) is None
    sent = office.taken[0].json
    assert sent["parse_mode"] == "HTML"
    assert "me_and_you_ is live: *[new]* &lt;b&gt;_" in sent["text"]
    assert "<b>_" not in sent["text"]


ENTITIES = Answer(400, b'{"ok":false,"error_code":400,"description":"Bad Request: can\'t parse entities"}')


async def test_fc_23_what_cannot_be_parsed_is_sent_once_more_without_markup(office: PostOffice, telegram: str) -> None:
    office.answers = [ENTITIES, Answer(200, b'{"ok":true}')]
    assert await outcome(notifier(telegram + "?format=markdown")) is None
    first, second = (taken.json for taken in office.taken)
    assert first["parse_mode"].lower().startswith("markdown")
    assert not second["parse_mode"].lower().startswith("markdown")
    assert not set("*_[]`") & set(second["text"].removeprefix("<b>"))
    assert "me and you" in second["text"]


async def test_fc_23_what_cannot_be_parsed_even_so_is_told(office: PostOffice, telegram: str) -> None:
    office.answers = [ENTITIES]
    error = await outcome(notifier(telegram))
    assert (type(error), str(error)) == (Refused, "it refuses the message (HTTP 400)")
    assert len(office.taken) == 2


async def test_discord_shows_no_picture_of_another_host_and_calls_nobody(office: PostOffice, discord: str) -> None:
    assert await outcome(notifier(discord)) is None
    body = office.taken[0].body.decode()
    assert "github" not in body
    assert "http" not in body
    assert "@everyone" not in body


async def test_what_is_too_long_says_how_much_is_missing(office: PostOffice, discord: str) -> None:
    lines = [f"Channel {number} is live & <well>." for number in range(500)]
    assert await outcome(notifier(discord), Notice("500 live", "\n".join(lines))) is None
    [taken] = office.taken
    content = taken.json["content"]
    assert len(content) <= 2000
    kept = [line for line in content.splitlines() if line.startswith("Channel")]
    assert kept == lines[: len(kept)]
    assert content.endswith(f"… and {500 - len(kept)} more")


async def test_telegram_takes_as_much_as_it_can(office: PostOffice, telegram: str) -> None:
    lines = [f"Channel {number} is live & <well>." for number in range(500)]
    assert await outcome(notifier(telegram), Notice("500 live", "\n".join(lines))) is None
    [taken] = office.taken
    text = taken.json["text"]
    assert 3000 < len(text) <= 4096
    assert text.rstrip().endswith("more")


@pytest.mark.timeout(300)  # it computes all the while
def test_every_service_that_apprise_knows_is_given_what_it_takes() -> None:
    """Title, body and what Apprise puts between them, within the limits that each names: 160 for a text message."""
    from apprise.plugins import N_MGR

    notice = Notice(
        "500 live & <well> " * 20, "\n".join(f"Channel {n} is live & <well> @everyone." for n in range(900))
    )
    seen = set()
    for plugin in set(N_MGR.plugins()):
        if isinstance(plugin.body_maxlen, property) or isinstance(plugin.title_maxlen, property):
            continue  # it depends on the address
        title, body = fitted(plugin, notice, inert)
        longest, titled = plugin.body_maxlen, plugin.title_maxlen
        seen.add((longest, titled))
        assert title
        assert body
        assert titled <= 0 or len(html.escape(title)) <= titled
        assert len(html.escape(body)) + (0 if titled > 0 else len(html.escape(title))) < longest
        assert not plugin.body_max_line_count or body.count("\n") < plugin.body_max_line_count
    assert len(seen) > 20, "else it proves nothing"


# -- secrets ---------------------------------------------------------------------------------------------------------
class Heard(logging.Handler):
    """Stands where the log file stands, and hears all that reaches it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name} {record.getMessage()}")


async def test_no_address_is_in_the_log(
    office: PostOffice, discord: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, heard = logging.getLogger(), Heard()
    monkeypatch.setattr(root, "level", logging.DEBUG)
    monkeypatch.setattr(root, "handlers", [heard])
    root.debug("it hears")
    made = notifier(office.json_url, discord, "CANARY://x", "json://u:CANARY@127.0.0.1:1/CANARY")
    for place in range(4):
        await outcome(made, place=place)
    office.answers = [Answer(500)]
    await outcome(made)
    said = capfd.readouterr()
    assert "CANARY" not in said.out + said.err + repr(made) + repr(made._places)
    assert [line for line in heard.lines if not line.startswith("asyncio ")] == ["root it hears"]


async def test_nothing_is_loaded_before_something_is_sent() -> None:
    program = (
        "import sys\n"
        "from allthepoints import wiring\n"
        "from allthepoints.base.clock import SystemClock\n"
        "from allthepoints.base.secret import Secret\n"
        "wiring.AppriseNotifier([Secret('json://x')], SystemClock())\n"
        "sys.exit('apprise' in sys.modules or 'requests' in sys.modules)\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await process.wait() == 0
