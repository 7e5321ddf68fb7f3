"""A real Chromium in front of the real service, which runs against the sandbox; all of it over sockets."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))

from processes import started
from sandbox_thread import RunningSandbox, running_sandbox

from allthepoints.base.clock import Stopwatch
from allthepoints.config.paths import DataDir, prepare
from allthepoints.sim.scenario import Broadcast, ChannelPlan, ItemPlan, LoyaltyPlan, Scenario
from allthepoints.views.web.password import Password

CHROMIUM = Path("/usr/bin/chromium")

PATIENT_MS = 60_000
"""For what takes well under one second: two cores are shared with other tests."""

expect.set_options(timeout=PATIENT_MS)

DAY = 86_400.0
CODE = "ABCD-EFGH-1234"

STORE = (
    ItemPlan("Hydrate", 100),
    ItemPlan("Pick the next map", 250, asks=("Which map?",)),
    ItemPlan("Game key", 300, type="code", total=1, codes=(CODE,)),
    ItemPlan("<img src=x onerror=alert(1)>", 5_000),
)
SCENARIO = Scenario(
    channels=(
        ChannelPlan(
            "alpha",
            display_name="Alpha",
            broadcasts=(Broadcast(-3600.0, DAY, title="<b>climbing</b>"),),
            loyalty=LoyaltyPlan(amount=5, interval=600.0, currency="acorns"),
            balance=2_000,
            store=STORE,
        ),
        ChannelPlan("beta", display_name="Beta"),
        ChannelPlan("gamma", display_name="Gamma"),
        ChannelPlan("omega", display_name="Omega"),
        ChannelPlan("sigma", display_name="Sigma"),
        ChannelPlan("delta", display_name="Delta", broadcasts=(Broadcast(-60.0, DAY),)),
    )
)


@dataclass
class World:
    """`address` ends without a slash. `said`: what the console said against a page."""

    address: str
    box: RunningSandbox
    browser: Browser
    config: Path
    said: list[str] = field(default_factory=list)

    def page(self, width: int = 1280, height: int = 900, **more: object) -> Page:
        """A page of its own in a browser that knows nothing."""
        context: BrowserContext = self.browser.new_context(viewport={"width": width, "height": height}, **more)  # type: ignore[arg-type]
        page = context.new_page()
        page.set_default_timeout(PATIENT_MS)
        page.on("console", lambda told: self.said.append(told.text) if told.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", self._see)
        return page

    def _see(self, request: object) -> None:
        url = str(getattr(request, "url", ""))
        if not url.startswith((self.address, "data:", "about:")):
            self.said.append(f"asked for {url}")


def reload_until(page: Page, found: Locator) -> None:
    """Whether it is there is told by a page of its own: what has yet to be read is shown by the next."""
    watch = Stopwatch()
    while not found.count():
        assert watch.elapsed() < PATIENT_MS / 1000, f"never shown: {found}"
        page.wait_for_timeout(300)
        page.reload()


def until(page: Page, done: Callable[[], bool]) -> None:
    """What happens outside of the page is waited for while its events go on."""
    watch = Stopwatch()
    while not done():
        assert watch.elapsed() < PATIENT_MS / 1000
        page.wait_for_timeout(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For a module, not for the session: while it is open, an event loop of its own runs in this thread, and no other
    test that wants one could run."""
    if not CHROMIUM.exists():
        pytest.skip("there is no /usr/bin/chromium (Debian's `chromium`)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def served(browser: Browser, home: Path, more: str = "", password: str = "") -> Iterator[World]:
    """The real service, before a sandbox. `more`: what else stands in [dashboard]."""
    config, data = home / "config.toml", home / "data"
    with pytest.MonkeyPatch.context() as patch, running_sandbox(SCENARIO) as box:
        access, refresh = box.call(lambda sandbox: sandbox.issue_tokens())
        patch.setenv("ALLTHEPOINTS_TWITCH_TOKEN", access)
        patch.setenv("ALLTHEPOINTS_TWITCH_REFRESH_TOKEN", refresh)
        patch.setenv("ALLTHEPOINTS_STREAMELEMENTS_JWT", box.call(lambda sandbox: sandbox.issue_jwt()))
        patch.setenv("ALLTHEPOINTS_CONFIG", str(config))
        patch.setenv("ALLTHEPOINTS_DATA_DIR", str(data))
        text = box.config.replace('live = "200ms"', 'live = "200ms"\nbalance = "2s"\nstore = "5s"')
        listen = f'\n[dashboard]\nlisten = "127.0.0.1:0"\n{more}\n'
        config.write_text(f'# mine\n{text}{listen}[[wish]]\nchannel = "alpha"\nitem = "Hydrate"\n')
        if password:
            Password(prepare(DataDir(data)).password).set(password)
        with started("run") as process:
            assert process.stderr is not None
            found = None
            for line in process.stderr:
                if found := re.search(r"The dashboard is at (http://\S+)/", line):
                    break
            assert found, "it never said where"
            yield World(found[1], box, browser, config)


@pytest.fixture(scope="module")
def running(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One service for all tests of a module: none takes away what another needs."""
    with served(browser, tmp_path_factory.mktemp("home")) as world:
        yield world


@pytest.fixture
def world(running: World) -> Iterator[World]:
    """Whatever the console says against a page, or a request that leaves this machine, fails the test."""
    running.said.clear()
    yield running
    said, running.said = running.said[:], []
    for context in running.browser.contexts:
        context.close()
    assert said == []
