"""The dashboard's pages with nothing, one, many, and with names that mean harm."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import apsw
import httpx2
import pytest
from web_stage import AT, CODE, HOSTILE, HYDRATE, MAP, SAME, Listening, Stage, fill, get, post, row, turns, until, worry

from allthepoints.base.types import ItemId, Login, UserId
from allthepoints.config.load import load
from allthepoints.config.settings import Channels, Settings, Wish
from allthepoints.core import records as r
from allthepoints.core.alerts import DEFAULTS
from allthepoints.core.records import Event, EventKind
from allthepoints.core.redeem import Reason, Redemption, State
from allthepoints.service.snapshot import Vitals
from allthepoints.storage import read as reading
from allthepoints.storage.database import Database
from allthepoints.views.channels import FILTERS, passes
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


def begun(stage: Stage, topic: str) -> Callable[[], Awaitable[bool]]:
    """Whether it is known how a page of this topic looks to who listens."""

    async def look() -> bool:
        return topic in pages.pushed.topics(stage.board).seen

    return look


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


@pytest.mark.parametrize("path", [STORE, "/channel/c1"])
async def test_a_price_that_changed_is_told(stage: Stage, path: str) -> None:
    fill(stage.folder)
    stage.tell([row(1)])
    database = Database(stage.folder / "allthepoints.db", AT)
    database.load()
    database.record((r.ItemKnown(AT - 60, UserId("1"), replace(HYDRATE, cost=80)),), AT)
    database.close()
    found = await read(stage, path)
    assert "was 100 until 20:59" in " ".join(found.text.split())
    assert ("svg", "Price: 100, then 80") in [(tag, attrs.get("aria-label")) for tag, attrs in found.tags]


async def test_where_nothing_can_be_had_it_is_told_what_comes_first(stage: Stage) -> None:
    fill(stage.folder)
    database = Database(stage.folder / "allthepoints.db", AT)
    database.load()
    database.record(
        tuple(
            r.ItemKnown(AT - 60, UserId("1"), replace(item, cost=cost))
            for item, cost in ((HYDRATE, 8_000), (MAP, 9_000))
        ),
        AT,
        channel_rows=(row(1),),
    )
    database.close()
    stage.tell([row(1)])
    text = " ".join((await read(stage, "/store?show=affordable")).text.split())
    assert re.search(r"Nothing can be had now\. First comes Hydrate in .*'s store, in about \d+ d \d+ h\.", text)
    none = " ".join((await read(stage, "/store?show=affordable&q=nosuch")).text.split())
    assert "First comes" not in none


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
        "You have read 2 min ago1,845",
        "It costs read 3 min ago1,500",
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
    listening = Listening(stage.app, unescape(since[1]))
    await until(begun(stage, "now"))
    stage.board.happened(Event(AT, EventKind.PRESENT, UserId("1")), stage.tell([row(1), row(2)]))
    stage.tell([row(1, points=5000)], warnings=(worry(),))

    async def told() -> bool:
        return "event: row" in listening.said

    await until(told)
    events = listening.events()
    found = dict(events)
    await listening.hang_up()
    assert found.keys() == {"row", "alerts", "dot", "head", "sentence", "version"}
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


async def pushed_to(stage: Stage, path: str, topic: str, happen: Callable[[], object]) -> list[tuple[str, str]]:
    """What the page at `path` is told once it listens and this has happened."""
    page = await get(stage, path)
    assert page.status_code == 200, page.text
    since = re.search(r'sse-connect="([^"]+)"', page.text)
    assert since
    listening = Listening(stage.app, unescape(since[1]))
    await until(begun(stage, topic))
    await turns()
    happen()

    async def told() -> bool:
        return "event: version" in listening.said

    await until(told)
    await listening.hang_up()
    return listening.events()


def remember(stage: Stage, *records: r.Record) -> None:
    database = Database(stage.folder / "allthepoints.db", AT)
    database.load()
    database.record(records, AT)
    database.close()


ASKED = Vitals(elements_asked=True)
"""StreamElements owes an answer."""


async def test_a_channels_page_is_told_of_its_own_parts_alone(stage: Stage) -> None:
    fill(stage.folder)
    stage.tell([row(1), row(2)])

    def happen() -> None:
        stage.tell([row(1, points=2000, verdict="flat", causes=("never_typed",)), row(2)])

    told = await pushed_to(stage, "/channel/c1", "channel/c1", happen)
    parts = [html for name, html in told if name == "part"]
    assert any('id="sums"' in html and "2,000" in html for html in parts)
    assert any('id="verdict"' in html and "In the chat, and nothing comes" in html for html in parts)
    assert ("chart", "c1") in told
    assert {name for name, _ in told} == {"part", "chart", "version"}, "its store and its sessions are as they were"
    for html in parts:
        harmless(Read(html))


async def test_another_channels_news_are_none(stage: Stage) -> None:
    fill(stage.folder)
    stage.tell([row(1), row(2)])

    def happen() -> None:
        stage.tell([row(1), row(2, points=9)])
        stage.tell([row(1, points=3), row(2, points=9)])

    told = await pushed_to(stage, "/channel/c1", "channel/c1", happen)
    assert "c2" not in str(told)


async def test_the_store_is_told_of_the_item_that_changed(stage: Stage) -> None:
    fill(stage.folder)
    stage.tell([row(1)], vitals=ASKED)

    def happen() -> None:
        remember(stage, r.ItemKnown(AT, UserId("1"), replace(MAP, stock=2)))
        stage.tell([row(1)])

    told = await pushed_to(stage, "/store", "store", happen)
    assert [name for name, _ in told] == ["part", "version"]
    assert f'id="item-c1-{MAP.id}"' in told[0][1]
    harmless(Read(told[0][1]))


async def test_a_store_with_another_item_is_got_anew(stage: Stage) -> None:
    fill(stage.folder)
    stage.tell([row(1)], vitals=ASKED)

    def happen() -> None:
        remember(stage, r.ItemKnown(AT, UserId("1"), replace(MAP, id=ItemId("f" * 24), name="New")))
        stage.tell([row(1)])

    told = await pushed_to(stage, "/store?channel=c1", "store", happen)
    assert ("stale", "items") in told


async def test_the_settings_are_told_of_a_channel_and_of_the_order(stage: Stage) -> None:
    fill(stage.folder)
    config = stage.folder / "c.toml"
    config.write_text("")
    stage.tell([row(1), row(2)])

    def happen() -> None:
        config.write_text('[channels]\npriority = ["c2"]\n')
        stage.settings = load(config, named=True).settings
        stage.tell([row(1, state="refused", reason="banned"), row(2)])

    told = await pushed_to(stage, "/settings", "settings", happen)
    parts = "".join(html for name, html in told if name == "part")
    assert 'id="meant-c1"' in parts
    assert "you are banned" in parts
    assert 'id="priority"' in parts
    assert 'id="wishes"' not in parts


async def test_the_page_of_a_channel_has_the_sums_of_its_days(stage: Stage) -> None:
    fill(stage.folder)
    remember(stage, *(r.LedgerEntry(AT - days * 86_400, UserId("1"), r.Change.EARNED, 7, 1) for days in (20, 40)))
    stage.tell([row(1)])
    text = (await read(stage, "/channel/c1")).text
    assert "+4,995 in 7 days" in text
    assert "+5,002 in 30 days" in text


WISHED = '[[wish]]\nchannel = "c1"\nitem = "Hydrate"\n'


@pytest.mark.parametrize(("before", "after"), [("", WISHED), (WISHED, ""), (WISHED, "[["), ("[[", WISHED)])
async def test_a_config_saved_between_page_and_stream_is_told(stage: Stage, before: str, after: str) -> None:
    """The service takes the file up later, or never: it is not told here at all."""
    fill(stage.folder)
    config = stage.folder / "c.toml"
    config.write_text(before)
    stage.tell([row(1)])
    page = await get(stage, "/settings")
    assert ("unwish-" in page.text) is (before == WISHED)
    since = re.search(r"since=([^\"&]+)", page.text)
    assert since is not None
    config.write_text(after)
    listening = Listening(stage.app, f"/events?of=settings&since={since[1]}")

    async def told() -> bool:
        return 'id="wishes"' in listening.said

    await until(told)
    assert ("unwish-" in listening.said) is (after == WISHED)
    await listening.hang_up()


async def test_health_is_told_of_the_part_that_changed(stage: Stage) -> None:
    stage.tell([row(1)])
    told = await pushed_to(stage, "/health", "health", lambda: stage.tell([row(1)], vitals=Vitals(joins=7)))
    assert [name for name, _ in told] == ["part", "version"]
    assert 'id="health-budgets"' in told[0][1]
    assert "7 of 20" in told[0][1]


async def test_a_row_that_changed_brings_nothing_else(stage: Stage) -> None:
    fill(stage.folder)
    second = row(2)
    stage.tell([row(1), second])
    told = await pushed_to(stage, "/", "now", lambda: stage.tell([row(1, title="another"), second]))
    assert [name for name, _ in told] == ["row", "version"]


async def test_who_was_away_is_told_that_lists_are_old(stage: Stage) -> None:
    fill(stage.folder)
    stage.tell([row(1)])
    listening = Listening(stage.app, "/events?of=store&since=other.7")

    async def told() -> bool:
        return "event: version" in listening.said

    await until(told)
    await listening.hang_up()
    assert {name for name, _ in listening.events()} == {"dot", "stale", "trouble", "version"}


@pytest.mark.parametrize("topic", ["", "x", "channel/", "channel/%22%3E", "channel/nobody", "now/x", "x" * 3000])
async def test_odd_topics_are_told_nothing_of_note(stage: Stage, topic: str) -> None:
    fill(stage.folder)
    before = stage.tell([row(1)]) and stage.board.version
    stage.tell([row(1, points=5)])
    answer = await get(stage, f"/poll?of={topic}&since={before}")
    assert answer.status_code == 200
    assert "acorns" not in answer.text


# -- a memory that cannot be read ------------------------------------------------------------------------------------
def damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(bytes(data))


def no_database(path: Path) -> None:
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 40)


def missing(path: Path) -> None:
    path.unlink()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def newer(path: Path) -> None:
    db = apsw.Connection(str(path))
    db.execute("PRAGMA user_version = 900")
    db.close()


def older(path: Path) -> None:
    db = apsw.Connection(str(path))
    db.execute("PRAGMA user_version = 1")
    db.close()


def nonsense(path: Path) -> None:
    db = apsw.Connection(str(path))
    db.execute("PRAGMA ignore_check_constraints = 1")
    db.execute("UPDATE items SET asks = '{'")
    db.execute("UPDATE events SET data = 'no JSON'")
    db.execute("UPDATE redemptions SET state = 'odd', answers = '['")
    db.close()


def locked(path: Path) -> None:
    db = apsw.Connection(str(path))
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("BEGIN EXCLUSIVE")
    LOCKS.append(db)


LOCKS: list[apsw.Connection] = []

BREAKS = (damaged, no_database, missing, a_folder, newer, older, nonsense, locked)
READING = (*PLACES, "/channel/c1?range=all", STORE, f"/redeem/c1/{MAP.id}", "/redemption/" + "9" * 16)


@pytest.fixture
def broken(stage: Stage, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A service that runs, and whose database was broken after its start."""
    monkeypatch.setattr(reading, "BUSY_MS", 1)
    fill(stage.folder)
    (stage.folder / "c.toml").write_text("")
    request.param(stage.folder / "allthepoints.db")
    stage.tell([row(1)])
    yield stage
    while LOCKS:
        LOCKS.pop().close()


@pytest.mark.parametrize("broken", BREAKS, indirect=True)
@pytest.mark.parametrize("path", READING)
async def test_with_a_broken_database_every_page_is_designed(broken: Stage, path: str) -> None:
    answer = await get(broken, path)
    assert answer.status_code in (200, 404, 503), answer.text[:500]
    found = Read(answer.text)
    harmless(found)
    text = " ".join(found.text.split())
    assert "Something went wrong here" not in text
    if answer.status_code == 503:
        assert "This cannot be shown now" in text
        assert "Chats do not depend on it: In 1 of 1 live chat" in text
        assert {"nav", "main", "h1", "footer"} <= {tag for tag, _ in found.tags}
    dialog = await get(broken, path, {"hx-request": "true", "hx-target": "dialog-body"})
    assert dialog.status_code == answer.status_code
    if answer.status_code == 503:
        assert dialog.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("broken", [damaged, no_database, a_folder, newer, locked], indirect=True)
async def test_with_a_broken_database_now_still_says_where_you_are_and_what_to_do(broken: Stage) -> None:
    text = " ".join((await read(broken, "/")).text.split())
    assert "● present" in text
    assert "1,001" in text
    assert "What was remembered cannot be read" in text
    assert "allthepoints.db" in text
    text = " ".join((await read(broken, "/settings")).text.split())
    assert "What was remembered cannot be read" in text
    assert "C1" in text


@pytest.mark.parametrize("broken", BREAKS, indirect=True)
@pytest.mark.parametrize("topic", ["now", "store", "channel/c1", "activity", "health", "settings", ""])
async def test_with_a_broken_database_who_polls_is_told(broken: Stage, topic: str) -> None:
    before = broken.board.version
    broken.tell([row(1, points=7777)])
    answer = await get(broken, f"/poll?of={topic}&since={before}")
    assert answer.status_code == 200
    told = dict(answer.json()["fragments"])
    if topic == "now":
        assert "7,777" in told["row"]


async def test_it_is_told_when_the_memory_can_be_read_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(stage.folder)
    path = stage.folder / "allthepoints.db"
    path.rename(stage.folder / "aside")
    path.mkdir()
    stage.tell([row(1)])
    assert "is a folder" in (await read(stage, "/")).text

    def mend() -> None:
        path.rmdir()
        (stage.folder / "aside").rename(path)
        stage.tell([row(1, points=1)])

    told = dict(await pushed_to(stage, "/", "now", mend))
    assert told["trouble"].strip() == ""
    assert "+" in told["head"], "what was earned is known again"


# -- what every face tells alike -------------------------------------------------------------------------------------
async def test_every_face_tells_the_same_warnings(stage: Stage) -> None:
    stage.notified = {"places": [{"name": "ntfy", "error": "it answered 404", "since": AT - 60, "lost": 2}]}
    stage.tell([row(1)], warnings=(worry("jwt_expired"),))
    told = (await get(stage, "/api/status")).json()["warnings"]
    assert [warning["code"] for warning in told] == ["jwt_expired", "notify_failing"]
    assert "2 of them were let go so far" in told[1]["text"]
    for path in ("/", "/health"):
        assert "Notifications to ntfy do not get through" in (await read(stage, path)).text
    before = stage.board.version
    stage.notified = {"places": [{"name": "ntfy", "error": None}]}
    stage.tell([row(1)], warnings=(worry("jwt_expired"),))
    assert stage.board.version != before
    assert len((await get(stage, "/api/status")).json()["warnings"]) == 1


async def test_alerts_lead_to_whom_they_are_about(stage: Stage) -> None:
    rows = [row(1), row(2, state="refused", reason="banned"), row(3, state="waiting", reason="no_slot")]
    stage.tell(rows, warnings=(worry("channels_refused", "info"), worry("waiting_for_rooms"), worry("jwt_expired")))
    found = await read(stage, "/")
    links = {attrs["href"] for tag, attrs in found.tags if tag == "a"}
    assert {"/?show=closed#row-2", "/?show=waiting#row-3", "/health#health-signs"} <= links
    assert {"row-2", "row-3"} <= set(found.ids())


async def test_the_table_is_narrowed_as_every_face_narrows_it(stage: Stage) -> None:
    states, verdicts = ("present", "asked", "leaving", "waiting", "refused", "absent"), ("earning", "early", "flat")
    cases = product(states, (*verdicts, "not_offered", "unknown"), (True, False, None))
    rows = [row(number, state=state, verdict=verdict, live=live) for number, (state, verdict, live) in enumerate(cases)]
    stage.tell(rows)
    found = await read(stage, "/?show=all")
    tags = {attrs["id"]: (attrs["data-tags"] or "").split() for tag, attrs in found.tags if "data-tags" in attrs}
    for one in rows:
        assert tags[f"row-{one.id}"] == [key for key, _ in FILTERS if key != "all" and passes(one, key)], one
    for key, words in FILTERS:
        assert f"{words} {sum(passes(one, key) for one in rows)}" in " ".join(found.text.split())


async def test_what_is_live_and_not_meant_is_explained(stage: Stage) -> None:
    left_out = [row(n, state="absent", reason=why) for n, why in ((2, "paused"), (3, "rerun"), (4, "rerun"))]
    stage.tell([row(1), *left_out])
    text = " ".join((await read(stage, "/")).text.split())
    assert "In 1 of 1 live chat" in text
    assert "Live4of these, 2 showing a re-run, 1 paused by you" in text
    assert "Accountme" in text


async def test_the_table_is_sorted_by_verdict(stage: Stage) -> None:
    rows = [row(1), row(2, verdict="flat"), row(3, verdict="early"), row(4, state="waiting", verdict="unknown")]
    stage.tell(rows)
    found = await read(stage, "/?sort=verdict")
    order = [attrs["id"] for tag, attrs in found.tags if tag == "tr" and (attrs.get("id") or "").startswith("row-")]
    assert order == ["row-2", "row-3", "row-1", "row-4"]
    assert [attrs.get("aria-sort") for _, attrs in found.tags if "aria-sort" in attrs] == ["ascending"]


async def test_the_bounds_of_a_wish_do_not_go_unseen(stage: Stage) -> None:
    fill(stage.folder)
    config = stage.folder / "c.toml"
    config.write_text('[[wish]]\nchannel = "c1"\nitem = "Hydrate"\nauto = true\nmax_cost = 150\n')
    stage.settings = load(config, named=True).settings
    star = next(attrs for _, attrs in (await read(stage, STORE)).tags if attrs.get("id") == f"wish-c1-{HYDRATE.id}")
    assert "up to 150 each, 1 in all" in (star["hx-confirm"] or "")
    assert (await do(stage, f"/wish/c1/{HYDRATE.id}", {"on": "0"})).status_code == 422
    assert "max_cost = 150" in config.read_text()
    assert (await do(stage, f"/wish/c1/{HYDRATE.id}", {"on": "0", "sure": "1"})).status_code == 200
    assert load(config, named=True).settings.wish == ()


@pytest.mark.parametrize(
    ("form", "wish"),
    [
        ({"auto": "1", "max_cost": "1,500", "keep": "20", "sure": "1"}, {"auto": True, "max_cost": 1500, "keep": 20}),
        ({"auto": "1", "max_cost": "150", "per_day": "300", "count": "2", "sure": "1"}, {"per_day": 300, "count": 2}),
        ({"max_cost": "150"}, {"auto": False, "max_cost": None}),
        ({"auto": "1", "max_cost": "150"}, None),
        ({"auto": "1", "sure": "1"}, None),
        ({"auto": "1", "max_cost": "a lot", "sure": "1"}, None),
        ({"auto": "1", "max_cost": "-1", "sure": "1"}, None),
        ({"auto": "1", "max_cost": "9999999999", "sure": "1"}, None),
    ],
)
async def test_bounds_of_a_wish(stage: Stage, form: dict[str, str], wish: dict[str, object] | None) -> None:
    config = stage.folder / "c.toml"
    config.write_text('[[wish]]\nchannel = "c1"\nitem = "Hydrate" # mine\n')
    before = config.read_text()
    answer = await do(stage, "/wishes/c1/bounds", {**form, "item": "Hydrate"})
    if wish is None:
        assert (answer.status_code, config.read_text(), stage.asked) == (422, before, [])
        return
    assert answer.status_code == 200, answer.text
    (made,) = load(config, named=True).settings.wish
    assert {key: getattr(made, key) for key in wish} == wish
    assert "# mine" in config.read_text()
    assert stage.asked == ([("allow_auto", None, {"allowed": True})] if made.auto else [])
    assert (await do(stage, "/wishes/c1/bounds", {**form, "item": "Another"})).status_code == 422


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"event": "live\ntrouble"}, ("live", "trouble")),
        ({"event": "\n".join(sorted(DEFAULTS))}, ()),
        ({"event": ""}, None),
        ({"event": "nonsense"}, None),
        ({"event": "live", "quiet_from": "23:00"}, None),
        ({"event": "live", "quiet_from": "23:00", "quiet_to": "23:00"}, None),
        ({"event": "live", "quiet_from": "25:00", "quiet_to": "07:00"}, None),
        ({"event": "live", "digest": "soon"}, None),
    ],
)
async def test_what_is_notified(stage: Stage, form: dict[str, str], said: tuple[str, ...] | None) -> None:
    config = stage.folder / "c.toml"
    config.write_text('[notify] # mine\nurls = ["ntfy://secret-topic"]\ndigest = "08:00"\n')
    before = config.read_text()
    assert "secret-topic" not in (await get(stage, "/settings")).text
    answer = await do(stage, "/notify", {"quiet_from": "", "quiet_to": "", "digest": "09:00", **form})
    if said is None:
        assert (answer.status_code, config.read_text()) == (422, before)
        return
    notify = load(config, named=True).settings.notify
    assert (answer.status_code, notify.events, notify.quiet_hours, notify.digest) == (200, said, "", "09:00")
    assert "# mine" in config.read_text()
    assert len(notify.urls) == 1


async def test_the_list_is_fresh_after_prefer(stage: Stage) -> None:
    fill(stage.folder)
    stage.tell([row(1), row(2)])
    answer = await do(stage, "/channels/c2/priority", {"to": "first"})
    found = Read(answer.text)
    harmless(found)
    assert 'id="meant" hx-swap-oob="innerHTML"' in answer.text
    assert "place 1" in found.text
    assert "prefer-c2" not in found.ids()
    assert {"up-c2", "prefer-c1"} <= set(found.ids())


async def test_who_is_named_in_the_config_is_called_as_twitch_shows_them(stage: Stage) -> None:
    config = stage.folder / "c.toml"
    config.write_text('[channels]\npriority = ["c2", "c9"]\n[[wish]]\nchannel = "c1"\nitem = "Hydrate"\n')
    stage.settings = load(config, named=True).settings
    stage.tell([row(1), row(2)])
    text = " ".join((await read(stage, "/settings")).text.split())
    assert "C2 Up C2 Down C2 Take off C2 c9 Up c9" in text, "of c9 the login is all that is known"
    assert "Hydrate C1 the store was not read yet" in text
