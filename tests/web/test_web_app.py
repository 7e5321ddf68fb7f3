"""Pages, JSON, metrics and errors, with nothing, one, many, and broken data."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from web_stage import AT, DAY, HOSTILE, HOUR, SAME, Stage, StubAction, StubPage, fill, get, post, row, worry

from allthepoints.base.errors import ConfigError, FaultError
from allthepoints.base.types import Login
from allthepoints.views.web.chart import MOST_POINTS, merged
from allthepoints.views.web.parts import NotFound
from allthepoints.views.web.render import fingerprint

pytestmark = pytest.mark.anyio

API = ("/api/status", "/api/points", "/api/redemptions", "/api/events")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


async def test_before_the_first_turn(stage: Stage) -> None:
    status = (await get(stage, "/api/status")).json()
    assert status["running"] is True
    assert status["channels"] == []
    assert [(await get(stage, path)).json() for path in API[1:]] == [[], [], []]
    answer = await get(stage, "/healthz")
    assert (answer.status_code, answer.text) == (503, "not ok\n")
    assert (await get(stage, "/poll?since=x")).status_code == 204
    assert (await get(stage, "/metrics")).status_code == 200


async def test_fc_43_api_is_the_contract_and_has_no_secret(stage: Stage) -> None:
    fill(stage.folder)
    stage.tell([row(2, state="waiting", reason="no_slot"), row(1)], warnings=(worry(),))
    status = (await get(stage, "/api/status")).json()
    assert status["account"] == {"login": "me", "user_id": "9"}
    assert status["chat"] == {"connections": 2, "wanted": 2, "present": 1, "waiting": 1, "refused": 0}
    assert status["helix"] == {"remaining": 700, "limit": 800}
    assert [channel["login"] for channel in status["channels"]] == ["c1", "c2"]
    assert set(status["channels"][0]) == {
        *("login", "id", "live", "state", "reason", "since", "points", "rate_per_hour", "verdict"),
    }
    assert status["warnings"][0]["since"] == "2026-11-25T20:59:00.000Z"
    (points,) = (await get(stage, "/api/points")).json()
    assert (points["channel"], points["points"], points["currency"]) == ("c1", 1845, "acorns")
    store = (await get(stage, "/api/store/c1")).json()
    assert [(item["name"], item["affordable"]) for item in store] == [("Hydrate", True), (HOSTILE, True)]
    (redemption,) = (await get(stage, "/api/redemptions?channel=C1&limit=5")).json()
    assert (redemption["state"], redemption["cost"], "access_code" in redemption) == ("accepted", 100, False)
    events = (await get(stage, "/api/events?kind=present")).json()
    assert [event["kind"] for event in events] == ["present"]
    assert (await get(stage, f"/api/events?since={events[0]['id']}")).json() == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/none", 404),
        ("/api/store/nobody", 404),
        ("/api/store/%3Cscript%3E", 404),
        ("/api/chart/c1?range=century", 400),
        ("/api/events?limit=many", 400),
        ("/api/events?limit=-1", 400),
        ("/api/events?since=9999999999999999999999", 400),
        ("/api/redemptions?channel=nobody", 404),
    ],
)
async def test_what_the_api_cannot_answer(stage: Stage, path: str, status: int) -> None:
    fill(stage.folder)
    answer = await get(stage, path)
    assert (answer.status_code, answer.headers["content-type"], list(answer.json())) == (
        status,
        "application/json",
        ["error"],
    )


async def test_a_database_that_is_none(stage: Stage) -> None:
    (stage.folder / "allthepoints.db").write_bytes(b"garbage" * 2000)
    stage.tell([row(1)])
    for path in (*API[1:], "/api/store/c1", "/api/chart/c1", "/metrics"):
        assert (await get(stage, path)).status_code == 503, path
    assert (await get(stage, "/api/status")).status_code == 200
    assert (await get(stage, "/healthz")).status_code == 200


async def test_fc_44_a_chart_has_at_most_2_000_points(stage: Stage) -> None:
    fill(stage.folder)
    for span, begin in (("7d", AT - 7 * DAY), ("30d", AT - 30 * DAY), ("all", AT - 6 * DAY)):
        chart = (await get(stage, f"/api/chart/c1?range={span}")).json()
        assert (chart["range"], chart["begin"], chart["end"]) == (span, begin, AT)
        assert 900 < len(chart["points"]) <= MOST_POINTS
        assert chart["points"] == sorted(chart["points"])
        assert chart["points"][-1][1] == 1000 + 5 * 999
        assert chart["presence"] == [[AT - HOUR, None]], "one stay, over two connections"
        assert chart["live"] == [[AT - HOUR, None, HOSTILE]]
        assert chart["bought"] == [[AT - HOUR, 100, "Hydrate"]]
    assert (await get(stage, "/api/chart/c1?range=today")).json()["begin"] > AT - DAY


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        ([], []),
        ([(5.0, 7.0), (1.0, 2.0)], [(1.0, 2.0), (5.0, 7.0)]),
        ([(1.0, 3.0), (2.0, 5.0)], [(1.0, 5.0)]),
        ([(1.0, 9.0), (2.0, 5.0)], [(1.0, 9.0)]),
        ([(1.0, None), (2.0, 5.0)], [(1.0, None)]),
        ([(1.0, 3.0), (3.0, None)], [(1.0, None)]),
    ],
)
def test_bands(bands: list[tuple[float, float | None]], expected: list[tuple[float, float | None]]) -> None:
    assert merged(bands) == expected


async def test_metrics(stage: Stage) -> None:
    fill(stage.folder)
    stage.tell([row(1), row(2, state="waiting"), row(3, state="absent", live=False, points=None)], warnings=(worry(),))
    answer = await get(stage, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert found["allthepoints_rooms", "present"] == 1
    assert found["allthepoints_rooms", "refused"] == 0
    assert found["allthepoints_channel_points", "c2"] == 1002
    assert ("allthepoints_channel_points", "c3") not in found
    assert found["allthepoints_helix_points_remaining",] == 700
    assert found["allthepoints_redemptions", "accepted"] == 1
    assert found["allthepoints_warnings", "warning"] == 1
    assert found["allthepoints_signed_in",] == 1
    assert found["allthepoints_tasks",] >= 1
    if sys.platform == "linux":
        assert found["process_resident_memory_bytes",] > 1e6
    assert any(name[0] == "allthepoints_build_info" for name in found)


async def test_metrics_of_very_many_channels_are_bounded(stage: Stage) -> None:
    stage.tell([row(n) for n in range(1, 2001)])
    text = (await get(stage, "/metrics")).text
    assert text.count("allthepoints_channel_points{") == 300
    assert 'login="c2000"' in text, "those with the most points"


async def test_health(stage: Stage) -> None:
    async def check(status: int) -> None:
        assert (await get(stage, "/healthz")).status_code == status

    stage.tell([row(1)], warnings=(worry(severity="warning"),))
    await check(200)
    stage.tell([row(1)], warnings=(worry("sign_in_needed", "error"),))
    await check(503)
    stage.tell([row(1)])
    await check(200)
    stage.clock.advance(200)
    await check(503)


async def test_pages_escape_what_strangers_wrote(stage: Stage) -> None:
    answer = await get(stage, "/stub/alpha")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "{{7*7}}" in answer.text


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (NotFound("no such channel"), 404, "no such channel"),
        (FaultError("the disk is full", "Free some."), 503, "the disk is full"),
        (ValueError("odd"), 400, "odd"),
        (RuntimeError("S3CRET in a trace"), 500, "log file"),
    ],
)
async def test_error_pages_show_no_trace(
    stage: Stage, error: Exception, status: int, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage.build(page=StubPage(fails=error))
    with caplog.at_level(logging.ERROR):
        answer = await get(stage, "/stub/alpha")
    assert (answer.status_code, text in answer.text) == (status, True)
    assert "Traceback" not in answer.text
    assert "S3CRET" not in answer.text
    assert ("S3CRET" in caplog.text) is (status == 500)
    assert answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (ValueError("that is <no> channel"), 422, "that is &lt;no&gt; channel"),
        (ConfigError("cannot be written", "Look at it."), 422, "cannot be written Look at it."),
        (FaultError("no disk"), 503, "no disk"),
        (RuntimeError("S3CRET"), 500, "log file"),
    ],
)
async def test_actions_that_fail(stage: Stage, error: Exception, status: int, text: str) -> None:
    stage.build(action=StubAction(fails=error))
    answer = await post(stage, "/act/alpha", stage.token(), {**SAME, "hx-request": "true"})
    assert (answer.status_code, text in answer.text) == (status, True)


async def test_no_such_page(stage: Stage) -> None:
    answer = await get(stage, "/none/at/all")
    assert (answer.status_code, "<h1>" in answer.text) == (404, True)
    assert (await get(stage, "/act/alpha")).status_code == 405
    assert (await get(stage, "/" + "a" * 5000)).status_code == 414


async def test_static_files_are_kept_for_ever(stage: Stage) -> None:
    mark = fingerprint("vendor/htmx.min.js")
    answer = await get(stage, f"/static/{mark}/vendor/htmx.min.js")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    for path in (f"/static/{mark}/app.py", "/static/000000000000/vendor/htmx.min.js", f"/static/{mark}/../app.py"):
        assert (await get(stage, path)).status_code == 404


async def test_head(stage: Stage) -> None:
    async with stage.client() as client:
        answer = await client.head("/stub/a")
    assert answer.status_code == 200


async def test_every_asked_thing_is_json_of_plain_values(stage: Stage) -> None:
    fill(stage.folder)
    stage.tell([row(1)])
    for path in (*API, "/api/store/c1", "/api/chart/c1"):
        text = (await get(stage, path)).text
        assert json.loads(text) is not None
        assert "Secret" not in text
    assert stage.asked == []
    assert Login("c1") in text
