"""The dashboard's pages with nothing, one, many, and with names that mean harm."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import httpx2
import pytest
from web_stage import AT, CODE, HOSTILE, HYDRATE, MAP, SAME, Listening, Stage, fill, get, post, row, turns, until, worry

from allthepoints.base.types import Login, UserId
from allthepoints.config.load import load
from allthepoints.config.settings import Channels, Settings, Wish
from allthepoints.core import records as r
from allthepoints.core.records import Event, EventKind
from allthepoints.core.redeem import Reason, Redemption, State
from allthepoints.storage.database import Database
from allthepoints.views.web import pages
from allthepoints.views.web.app import Pages
from allthepoints.views.web.render import STATIC

pytestmark = pytest.mark.anyio

PLACES = ("/", "/store", "/activity", "/health", "/settings", "/sign-in")
STORE = "/store?channel=c1"


class Read(HTMLParser):
    """What a browser would make of a page, as far as the tests ask."""

    VOID = frozenset({"meta", "link", "input", "br", "rect", "path", "circle", "option"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag, f"</{tag}>"

    def handle_data(self, data: str) -> None:
        self.text += data

    def ids(self) -> list[str]:
        return [attrs["id"] or "" for _, attrs in self.tags if "id" in attrs]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    stage.build(pages=Pages(pages.PAGES, pages.ACTIONS, pages.fragments))
    return stage


async def read(stage: Stage, path: str, status: int = 200, **headers: str) -> Read:
    answer = await get(stage, path, {key.replace("_", "-"): value for key, value in headers.items()})
    assert answer.status_code == status, answer.text[:500]
    found = Read(answer.text)
    assert not found.open, "every tag is closed"
    harmless(found)
    return found


def harmless(found: Read) -> None:
    """Nothing that the policy forbids, nothing from elsewhere, and no script but ours."""
    for tag, attrs in found.tags:
        assert "style" not in attrs, (tag, attrs)
        assert not [key for key in attrs if key.startswith("on")], (tag, attrs)
        assert tag not in {"style", "iframe", "object", "base", "img"}
        if tag in {"script", "link"}:
            assert (attrs.get("src") or attrs.get("href") or "").startswith("/static/"), attrs
        if (address := attrs.get("href") or "").startswith("http"):
            assert address.startswith("https://www.twitch.tv/"), address
            assert "noopener" in (attrs["rel"] or "")
    assert len(found.ids()) == len(set(found.ids())), "an id stands once"


async def do(stage: Stage, path: str, form: dict[str, str] | None = None) -> httpx2.Response:
    return await post(stage, path, {**(form or {}), **stage.token()}, SAME)


@pytest.mark.parametrize("path", PLACES)
async def test_nothing_yet(stage: Stage, path: str) -> None:
    found = await read(stage, path)
    assert "allthepoints" in found.text
    stage.tell([])
    again = await read(stage, path)
    assert {"header", "nav", "main", "h1", "footer"} <= {tag for tag, _ in again.tags}


@pytest.mark.parametrize(
    ("path", "teaches"),
    [
        ("/", "Others can be added by name"),
        ("/store", "The stores of channels with a wish are read by themselves"),
        ("/activity", "wishes that come within reach"),
        ("/settings", "you are told once when it can be had"),
    ],
)
async def test_an_empty_page_teaches(stage: Stage, path: str, teaches: str) -> None:
    stage.tell([])
    assert teaches in (await read(stage, path)).text


async def test_fc_40_now_shows_all_of_a_channel(stage: Stage) -> None:
    fill(stage.folder)
    stage.settings = Settings(wish=(Wish(Login("c1"), "Hydrate"),))
    stage.tell(
        [row(1), row(2, state="waiting", reason="no_slot", verdict="unknown"), row(3, state="refused", reason="banned")]
    )
    found = await read(stage, "/")
    text = " ".join(found.text.split())
    for said in (
        "● present",
        "↑ earning",
        "○ waiting",
        "every room is taken",
        "✕ refused",
        "you are banned",
        "1,001",
        "30/h",
        "Hydrate",
    ):
        assert said in text, said
    stream = next(attrs for tag, attrs in found.tags if attrs.get("id") == "stream-1")
    assert stream["href"] == "https://www.twitch.tv/c1"


async def test_300_channels(stage: Stage) -> None:
    stage.tell([row(n, live=n < 90, state="present" if n < 90 else "absent") for n in range(1, 301)])
    found = await read(stage, "/?show=all&sort=name")
    assert len([1 for tag, attrs in found.tags if tag == "tr" and (attrs.get("id") or "").startswith("row-")]) == 300
    assert "All 300" in " ".join(found.text.split())


@pytest.mark.parametrize(
    "path",
    ["/", "/channel/c1?range=all", STORE, "/store?q=%3Cscript%3E", "/activity", "/settings", f"/redeem/c1/{MAP.id}"],
)
async def test_names_that_mean_harm_are_text(stage: Stage, path: str) -> None:
    fill(stage.folder)
    stage.settings = Settings(wish=(Wish(Login("c1"), HOSTILE),))
    stage.tell(
        [replace(row(1), display=HOSTILE, title=HOSTILE)], warnings=(replace(worry(), text=HOSTILE, title=HOSTILE),)
    )
    stage.board.happened(Event(AT, EventKind.SIGN_IN_LOST, None, {"reason": HOSTILE}), stage.tell([row(1)]))
    found = await read(stage, path)
    scripts = [attrs for tag, attrs in found.tags if tag == "script"]
    assert all("src" in attrs for attrs in scripts)
    assert "49" not in re.findall(r"\{\{7\*7\}\}|49", found.text), "no template runs in a template"


async def test_fc_44_a_channel(stage: Stage) -> None:
    fill(stage.folder)
    stage.tell([row(1, verdict="flat", causes=("never_typed", "hide_gambling"))])
    for span in ("today", "7d", "30d", "all", "century"):
        found = await read(stage, f"/channel/c1?range={span}")
        chart = [attrs for _, attrs in found.tags if "data-chart" in attrs]
        assert len(chart) == 1
    assert "Write one message in this chat by hand" in found.text
    assert "In the chat, and nothing comes" in found.text
    assert "acorns" in found.text
    await read(stage, "/channel/nobody", 404)
    await read(stage, "/channel/%22%3E", 404)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"hydrate", "map"}),
        ("show=affordable", {"hydrate", "map"}),
        ("show=wished", {"hydrate"}),
        ("q=HYDR", {"hydrate"}),
        ("q=nothing", set()),
        ("channel=c1&show=stock", {"hydrate", "map"}),
        ("channel=c2", set()),
        ("show=odd", {"hydrate", "map"}),
    ],
)
async def test_the_store_is_narrowed(stage: Stage, query: str, names: set[str]) -> None:
    fill(stage.folder)
    stage.settings = Settings(wish=(Wish(Login("c1"), "Hydrate"),))
    stage.tell([row(1)])
    found = await read(stage, f"/store?{query}")
    ids = {"hydrate": f"wish-c1-{HYDRATE.id}", "map": f"wish-c1-{MAP.id}"}
    assert {name for name, id_ in ids.items() if id_ in found.ids()} == names


async def test_a_price_that_changed_is_told(stage: Stage) -> None:
    fill(stage.folder)
    database = Database(stage.folder / "allthepoints.db", AT)
    database.load()
    database.record((r.ItemKnown(AT - 60, UserId("1"), replace(HYDRATE, cost=80)),), AT)
    database.close()
    found = await read(stage, STORE)
    assert "was 100 until 20:59" in " ".join(found.text.split())
    assert ("svg", "Price: 100, then 80") in [(tag, attrs.get("aria-label")) for tag, attrs in found.tags]


async def test_a_wish_is_made_and_taken_back(stage: Stage) -> None:
    fill(stage.folder)
    config = stage.folder / "c.toml"
    config.write_text('# mine\n[poll]\nlive = "30s" # often\n')
    answer = await do(stage, f"/wish/c1/{HYDRATE.id}", {"on": "1"})
    assert (answer.status_code, 'aria-pressed="true"' in answer.text) == (200, True)
    stage.settings = load(config, named=True).settings
    assert [(wish.channel, wish.item) for wish in stage.settings.wish] == [("c1", HYDRATE.id)]
    answer = await do(stage, f"/wish/c1/{HYDRATE.id}", {"on": "0"})
    assert 'aria-pressed="false"' in answer.text
    assert load(config, named=True).settings.wish == ()
    assert "# mine" in config.read_text()
    assert "# often" in config.read_text()
    assert (await do(stage, "/wish/c1/none", {"on": "1"})).status_code == 422


async def test_the_dialog_says_what_it_costs(stage: Stage) -> None:
    fill(stage.folder)
    found = await read(stage, f"/redeem/c1/{MAP.id}", hx_request="true", hx_target="dialog-body")
    text = " ".join(found.text.split())
    for said in (
        "You have1,845",
        "It costs1,500",
        "345 acorns",
        "It cannot be undone.",
        "Spend 1,500 acorns",
        "Map name",
    ):
        assert said in text
    assert "html" not in {tag for tag, _ in found.tags}, "a fragment"
    assert "html" in {tag for tag, _ in (await read(stage, f"/redeem/c1/{MAP.id}")).tags}
    await read(stage, "/redeem/c1/none", 404)


async def test_fc_45_redeem_asks_once_with_the_price_that_was_read(stage: Stage) -> None:
    fill(stage.folder)
    form = {"key": "k" * 16, "cost": "1500", "answer": "Dust", "message": "not taken"}
    answer = await do(stage, f"/redeem/c1/{MAP.id}", form)
    assert answer.status_code == 200
    assert f'hx-get="/redemption/{"k" * 16}"' in answer.text
    ((kind, login, data),) = stage.asked
    assert (kind, login) == ("redeem", "c1")
    assert data == {"key": "k" * 16, "item": MAP.id, "cost": 1500, "answers": ["Dust"], "message": "", "dry": False}


@pytest.mark.parametrize(
    "form",
    [
        {"key": "k" * 16, "cost": "1500"},
        {"key": "k" * 16, "cost": "1500", "answer": "  "},
        {"key": "k" * 16, "cost": "1500", "answer": "a\nb"},
        {"key": "", "cost": "1500", "answer": "Dust"},
        {"key": "../../x/yyyyyy", "cost": "1500", "answer": "Dust"},
        {"key": "k" * 16, "cost": "-1", "answer": "Dust"},
        {"key": "k" * 16, "cost": "1e9", "answer": "Dust"},
    ],
)
async def test_a_form_that_does_not_do_asks_for_nothing(stage: Stage, form: dict[str, str]) -> None:
    fill(stage.folder)
    assert (await do(stage, f"/redeem/c1/{MAP.id}", form)).status_code == 422
    assert stage.asked == []


@pytest.mark.parametrize(
    ("state", "more", "said"),
    [
        (State.CONFIRMED, {}, "being checked"),
        (State.SENT, {"sent_at": AT}, "sent"),
        (State.UNKNOWN, {"sent_at": AT}, "It is not sent again."),
        (State.REJECTED, {"reason": Reason.PRICE_CHANGED}, "the price is not the one that you confirmed"),
        (State.ACCEPTED, {"sent_at": AT, "settled_at": AT, "code": CODE}, "Redeemed"),
    ],
)
async def test_an_outcome_as_it_settles(stage: Stage, state: State, more: dict[str, object], said: str) -> None:
    fill(stage.folder)
    kept = Redemption("9" * 16, UserId("1"), Login("c1"), HYDRATE.id, 100, AT, name="Hydrate", state=state, **more)  # type: ignore[arg-type]
    database = Database(stage.folder / "allthepoints.db", AT)
    database.load()
    database.record((r.RedemptionKept(AT, kept),), AT)
    database.close()
    found = await read(stage, "/redemption/" + "9" * 16, hx_request="true")
    assert said.casefold() in found.text.casefold()
    asks_again = any(attrs.get("hx-get") for _, attrs in found.tags)
    assert asks_again is (state in (State.CONFIRMED, State.SENT, State.UNKNOWN))
    shown = [attrs.get("value") for _, attrs in found.tags if attrs.get("id") == "code"]
    assert shown == ([CODE] if state is State.ACCEPTED else [])
    assert "It takes it up in a moment." in (await read(stage, "/redemption/" + "8" * 16)).text


@pytest.mark.parametrize("path", [*PLACES, "/channel/c1?range=all", STORE])
async def test_fc_43_no_code_on_any_other_page(stage: Stage, path: str) -> None:
    fill(stage.folder)
    stage.tell([row(1)])
    assert CODE not in (await get(stage, path)).text


async def test_activity_is_narrowed(stage: Stage) -> None:
    fill(stage.folder)
    stage.tell([row(1)])
    assert "The service started." in (await read(stage, "/activity")).text
    chats = (await read(stage, "/activity?show=chats")).text
    assert "'s chat." in chats
    assert "The service started." not in chats
    assert "The service started." in (await read(stage, "/activity?show=service")).text
    assert "The service started." not in (await read(stage, "/activity?channel=c1")).text
    assert "No event of this kind" in (await read(stage, "/activity?channel=nobody")).text


def test_every_kind_of_event_is_in_one_group() -> None:
    groups = [kinds for _, kinds in pages.activity.GROUPS.values()]
    assert sum(map(len, groups)) == len(frozenset().union(*groups))
    assert {pages.activity.group_of(kind) for kind in EventKind} == {"chats", "points", "store", "service"}


async def test_channels_are_added_paused_resumed_removed(stage: Stage) -> None:
    fill(stage.folder)
    stage.tell([row(1)])
    config = stage.folder / "c.toml"

    async def after(path: str, form: dict[str, str] | None = None) -> Channels:
        answer = await do(stage, path, form)
        assert answer.status_code == 200, answer.text
        Read(answer.text)
        stage.settings = load(config, named=True).settings
        return stage.settings.channels

    assert (await after("/channels/add", {"name": "https://www.twitch.tv/New_One"})).include == ("new_one",)
    assert (await after("/channels/c1/pause")).paused == ("c1",)
    assert "Resume" in (await read(stage, "/settings")).text
    assert (await after("/channels/c1/resume")).paused == ()
    for login in ("c1", "new_one", "c2"):
        await after(f"/channels/{login}/priority", {"to": "first"})
    assert stage.settings.channels.priority == ("c2", "new_one", "c1")
    assert (await after("/channels/c1/priority", {"to": "up"})).priority == ("c2", "c1", "new_one")
    assert (await after("/channels/c2/priority", {"to": "down"})).priority == ("c1", "c2", "new_one")
    assert (await after("/channels/c1/priority", {"to": "up"})).priority == ("c1", "c2", "new_one")
    assert (await after("/channels/c2/priority", {"to": "off"})).priority == ("c1", "new_one")
    assert (await after("/channels/new_one/remove")).include == ()
    for path, form in (("/channels/add", {"name": "no such!"}), ("/channels/c1/priority", {"to": "moon"})):
        assert (await do(stage, path, form)).status_code == 422


async def test_a_wish_is_taken_back_from_the_settings(stage: Stage) -> None:
    config = stage.folder / "c.toml"
    config.write_text('[[wish]]\nchannel = "c1"\nitem = "A \\"thing\\""\n')
    stage.settings = load(config, named=True).settings
    assert 'A "thing"' in (await read(stage, "/settings")).text
    assert (await do(stage, "/unwish/c1", {"item": 'A "thing"'})).status_code == 200
    assert load(config, named=True).settings.wish == ()


async def test_a_test_message_tells_of_each_place(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await do(stage, "/notify/test")).status_code == 422, "not from here"

    async def tried() -> list[tuple[str, str | None]]:
        return [("ntfy", None), (HOSTILE, HOSTILE)]

    monkeypatch.setattr(stage.board, "try_notify", tried)
    found = Read((await do(stage, "/notify/test")).text)
    harmless(found)
    assert "ntfy: ● sent" in " ".join(found.text.split())
    assert "✕ not sent" in found.text


async def test_what_changed_is_pushed(stage: Stage) -> None:
    fill(stage.folder)
    stage.tell([row(1), row(2)])
    page = await get(stage, "/")
    since = re.search(r'sse-connect="([^"]+)"', page.text)
    assert since
    listening = Listening(stage.app, since[1])
    await turns()
    stage.board.happened(Event(AT, EventKind.PRESENT, UserId("1")), stage.tell([row(1), row(2)]))
    stage.tell([row(1, points=5000)], warnings=(worry(),))

    async def told() -> bool:
        return "event: row" in listening.said

    await until(told)
    events = listening.events()
    found = dict(events)
    await listening.hang_up()
    assert {"row", "alerts", "dot", "head", "health", "activity", "activity-chats", "activity-all-c1"} <= found.keys()
    rows = [html for name, html in events if name == "row"]
    assert rows[-1] == '<tr id="row-2" data-gone></tr>'
    assert 'id="row-1"' in rows[0]
    assert "5,000" in rows[0]


async def test_every_static_file_that_a_page_names_is_there(stage: Stage) -> None:
    fill(stage.folder)
    stage.tell([row(1)])
    for path in ("/", "/channel/c1"):
        for tag, attrs in (await read(stage, path)).tags:
            address = attrs.get("src") or (attrs.get("href") if tag == "link" else None)
            if address:
                assert (await get(stage, address)).status_code == 200


def test_what_is_vendored_is_what_it_says() -> None:
    import hashlib

    said = (STATIC / "vendor" / "VERSIONS.txt").read_text()
    for path in (STATIC / "vendor").glob("*.[jc]s*"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in said, path.name
    assert len(list((STATIC / "vendor").glob("LICENSE.*"))) == 3
