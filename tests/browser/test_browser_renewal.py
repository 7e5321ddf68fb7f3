"""A list that is got anew, while more is pushed and done: the real script in a real browser; the answers come when the
test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from allthepoints.views.web.render import STATIC
from conftest import until

pytestmark = pytest.mark.browser

HERE = "http://settings.test"


def page_of(entries: str, told: str = "") -> str:
    return f"""<!doctype html><html lang="en"><head><title>Settings</title>
<script src="/htmx.js" defer></script><script src="/app.js" defer></script></head><body>
<span id="dot"></span><p id="link" hidden></p><p id="loading"></p><p id="said"></p><div id="pushed"></div>
<form id="search" hx-get="/settings?q=foo" hx-target="#meant" hx-select="#meant" hx-swap="outerHTML"
 hx-push-url="true"><button>Search</button></form>
<div id="priority">none</div><div id="meant">{part(entries, told)}</div></body></html>"""


def part(entries: str, told: str = "") -> str:
    said = f'<p class="done" role="status">{told}</p>' if told else ""
    return f"""{said}<table><tbody><tr id="one"><td>{entries}</td></tr></tbody></table>
<button id="pause" hx-post="/pause" hx-target="#meant">Pause</button>
<button id="prefer" hx-post="/prefer" hx-target="#priority">Prefer</button>"""


class Desk:
    """A page whose requests, but those of its scripts, wait in `held` until they are answered."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.held: list[Route] = []
        page.route("**/*", self._asked)
        page.goto(f"{HERE}/settings", wait_until="commit")

    def _asked(self, route: Route) -> None:
        path = route.request.url.removeprefix(HERE)
        if path == "/app.js":
            route.fulfill(path=STATIC / "app.js", content_type="text/javascript")
        elif path == "/htmx.js":
            route.fulfill(path=STATIC / "vendor" / "htmx.min.js", content_type="text/javascript")
        elif route.request.is_navigation_request():
            self._fulfill(route, page_of("first"))
        else:
            self.held.append(route)

    def _fulfill(self, route: Route, body: str, status: int = 200) -> None:
        route.fulfill(body=body, status=status, content_type="text/html")

    def push(self, kind: str, data: str) -> None:
        self.page.evaluate(
            """([type, data]) => document.getElementById("pushed").dispatchEvent(
            new CustomEvent("htmx:sseBeforeMessage", { bubbles: true, cancelable: true, detail: { type, data } }))""",
            [kind, data],
        )

    def stale(self) -> None:
        self.push("stale", "meant")

    def asked(self, path: str) -> None:
        """One more request than were answered, to this path."""
        until(self.page, lambda: bool(self.held))
        assert [route.request.url.removeprefix(HERE) for route in self.held] == [path]

    def answer(self, body: str, status: int = 200, at: int = 0) -> None:
        self._fulfill(self.held.pop(at), body, status)

    def shows(self, entries: str, told: str = "") -> None:
        expect(self.page.locator("#one")).to_have_text(entries)
        expect(self.page.locator("#meant > .done")).to_have_text([told] if told else [])

    def rests(self) -> None:
        """Nothing more is asked for."""
        self.page.wait_for_timeout(900)
        assert not self.held


@pytest.fixture
def desk(browser: Browser) -> Iterator[Desk]:
    page = browser.new_page()
    desk = Desk(page)
    page.wait_for_function("window.htmx")
    desk.shows("first")
    yield desk
    page.unroute_all(behavior="ignoreErrors")
    page.close()


def test_a_stale_list_is_got_anew_once(desk: Desk) -> None:
    for _ in range(3):
        desk.stale()
    desk.asked("/settings")
    desk.answer(page_of("second"))
    desk.shows("second")
    desk.rests()


def test_what_is_told_to_be_stale_while_it_comes_is_got_once_more(desk: Desk) -> None:
    desk.stale()
    desk.asked("/settings")
    desk.stale()
    desk.page.wait_for_timeout(600)
    assert len(desk.held) == 1, "one at a time"
    desk.answer(page_of("second"))
    desk.shows("second")
    desk.asked("/settings")
    desk.answer(page_of("third"))
    desk.shows("third")
    desk.rests()


def pause(desk: Desk) -> None:
    desk.page.locator("#pause").click()
    until(desk.page, lambda: len(desk.held) == 2)
    desk.answer(part("paused", "It is paused."), at=1)
    desk.shows("paused", "It is paused.")


def prefer(desk: Desk) -> None:
    desk.page.locator("#prefer").click()
    until(desk.page, lambda: len(desk.held) == 2)
    desk.answer(f'first<div id="meant" hx-swap-oob="innerHTML">{part("paused")}</div>', at=1)
    desk.shows("paused")


def row(desk: Desk) -> None:
    desk.push("part", '<tr id="one"><td>paused</td></tr>')
    desk.shows("paused")


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("do", [pause, prefer, row])
def test_what_was_asked_for_before_undoes_nothing(desk: Desk, do: Callable[[Desk], None], again: bool) -> None:
    desk.stale()
    desk.asked("/settings")
    if again:
        desk.stale()
        desk.page.wait_for_timeout(600)
    do(desk)
    told = "It is paused." if do is pause else ""
    desk.answer(page_of("from before"))
    desk.asked("/settings")
    desk.shows("paused", told)
    desk.answer(page_of("paused, and more"))
    desk.shows("paused, and more", told)
    desk.rests()


def test_what_is_being_done_is_waited_for(desk: Desk) -> None:
    desk.stale()
    desk.asked("/settings")
    desk.page.locator("#pause").click()
    until(desk.page, lambda: len(desk.held) == 2)
    desk.answer(page_of("from before"))
    desk.page.wait_for_timeout(600)
    desk.shows("first")
    desk.answer(part("paused", "It is paused."))
    desk.asked("/settings")
    desk.shows("paused", "It is paused.")


def test_what_is_under_the_mouse_is_not_taken_away(desk: Desk) -> None:
    desk.stale()
    desk.asked("/settings")
    desk.page.locator("#pause").hover()
    desk.page.mouse.down()
    desk.answer(page_of("second"))
    desk.page.wait_for_timeout(600)
    desk.shows("first")
    desk.page.mouse.move(0, 0)
    desk.page.mouse.up()
    desk.asked("/settings")
    desk.answer(page_of("second"))
    desk.shows("second")


def test_a_search_goes_before(desk: Desk) -> None:
    desk.stale()
    desk.asked("/settings")
    desk.page.get_by_role("button", name="Search").click()
    until(desk.page, lambda: len(desk.held) == 2)
    desk.answer(page_of("found"), at=1)
    desk.shows("found")
    desk.answer(page_of("all"))
    desk.asked("/settings?q=foo")
    desk.shows("found")


@pytest.mark.parametrize("how", ["refused", "cut"])
def test_what_could_not_be_got_is_tried_again(desk: Desk, how: str) -> None:
    desk.stale()
    desk.asked("/settings")
    if how == "refused":
        desk.answer("no", 503)
    else:
        desk.held.pop().abort()
    desk.asked("/settings")
    desk.answer(page_of("second"))
    desk.shows("second")
    expect(desk.page.locator("#said")).to_be_empty()
    desk.rests()


def test_what_is_open_and_held_stays_so(desk: Desk) -> None:
    closed = '<details id="more"><summary id="held">more</summary>text</details>'
    desk.push("part", f'<div id="priority">{closed}</div>')
    desk.page.locator("#held").click()
    desk.push("part", f'<div id="priority">{closed} now</div>')
    expect(desk.page.locator("#priority")).to_contain_text("now")
    expect(desk.page.locator("#more")).to_have_attribute("open", "")
    expect(desk.page.locator("#held")).to_be_focused()
