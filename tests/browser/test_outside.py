"""The dashboard as it is met from outside: under a path behind a proxy, from another site's page, by another name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from proxy import page_of_another_site, proxy

from conftest import CHROMIUM, World, reload_until, served

pytestmark = pytest.mark.browser

NAME, BASE, PASSWORD = "points.example.test", "/points", "four random words"

HOSTILE_NAME = "rebound.example.test"


@pytest.fixture(scope="module")
def naming(browser: Browser) -> Iterator[Browser]:
    """A browser in which names of others lead to this machine, as a name server of theirs would have it."""
    rules = f"--host-resolver-rules=MAP {NAME} 127.0.0.1, MAP {HOSTILE_NAME} 127.0.0.1"
    found = browser.browser_type.launch(executable_path=CHROMIUM, headless=True, args=["--no-sandbox", rules])
    yield found
    found.close()


@pytest.fixture(scope="module")
def proxied(naming: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A service that is reached through a proxy, under a path."""
    more = f'hosts = ["{NAME}"]\nbase_path = "{BASE}"'
    with served(naming, tmp_path_factory.mktemp("proxied"), more, PASSWORD) as world:
        yield world


@pytest.mark.parametrize("strips", [False, True], ids=["the prefix is kept", "the prefix is taken off"])
def test_behind_a_proxy_under_a_path(proxied: World, strips: bool) -> None:
    with proxy(urlsplit(proxied.address).netloc, BASE, strips=strips) as port:
        here = f"http://{NAME}:{port}{BASE}"
        outside = replace(proxied, address=here, said=[])  # whatever is asked for elsewhere is told
        page = outside.page()
        page.goto(f"{here}/store?channel=alpha")
        assert page.url.startswith(f"{here}/login?next=")
        page.get_by_label("Password").fill("not the password")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_contain_text("That is not the password.")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Store")).to_be_visible()
        assert page.url == f"{here}/store?channel=alpha"
        cookie = next(one for one in page.context.cookies() if one["name"] == "allthepoints")
        assert (cookie["path"], cookie["httpOnly"], cookie["sameSite"]) == (BASE, True, "Strict")

        page.get_by_role("navigation", name="Places").get_by_role("link", name="Now").click()
        expect(page.get_by_role("row").filter(has_text="Alpha")).to_contain_text("present")
        with page.expect_response(lambda answer: "/events?" in answer.url) as told:
            page.reload()
        assert told.value.url.startswith(f"{here}/events?")
        page.evaluate("window.stays = true")
        proxied.box.call(lambda box: box.world.go_live(box.world.find("gamma"), box.clock.now(), title="through it"))
        expect(page.get_by_role("row").filter(has_text="Gamma")).to_contain_text("present")
        proxied.box.call(lambda box: box.world.go_offline(box.world.find("gamma"), box.clock.now()))
        assert page.evaluate("window.stays") is True, "pushed through the proxy"

        page.goto(f"{here}/channel/alpha?range=all")
        expect(page.locator("[data-drawn]")).to_be_visible()
        redeem(page, here)
        page.get_by_role("button", name="Log out").click()
        expect(page).to_have_url(f"{here}/login")
        page.context.close()
        # Without TLS, and by a name that is not this machine's, a browser remarks that it keeps no opener apart.
        # A page that is left while it listens tells that too.
        expected = (
            "403",
            "401",
            "Cross-Origin-Opener-Policy header has been ignored",
            "net::ERR_",
            "sseError",
            "[object",
        )
        assert [said for said in outside.said if not any(word in said for word in expected)] == []


def redeem(page: Page, here: str) -> None:
    """To the end, in the dialog."""
    page.goto(f"{here}/store?channel=alpha&show=affordable")
    link = page.get_by_role("link", name="Redeem Hydrate")
    reload_until(page, link)
    link.click()
    page.get_by_role("dialog").get_by_role("button", name="Spend").click()
    expect(page.get_by_role("dialog")).to_contain_text("Redeemed: Hydrate")
    page.get_by_role("dialog").get_by_role("button", name="Done").click()


TRIES = """<!doctype html><title>another site</title>
<form id="form" method="post" action="{to}/channels/alpha/pause"><input name="csrf" value="guessed"></form>
<img id="img" src="{to}/icon.svg">
<iframe id="frame" src="{to}/"></iframe>
<script>
const to = "{to}";
const tell = (name, promise) => promise.then((value) => [name, value], (error) => [name, `refused: ${{error.name}}`]);
window.tried = async () => Object.fromEntries(await Promise.all([
  tell("get", fetch(`${{to}}/api/status`).then((answer) => answer.text())),
  tell("cookies", fetch(`${{to}}/api/status`, {{ credentials: "include" }}).then((answer) => answer.text())),
  tell("post", fetch(`${{to}}/channels/alpha/pause`, {{
    method: "POST", credentials: "include", headers: {{ "X-CSRF-Token": "guessed" }},
    body: new URLSearchParams({{ a: "b" }}),
  }}).then((answer) => answer.text())),
  tell("plain post", fetch(`${{to}}/channels/alpha/pause`, {{
    method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams({{ csrf: "guessed" }}),
  }}).then((answer) => answer.type)),
  tell("events", new Promise((done, fail) => {{
    const source = new EventSource(`${{to}}/events?since=x`);
    source.onopen = () => done("open");
    source.onerror = () => fail(new TypeError());
  }})),
  tell("script", new Promise((done, fail) => {{
    const script = document.createElement("script");
    script.src = `${{to}}/api/status`;
    script.onload = () => done("loaded");
    script.onerror = () => fail(new TypeError());
    document.head.append(script);
  }})),
]));
</script>"""


def test_a_page_of_another_site_gets_nothing_and_changes_nothing(running: World) -> None:
    before = running.config.read_text()
    with page_of_another_site(TRIES.format(to=running.address)) as port:
        context = running.browser.new_context()
        page = context.new_page()
        answers: dict[str, int] = {}
        page.on("response", lambda told: answers.update({f"{told.request.method} {told.url}": told.status}))
        page.goto(f"http://localhost:{port}/")
        tried = page.evaluate("window.tried()")
        assert set(tried.values()) == {"refused: TypeError"}, tried
        assert page.locator("#img").evaluate("img => img.naturalWidth") == 0
        framed = next(frame for frame in page.frames if frame is not page.main_frame)
        assert "Channels" not in framed.content()
        ours = {what: status for what, status in answers.items() if running.address in what}
        assert set(ours.values()) == {403}, ours
        with page.expect_navigation() as went:
            page.evaluate("document.getElementById('form').submit()")
        assert went.value is not None
        assert went.value.status == 403
        # To follow a link to here is all that others may cause, and what is there then is a page of ours.
        page.goto(f"http://localhost:{port}/")
        page.evaluate(f"location.href = '{running.address}/'")
        expect(page.get_by_role("heading", name="Channels")).to_be_visible()
        context.close()
    assert running.config.read_text() == before


def test_a_name_that_was_made_to_lead_here_is_refused(running: World, naming: Browser) -> None:
    context = naming.new_context()
    page = context.new_page()
    port = urlsplit(running.address).port
    answer = page.goto(f"http://{HOSTILE_NAME}:{port}/")
    assert answer is not None
    assert answer.status == 421
    assert "not known by that name" in page.content()
    for path in ("/api/status", "/events?since=x", "/poll?since=x", "/healthz", "/static/x/app.css"):
        # For the browser it is the same origin as the page: only the name tells.
        assert page.evaluate("path => fetch(path).then(answer => answer.status)", path) == 421, path
    posted = "path => fetch(path, {method: 'POST', body: new URLSearchParams({a: 'b'})}).then(answer => answer.status)"
    assert page.evaluate(posted, "/channels/alpha/pause") == 421
    context.close()


def test_pages_that_read_nothing_keep_nobody_waiting(running: World) -> None:
    """As many listeners as there may be, that never take a byte: chats are entered all the same, and pages told."""
    import socket

    where = urlsplit(running.address)
    assert where.hostname
    assert where.port
    sockets = []
    page = running.page()
    page.goto(running.address + "/")
    try:
        for at in range(20):
            topic = ("now", "store", "channel/alpha", "settings", "health")[at % 5]
            one = socket.create_connection((where.hostname, where.port), timeout=60)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            one.sendall(f"GET /events?of={topic}&since=x HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
            sockets.append(one)
        for name in ("beta", "gamma"):
            running.box.call(
                lambda box, name=name: box.world.go_live(box.world.find(name), box.clock.now(), title="up")
            )
            expect(page.get_by_role("row").filter(has_text=name.title())).to_contain_text("present")
    finally:
        for one in sockets:
            one.close()
        page.context.close()
