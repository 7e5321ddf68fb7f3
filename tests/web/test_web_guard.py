"""FC-43: what lies on a port of a machine with a browser on it, and can spend points."""

from __future__ import annotations

from pathlib import Path

import pytest
from web_stage import CODE, ORIGIN, SAME, Stage, get, post, row

from allthepoints.config.settings import Dashboard
from allthepoints.views.web.guard import COOKIE, HEADERS, LARGEST_BODY, Rules

pytestmark = pytest.mark.anyio

PASSWORD = "four random words here"
EVERYWHERE = Dashboard("0.0.0.0:7771", ("points.example.org",))


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    found = Stage(tmp_path)
    found.tell([row(1)])
    return found


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:7771", 200),
        ("localhost:7771", 200),
        ("LOCALHOST", 200),
        ("localhost.:9000", 200),  # a tunnel has a port of its own
        ("[::1]:7771", 200),
        ("evil.example", 421),
        ("evil.example:7771", 421),
        ("127.0.0.1.evil.example:7771", 421),
        ("192.168.1.5:7771", 421),
        ("localhost@evil.example", 421),
        ("127.0.0.1:7771@evil.example", 421),
        ("127.0.0.1:", 421),
        ("localhost:x", 421),
        ("", 421),
    ],
)
async def test_fc_43_the_host_must_be_ours(stage: Stage, host: str, status: int) -> None:
    for path in ("/stub/a", "/api/status", "/metrics", "/healthz", "/events"):
        if (path, status) != ("/events", 200):
            assert (await get(stage, path, {"host": host})).status_code == status, path


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("10.0.0.5:7771", True),  # an address cannot be made to lead here
        ("[fd00::1]:7771", True),
        ("points.example.org", True),
        ("points.example.org:443", True),
        ("nas.local:7771", False),
        ("example.org", False),
    ],
)
async def test_fc_43_names_of_a_dashboard_for_other_machines(host: str, known: bool) -> None:
    assert Rules.of(EVERYWHERE).know(host) is known


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # a program
        ({"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": ORIGIN}, 200),
        # A link that leads here may be followed; that is all.
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, 200),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, 403),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:3000"}, 403),  # another program's page on this machine
        ({"origin": "http://["}, 403),
    ],
)
async def test_fc_43_reading_from_another_site(stage: Stage, headers: dict[str, str], status: int) -> None:
    for path in ("/stub/a", "/api/status"):
        assert (await get(stage, path, headers)).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (dict(SAME), 200),
        ({"origin": ORIGIN}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, 200),  # the browser vouches for it
        ({"sec-fetch-site": "cross-site", "origin": "null"}, 403),  # a frame in a sandbox
        ({}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"sec-fetch-site": "same-site", "origin": "http://localhost:3000"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, 403),
        ({"origin": "http://localhost:7771"}, 403),  # one name of ours is not another
        ({"origin": "ftp://127.0.0.1:7771"}, 403),
        ({"origin": f"{ORIGIN}/x"}, 403),
        ({"origin": "http://["}, 403),
        ({"origin": "http://127.0.0.1:99999"}, 403),
    ],
)
async def test_fc_43_writing_from_another_site(stage: Stage, headers: dict[str, str], status: int) -> None:
    answer = await post(stage, "/act/alpha", stage.token(), headers)
    assert answer.status_code == status
    assert bool(stage.asked) is (status == 200)


async def test_fc_43_a_write_needs_the_token(stage: Stage) -> None:
    async def check(form: dict[str, str], header: str | None, status: int) -> None:
        headers = {**SAME, **({} if header is None else {"x-csrf-token": header})}
        assert (await post(stage, "/act/alpha", form, headers)).status_code == status

    good = stage.token()["csrf"]
    await check({"csrf": good}, None, 200)
    await check({}, good, 200)
    await check({"csrf": good}, "wrong", 403)
    await check({}, None, 403)
    await check({"csrf": ""}, None, 403)
    await check({"csrf": stage.board.token_for("another session")}, None, 403)
    await check({"csrf": "ü" * 3}, None, 403)
    assert len(stage.asked) == 2
    assert "csrf" not in stage.action.ran[0]


async def test_a_form_reaches_the_action(stage: Stage) -> None:
    answer = await post(stage, "/act/alpha", {**stage.token(), "item": "Pick a map 🗺", "login": "beta"}, SAME)
    assert (answer.text, answer.headers["hx-trigger"]) == ("<p>done</p>", "done")
    assert stage.action.ran == [{"item": "Pick a map 🗺", "login": "alpha"}], "the path wins"
    async with stage.client() as client:
        text = f"csrf={stage.token()['csrf']}&answer=one&answer=two"
        await client.post("/act/a", content=text, headers={**SAME, "content-type": "application/x-www-form-urlencoded"})
    assert stage.action.ran[-1]["answer"] == "one\ntwo"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"x" * (LARGEST_BODY + 1), "application/x-www-form-urlencoded", 413),
        (b"{}", "application/json", 415),
        (b"a=1", "multipart/form-data; boundary=x", 415),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        (b"\xff=1", "application/x-www-form-urlencoded", 400),
        (b"&".join([b"a=1"] * 300), "application/x-www-form-urlencoded", 400),
    ],
)
async def test_bodies_that_are_not_read(stage: Stage, content: bytes, kind: str, status: int) -> None:
    async with stage.client() as client:
        answer = await client.post("/act/a", content=content, headers={**SAME, "content-type": kind})
    assert answer.status_code == status
    assert not stage.asked


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
async def test_other_methods(stage: Stage, method: str) -> None:
    async with stage.client() as client:
        assert (await client.request(method, "/stub/a", headers=SAME)).status_code == 405
        assert "access-control-allow-origin" not in (await client.get("/api/status")).headers


async def test_the_headers_of_every_answer(stage: Stage) -> None:
    for path in ("/stub/a", "/none", "/api/status", "/healthz", "/static/x/none.js"):
        answer = await get(stage, path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert answer.headers["cache-control"] == "no-store"
    refused = await get(stage, "/stub/a", {"host": "evil.example"})
    assert refused.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy


# -- behind a proxy --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/points/stub/a", "/stub/a"])  # some proxies take the base path off
async def test_fc_43_a_base_path(tmp_path: Path, path: str) -> None:
    stage = Stage(tmp_path, Dashboard(hosts=("points.example.org",), base_path="/points"))
    answer = await get(stage, path, base="https://points.example.org")
    assert answer.status_code == 200
    assert 'href="/points/' in answer.text
    assert 'href="/static' not in answer.text
    form = stage.token()
    origin = {"origin": "https://points.example.org", "sec-fetch-site": "same-origin"}
    assert (await post(stage, "/points/act/alpha", form, origin, "https://points.example.org")).status_code == 200
    # A proxy that puts its own name for us into Host leaves the browser's origin as it is.
    assert (await post(stage, "/points/act/alpha", form, origin)).status_code == 200
    assert (await post(stage, "/points/act/alpha", form, {"origin": "https://example.org"})).status_code == 403
    assert (await get(stage, "/pointsx/stub/a")).status_code == 404


# -- the password ----------------------------------------------------------------------------------------------------
@pytest.fixture
def locked(tmp_path: Path) -> Stage:
    found = Stage(tmp_path, EVERYWHERE, PASSWORD)
    found.tell([row(1)])
    return found


async def log_in(stage: Stage, password: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Status, and the session's name."""
    answer = await post(stage, "/login", {**stage.token(), "password": password}, {**SAME, **(headers or {})})
    return answer.status_code, answer.cookies.get(COOKIE, "")


async def test_fc_43_nothing_without_the_password(locked: Stage) -> None:
    page = await get(locked, "/stub/a?q=1")
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=%2Fstub%2Fa%3Fq%3D1")
    for path in ("/api/status", "/api/points", "/api/chart/c1", "/metrics"):
        answer = await get(locked, path)
        assert (answer.status_code, answer.headers["www-authenticate"][:5]) == (401, "Basic")
        assert "c1" not in answer.text
    for path in ("/events", "/poll"):
        assert (await get(locked, path)).status_code == 401
    pushed = await get(locked, "/stub/a", {"hx-request": "true"})
    assert (pushed.status_code, pushed.headers["hx-redirect"]) == (401, "/login")
    assert (await post(locked, "/act/alpha", locked.token(), SAME)).status_code == 401
    assert not locked.asked
    assert (await get(locked, "/healthz")).text == "ok\n"
    assert (await get(locked, "/login")).status_code == 200
    assert (await get(locked, "/%2e%2e/login")).status_code in {303, 404}


async def test_a_session(locked: Stage) -> None:
    status, session = await log_in(locked, PASSWORD)
    assert status == 303
    assert len(session) >= 40
    mine = {"cookie": f"{COOKIE}={session}"}
    assert (await get(locked, "/stub/a", mine)).status_code == 200
    assert (await get(locked, "/api/status", mine)).status_code == 200
    assert (await post(locked, "/act/a", locked.token(), {**SAME, **mine})).status_code == 403, "another's token"
    assert (await post(locked, "/act/a", locked.token(session), {**SAME, **mine})).status_code == 200
    out = await post(locked, "/logout", locked.token(session), {**SAME, **mine})
    assert (out.status_code, out.headers["location"]) == (303, "/login")
    assert (await get(locked, "/stub/a", mine)).status_code == 303
    assert (await get(locked, "/stub/a", {"cookie": f"{COOKIE}="})).status_code == 303


async def test_the_cookie(locked: Stage) -> None:
    form = {**locked.token(), "password": PASSWORD}
    plain = (await post(locked, "/login", form, SAME)).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(plain.split("; "))
    assert "Secure" not in plain
    origin = {"origin": "https://points.example.org", "x-forwarded-proto": "https"}
    behind = (await post(locked, "/login", form, origin, "http://points.example.org")).headers["set-cookie"]
    assert "Secure" in behind.split("; ")


@pytest.mark.parametrize(
    ("then", "where"),
    [
        ("/store", "/store"),
        ("/a?b=c", "/a?b=c"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\nb", "/"),
        ("", "/"),
    ],
)
async def test_log_in_leads_only_to_ourselves(locked: Stage, then: str, where: str) -> None:
    answer = await post(locked, "/login", {**locked.token(), "password": PASSWORD, "next": then}, SAME)
    assert answer.headers["location"] == where


async def test_sessions_end(locked: Stage) -> None:
    _, idle = await log_in(locked, PASSWORD)
    _, visited = await log_in(locked, PASSWORD)
    door = locked.door
    assert door is not None
    for _ in range(5):
        locked.clock.advance(6 * 86_400)
        assert door.knows(visited)
    assert not door.knows(idle)
    locked.clock.advance(86_401)
    assert not door.knows(visited), "after a month in any case"
    _, old = await log_in(locked, PASSWORD)
    locked.password.set("another password")
    assert not door.knows(old), "with the password that it was begun with"
    assert await log_in(locked, PASSWORD) == (403, "")


async def test_fc_43_guessing_is_throttled(locked: Stage) -> None:
    for _ in range(5):
        assert await log_in(locked, "wrong password") == (403, "")
    answer = await post(locked, "/login", {**locked.token(), "password": PASSWORD}, SAME)
    assert (answer.status_code, int(answer.headers["retry-after"]) > 800) == (429, True), "the right one too"
    assert (await get(locked, "/api/status", {"authorization": "Basic OnB3"})).status_code == 429
    # From elsewhere it goes on; what a stranger says of where it is from is believed of a proxy on this machine only.
    assert (await log_in(locked, PASSWORD, {"x-forwarded-for": "203.0.113.9"}))[0] == 303
    locked.clock.advance(901)
    assert (await log_in(locked, PASSWORD))[0] == 303


async def test_fc_43_guessing_from_everywhere_is_throttled(locked: Stage) -> None:
    codes = [(await log_in(locked, "wrong one", {"x-forwarded-for": f"2001:db8:{n:x}::1"}))[0] for n in range(30)]
    assert codes == [403] * 20 + [429] * 10
    locked.clock.advance(61)
    assert (await log_in(locked, PASSWORD, {"x-forwarded-for": "203.0.113.9"}))[0] == 303


async def test_one_household_is_one_guesser(locked: Stage) -> None:
    codes = [(await log_in(locked, "wrong one", {"x-forwarded-for": f"2001:db8::{n:x}"}))[0] for n in range(7)]
    assert codes == [403] * 5 + [429] * 2


async def test_programs_give_the_password_with_the_request(locked: Stage) -> None:
    from base64 import b64encode

    def basic(password: str) -> dict[str, str]:
        return {"authorization": f"Basic {b64encode(f'any:{password}'.encode()).decode()}"}

    for _ in range(30):
        assert (await get(locked, "/metrics", basic(PASSWORD))).status_code == 200
    assert (await get(locked, "/api/status", basic("wrong password"))).status_code == 401
    assert (await get(locked, "/stub/a", basic(PASSWORD))).status_code == 303, "not for pages"
    for header in ("Basic", "Basic !!!", "Basic /w==", "Bearer x"):
        assert (await get(locked, "/metrics", {"authorization": header})).status_code == 401


async def test_a_damaged_password_file_lets_nobody_in(locked: Stage) -> None:
    for text in ("", "{}", "[]", '{"kind":"scrypt","n":16384,"r":8,"p":1,"salt":"","hash":""}', '{"kind":"plain"}'):
        (locked.folder / "password.json").write_text(text)
        assert (await log_in(locked, PASSWORD))[0] == 403
        locked.clock.advance(1000)


async def test_the_secret_code_is_in_no_list(stage: Stage) -> None:
    from web_stage import fill

    fill(stage.folder)
    listed = await get(stage, "/api/redemptions")
    assert listed.json()[0]["has_code"] is True
    assert CODE not in listed.text
