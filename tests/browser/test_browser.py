"""The dashboard as a person meets it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from allthepoints.sim.server import Sandbox
from conftest import CODE, SCENARIO, World, reload_until, until

pytestmark = pytest.mark.browser

AXE = "axe-core@4.14.1"

PLACES = ("/", "/channel/alpha?range=today", "/store", "/activity", "/health", "/settings")


def go(world: World, path: str, **more: object) -> Page:
    page = world.page(**more)  # type: ignore[arg-type]
    page.goto(world.address + path)
    return page


def test_fc_40_it_moves_without_a_reload(world: World) -> None:
    page = go(world, "/")
    page.evaluate("window.stays = true")
    alpha = page.get_by_role("row").filter(has_text="Alpha")
    expect(alpha).to_contain_text("present")
    expect(alpha).to_contain_text("2,")
    world.box.call(lambda box: box.world.go_live(box.world.find("beta"), box.clock.now(), title="here I am"))
    beta = page.get_by_role("row").filter(has_text="Beta")
    expect(beta).to_contain_text("present")
    expect(page.locator("#sentence")).to_contain_text("In 3 of 3 live chats")
    expect(page.locator("[data-count=live]")).to_have_text("3")
    world.box.call(lambda box: box.world.go_offline(box.world.find("beta"), box.clock.now()))
    assert page.evaluate("window.stays") is True


def test_the_table_is_searched_narrowed_and_sorted(world: World) -> None:
    page = go(world, "/")
    rows = page.locator("#rows tr:visible")
    page.locator("label").filter(has_text="All").click()
    expect(rows).to_have_count(len(SCENARIO.channels))
    page.get_by_role("searchbox").fill("gam")
    expect(rows).to_have_count(1)
    assert "q=gam" in page.url
    page.get_by_role("searchbox").fill("nobody")
    expect(page.get_by_text("Nothing to show here.")).to_be_visible()
    page.get_by_role("button", name="Show all channels").click()
    expect(rows).to_have_count(len(SCENARIO.channels))
    page.get_by_role("button", name="Channel").click()
    assert [name.split("\n")[0] for name in page.locator("#rows tr th").all_inner_texts()] == [
        "Alpha",
        "Beta",
        "Delta",
        "Gamma",
        "Omega",
        "Sigma",
    ]
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Channel")
    page.get_by_role("button", name="Balance").click()
    assert page.locator("#rows tr th").first.inner_text().startswith("Alpha")


def test_fc_44_the_chart_is_drawn(world: World) -> None:
    page = go(world, "/channel/alpha?range=today")
    reload_until(page, page.locator("[data-drawn]"))  # its first balance may not be read yet
    canvas = page.locator(".chart canvas")
    expect(canvas).to_be_visible()
    colours = canvas.evaluate(
        "c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
    )
    assert colours > 3
    page.get_by_role("link", name="30 days").click()
    expect(page.get_by_role("link", name="30 days")).to_have_attribute("aria-current", "true")
    expect(canvas).to_be_visible()
    expect(page.get_by_role("link", name="Open the stream")).to_have_attribute("href", "https://www.twitch.tv/alpha")


def test_the_chart_tells_of_what_is_pointed_at_and_is_zoomed_by_dragging(world: World) -> None:
    page = world.page()
    held: list[Route] = []
    page.route(re.compile(r"/(events|poll)\?"), lambda route: held.append(route))  # noqa: PLW0108 -- it gets an attribute
    page.goto(world.address + "/channel/alpha?range=today")
    reload_until(page, page.locator("[data-drawn]"))  # its first balance may not be read yet
    over, canvas = page.locator(".chart .u-over"), page.locator(".chart canvas")
    values = page.locator(".u-legend .u-value")
    over.hover()
    expect(values.nth(0)).to_contain_text(re.compile(r"\d\d:\d\d"))
    expect(values.nth(1)).to_contain_text(re.compile(r"\d"))
    whole = canvas.evaluate("canvas => canvas.toDataURL()")
    box = over.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, y, steps=5)
    page.mouse.up()
    page.wait_for_function("([canvas, was]) => canvas.toDataURL() !== was", arg=[canvas.element_handle(), whole])
    over.dblclick()
    page.wait_for_function("([canvas, was]) => canvas.toDataURL() === was", arg=[canvas.element_handle(), whole])


def give(world: World, points: int) -> None:
    """Points of alpha's come from somewhere."""

    def adjust(box: Sandbox) -> None:
        channel = box.elements.named("alpha")
        assert channel is not None
        box.elements.adjust(channel, box.account, points, "given", box.clock.now())

    world.box.call(adjust)


def test_a_channels_page_moves_without_a_reload(world: World) -> None:
    page = go(world, "/channel/alpha?range=today")
    page.evaluate("window.stays = true")
    balance = page.locator("#sums div", has_text="Balance").locator("dd").first
    expect(balance).not_to_have_text("–")
    before = balance.inner_text()
    chart = page.locator("#chart")
    expect(chart).to_have_attribute("data-drawn", "true")
    give(world, 777)
    expect(balance).not_to_have_text(before)
    expect(chart).to_have_attribute("data-until", re.compile(r"\d+"))
    assert page.evaluate("window.stays") is True


def test_the_store_moves_without_a_reload_and_keeps_the_focus(world: World) -> None:
    page = store(world)
    page.evaluate("window.stays = true")
    wish = page.get_by_role("button", name="Wish for Hydrate")
    wish.focus()
    purse = page.locator("#purse-alpha strong")
    before = purse.inner_text()
    give(world, 55)
    expect(purse).not_to_have_text(before)
    expect(wish).to_be_focused()
    assert page.evaluate("window.stays") is True


def test_the_settings_move_without_a_reload(world: World) -> None:
    page = go(world, "/settings")
    page.evaluate("window.stays = true")
    quiet = page.locator("#quiet-channels summary")
    quiet.click()
    world.box.call(lambda box: box.world.go_live(box.world.find("gamma"), box.clock.now(), title="up"))
    expect(page.locator("#meant-gamma")).to_contain_text("present")
    expect(page.locator("#quiet-channels #meant-gamma")).to_have_count(0)
    expect(page.locator("#quiet-channels")).to_have_attribute("open", "")
    world.box.call(lambda box: box.world.go_offline(box.world.find("gamma"), box.clock.now()))
    assert page.evaluate("window.stays") is True


def test_bounds_and_notifications_are_written_into_the_config(world: World) -> None:
    page = go(world, "/settings")
    page.locator("#wishes summary").click()
    form = page.locator("form.bounds")
    form.get_by_label("Redeem it without asking").check()
    form.get_by_label("At most for one").fill("90")
    form.get_by_role("button", name="Save").click()
    expect(page.locator("#said")).to_contain_text("say that you mean it")
    form.get_by_label("I mean it").check()
    form.get_by_role("button", name="Save").click()
    expect(page.locator("#wishes")).to_contain_text("up to 90 each, 1 in all")
    assert "max_cost = 90" in world.config.read_text()
    page.on("dialog", lambda asked: asked.dismiss())
    page.get_by_role("button", name="Take back").click()
    assert "max_cost = 90" in world.config.read_text(), "it was not meant"
    page.get_by_label("Redeem it without asking").uncheck()
    page.locator("form.bounds").get_by_role("button", name="Save").click()
    expect(page.locator("#wishes")).to_contain_text("no, it is told")
    page.get_by_label("a channel goes live").check()
    page.get_by_label("Quiet from").fill("23:00")
    page.get_by_label("until").fill("07:30")
    page.locator("form.notify").get_by_role("button", name="Save").click()
    expect(page.locator("#notify-said")).to_contain_text("Written into your config.")
    assert 'quiet_hours = "23:00-07:30"' in world.config.read_text()
    assert "# mine" in world.config.read_text()
    world.said[:] = [said for said in world.said if "422" not in said]


@pytest.fixture
def own_wishes(world: World) -> Iterator[None]:
    """What a test does to the wishes is undone for those after it."""
    before = world.config.read_text()
    yield
    world.config.write_text(before)


def wish_besides(world: World, item: str) -> None:
    """As if the person wrote one more wish into the config."""
    with world.config.open("a") as config:
        config.write(f'\n[[wish]]\nchannel = "alpha"\nitem = "{item}"\n')


@pytest.mark.usefixtures("own_wishes")
def test_what_somebody_changes_in_a_form_is_not_taken_away_by_what_is_pushed(world: World) -> None:
    page, other = go(world, "/settings"), go(world, "/settings")
    page.locator("#wishes summary").first.click()
    form = page.locator("form.bounds").first
    form.get_by_label("Redeem it without asking").check()
    form.get_by_label("At most for one").fill("95")
    form.get_by_label("I mean it").check()
    page.locator("h1").click()  # nothing of the form is in focus
    wish_besides(world, "Game key")
    expect(other.locator("#wishes")).to_contain_text("Game key")
    page.wait_for_timeout(500)
    expect(form.get_by_label("At most for one")).to_have_value("95")
    expect(page.locator("#wishes")).not_to_contain_text("Game key")
    form.get_by_role("button", name="Save").click()
    expect(page.locator("#wishes")).to_contain_text("up to 95 each, 1 in all")
    expect(page.locator("#wishes")).to_contain_text("Game key")
    page.get_by_label("Redeem it without asking").first.uncheck()
    page.locator("form.bounds").first.get_by_role("button", name="Save").click()
    expect(page.locator("#wishes")).not_to_contain_text("up to 95 each")


@pytest.mark.usefixtures("own_wishes")
def test_what_is_pushed_while_the_mouse_is_down_takes_no_click_away(world: World) -> None:
    page, other = go(world, "/settings"), go(world, "/settings")
    take = page.get_by_role("button", name="Take back Hydrate")
    take.hover()
    page.mouse.down()
    wish_besides(world, "Pick the next map")
    expect(other.locator("#wishes")).to_contain_text("Pick the next map")
    page.wait_for_timeout(500)
    page.mouse.up()
    expect(page.locator("#wishes")).to_contain_text("You do not wish for Hydrate any more.")
    expect(page.locator("#wishes")).to_contain_text("Pick the next map")


@pytest.mark.usefixtures("own_wishes")
def test_what_somebody_was_told_stays_when_something_is_pushed(world: World) -> None:
    page = go(world, "/settings")
    page.get_by_role("button", name="Take back Hydrate").click()
    done = page.locator("#wishes > .done")
    expect(done).to_have_text("You do not wish for Hydrate any more.")
    expect(done).to_have_role("status")
    for item in ("Pick the next map", "Game key"):
        wish_besides(world, item)
        expect(page.locator("#wishes")).to_contain_text(item)
        expect(done).to_have_text("You do not wish for Hydrate any more.")
        expect(done).not_to_have_role("status")  # or it would be spoken again
        first = page.locator("#wishes summary").first
        if item == "Pick the next map":
            first.focus()
        expect(first).to_be_focused()
    page.get_by_role("button", name="Take back Game key").click()
    expect(done).to_have_text("You do not wish for Game key any more.")


def store(world: World, **more: object) -> Page:
    page = go(world, "/store?channel=alpha", **more)
    reload_until(page, page.get_by_role("link", name="Redeem"))
    return page


def test_fc_45_redeem_to_the_end_by_mouse(world: World) -> None:
    page = store(world)
    page.get_by_role("link", name="Redeem Game key").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("It cannot be undone.")
    before = world.box.call(lambda box: len(box.tally().redemptions))
    dialog.get_by_role("button", name="Spend 300 acorns").dblclick()
    expect(dialog.get_by_label("The access code")).to_have_value(CODE)
    expect(dialog).to_contain_text("Redeemed: Game key")
    dialog.get_by_role("button", name="Done").click()
    expect(dialog).to_be_hidden()
    assert world.box.call(lambda box: len(box.tally().redemptions)) == before + 1, "two clicks are one redemption"


def test_redeem_to_the_end_by_keys_alone(world: World) -> None:
    page = store(world)
    link = page.get_by_role("link", name="Redeem Pick the next map")
    for _ in range(60):
        page.keyboard.press("Tab")
        if link.evaluate("link => link === document.activeElement"):
            break
    else:
        raise AssertionError("no key leads there")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Which map?")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Which map?")).to_be_focused()
    page.keyboard.type("Dust")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("Redeemed: Pick the next map")
    done = dialog.get_by_role("button", name="Done")
    if not done.evaluate("button => button === document.activeElement"):
        page.keyboard.press("Tab")
    expect(done).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()


def test_what_is_refused_is_told_in_the_dialog(world: World) -> None:
    page = store(world)
    page.get_by_role("link", name="Redeem Hydrate").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[name=cost]").evaluate("input => { input.value = '99'; }")
    dialog.get_by_role("button", name="Spend").click()
    expect(dialog).to_contain_text("nothing was spent")
    expect(dialog).to_contain_text("price is not the one that you confirmed", ignore_case=True)


def test_a_wish_is_written_into_the_config(world: World) -> None:
    page = store(world)
    star = page.get_by_role("button", name="Wish for Pick the next map")
    expect(star).to_have_attribute("aria-pressed", "false")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    assert "Pick the next map" in world.config.read_text()
    star.click()
    expect(star).to_have_attribute("aria-pressed", "false")
    assert world.config.read_text().startswith("# mine")
    assert "Pick the next map" not in world.config.read_text()


def test_what_was_said_stays_when_a_list_is_got_anew(world: World) -> None:
    page = go(world, "/settings")
    page.get_by_text("that you follow, offline").click()
    page.get_by_role("button", name="Pause Sigma").click()
    expect(page.locator("#meant")).to_contain_text("sigma is paused")
    with page.expect_response(lambda answer: answer.request.method == "GET" and answer.url.endswith("/settings")):
        world.box.call(lambda box: box.world.go_live(box.world.find("sigma"), box.clock.now()))
    expect(page.locator("#meant > table #meant-sigma")).to_contain_text("you paused it")
    expect(page.locator("#meant > .done")).to_contain_text("sigma is paused")
    world.box.call(lambda box: box.world.go_offline(box.world.find("sigma"), box.clock.now()))
    page.get_by_role("button", name="Resume Sigma").click()
    expect(page.locator("#meant > .done")).to_contain_text("sigma is not paused any more")


@pytest.mark.parametrize("late", ["before the answer", "after the answer"])
def test_a_list_that_was_asked_for_before_something_was_done_does_not_undo_it(world: World, late: str) -> None:
    page, other = go(world, "/settings"), go(world, "/settings")
    for one in (page, other):
        one.get_by_text("that you follow, offline").click()
    held: list[tuple[Route, APIResponse]] = []
    doing: list[Route] = []
    page.route("**/settings", lambda route: held.append((route, route.fetch())))
    page.route("**/channels/sigma/pause", lambda route: doing.append(route))  # noqa: PLW0108 -- it marks what it is given
    other.get_by_role("button", name="Pause Beta").click()
    until(page, lambda: bool(held))
    page.unroute("**/settings")
    page.get_by_role("button", name="Pause Sigma").click()
    until(page, lambda: bool(doing))
    if late == "before the answer":
        held[0][0].fulfill(response=held[0][1])
        page.wait_for_timeout(200)
    doing[0].continue_()
    done = page.locator("#meant > .done")
    expect(done).to_contain_text("sigma is paused")
    if late == "after the answer":
        held[0][0].fulfill(response=held[0][1])
        page.wait_for_timeout(1000)
    expect(page.locator("#meant > table #meant-sigma")).to_contain_text("Resume Sigma")
    expect(page.locator("#meant > table #meant-beta")).to_contain_text("Resume Beta")
    expect(done).to_contain_text("sigma is paused")
    for name in ("Sigma", "Beta"):
        page.get_by_role("button", name=f"Resume {name}").click()
        expect(done).to_contain_text(f"{name.lower()} is not paused any more")


def test_settings_by_keys(world: World) -> None:
    page = go(world, "/settings")
    page.get_by_text("that you follow, offline").click()
    for name in ("Gamma", "Delta"):
        page.get_by_role("button", name=f"Prefer {name}").click()
        expect(page.locator("#priority li").first).to_contain_text(name)
        expect(page.locator(f"#meant-{name.lower()}")).to_contain_text("place 1")
        expect(page.locator(f"#up-{name.lower()}, #down-{name.lower()}").first).to_be_visible()
    page.get_by_role("button", name="Up Gamma").focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#priority li").first).to_contain_text("Gamma")
    expect(page.locator("#up-gamma, #down-gamma").first).to_be_visible()
    page.get_by_role("button", name="Pause Delta").click()
    expect(page.locator("#meant")).to_contain_text("delta is paused")
    page.get_by_role("button", name="Resume Delta").click()
    expect(page.locator("#meant")).to_contain_text("delta is not paused any more")
    page.get_by_label("Name of a channel").fill("no such channel!")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#said")).to_contain_text("is not a channel")
    world.said[:] = [said for said in world.said if "422" not in said]


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("width", [390, 320])
def test_on_a_phone_nothing_scrolls_sideways(world: World, path: str, width: int) -> None:
    page = go(world, path, width=width, height=844, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        """() => [...document.querySelectorAll("a, button, input, select, summary")]
            .filter(e => e.checkVisibility() && !e.closest(".hidden, .skip, p, label, .foot") && e.type !== "hidden")
            .map(e => [e.id || e.textContent.trim(), e.getBoundingClientRect()])
            .filter(([, box]) => box.height > 0 && box.height < 43).map(([name, box]) => `${name} ${box.height}`)"""
    )
    assert small == []


def test_other_peoples_names_are_text(world: World) -> None:
    page = store(world)
    expect(page.get_by_text("<img src=x onerror=alert(1)>").first).to_be_visible()
    assert page.locator("main img").count() == 0
    page.goto(world.address + "/")
    expect(page.get_by_text("<b>climbing</b>")).to_be_visible()


def test_what_takes_long_says_that_it_is_being_read(world: World) -> None:
    page = go(world, "/store?channel=alpha")
    held: list[Route] = []
    page.route(re.compile(r"/store\?.*show=wished"), lambda route: held.append(route))  # noqa: PLW0108 -- it gets an attribute
    page.locator("label").filter(has_text="Wished").click()
    loading = page.locator("#loading")
    expect(loading).to_have_text("Reading…")
    assert loading.get_attribute("role") == "status"
    expect(page.locator("[aria-busy=true]")).to_have_count(1)
    for route in held:
        route.continue_()
    expect(loading).to_be_hidden()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    expect(page.locator("#items")).to_contain_text("Hydrate")


def test_where_nothing_can_be_pushed_it_is_asked_for(world: World) -> None:
    page = world.page()
    page.route("**/events?*", lambda route: route.abort())
    page.goto(world.address + "/activity")
    with page.expect_response(lambda answer: "/poll?of=activity" in answer.url and answer.ok):
        world.box.call(lambda box: box.world.go_live(box.world.find("omega"), box.clock.now(), title="late"))
    expect(page.get_by_text("Omega is live.")).to_be_visible()
    world.box.call(lambda box: box.world.go_offline(box.world.find("omega"), box.clock.now()))
    world.said[:] = [
        said for said in world.said if "ERR_FAILED" not in said and "sseError" not in said and "[object" not in said
    ]


def test_a_page_that_hears_nothing_claims_nothing(world: World) -> None:
    page = world.page()
    page.goto(world.address + "/")
    expect(page.locator("#dot")).to_contain_text("running")
    for path in ("**/events?*", "**/poll?*"):
        page.route(path, lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("alert").first).to_contain_text("nobody knows whether you are in")
    expect(page.locator("#dot")).to_have_text("✕ no answer")
    for path in ("**/events?*", "**/poll?*"):
        page.unroute(path)
    expect(page.locator("#dot")).to_contain_text("running")
    expect(page.locator("#link")).to_be_hidden()
    world.said[:] = [
        said for said in world.said if "ERR_FAILED" not in said and "sseError" not in said and "[object" not in said
    ]


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The scanner's text."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm to get axe-core with")
    folder = tmp_path_factory.mktemp("axe")
    subprocess.run([npm, "pack", AXE, "--silent"], cwd=folder, check=True, timeout=240, capture_output=True)
    (packed,) = folder.glob("*.tgz")
    shutil.unpack_archive(packed, folder, filter="data")
    return (Path(folder) / "package" / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.node
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_finding_of_the_accessibility_scan(world: World, axe: str, scheme: str) -> None:
    context = world.browser.new_context(bypass_csp=True, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    found: list[str] = []
    places = PLACES if scheme == "light" else PLACES[:3]
    for path in (*places, "/nowhere", "dialog"):
        if path == "dialog":
            page.goto(world.address + "/store?channel=alpha")
            page.get_by_role("link", name="Redeem Hydrate").click()
            expect(page.get_by_role("dialog")).to_be_visible()
        else:
            page.goto(world.address + path)
        page.evaluate(axe)
        told = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        found += [
            f"{path} {one['impact']} {one['id']}: {json.dumps([node['html'][:160] for node in one['nodes'][:3]])}"
            for one in told["violations"]
            if one["impact"] in ("serious", "critical")
        ]
    assert not found, "\n".join(found)
