"""`notify test`, what `status` says of a place that is dead, and notifications of the real service."""

from __future__ import annotations

import json
import queue
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cli_home import AT, SERVICE, Atp
from processes import read_until, started
from sandbox_thread import RunningSandbox, running_sandbox

from allthepoints.base.clock import Stopwatch, pause
from allthepoints.cli import here as here_module
from allthepoints.sim.scenario import ChannelPlan, Scenario
from allthepoints.storage.database import Database
from allthepoints.storage.lock import acquire


class Places:
    """Places on loopback: each path answers its own number as a status."""

    def __init__(self, port: int, taken: queue.Queue[dict[str, Any]]) -> None:
        self.port = port
        self.taken = taken

    def url(self, status: int) -> str:
        return f"json://127.0.0.1:{self.port}/{status}/CANARY"


@pytest.fixture
def places() -> Iterator[Places]:
    taken: queue.Queue[dict[str, Any]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status := int(self.path.split("/")[1]))
            if status == 429:
                self.send_header("Retry-After", "7")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Places(server.server_port, taken)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module", autouse=True)
def _apprise() -> None:
    """Loaded beforehand: some of what it loads itself is deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import apprise

        apprise.Apprise.instantiate("json://127.0.0.1")


def configure(config: Path, *urls: str, more: str = "") -> None:
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(f"{more}[notify]\nurls = {json.dumps(urls)}\n", encoding="utf-8")


def test_fc_25_notify_test_reports_place_by_place(atp: Atp, config: Path, places: Places) -> None:
    configure(config, places.url(200), places.url(404), "CANARY-nonsense", places.url(503), places.url(429))
    result = atp("notify", "test")
    assert (result.code, result.err) == (1, "")
    assert result.out.splitlines() == [
        "json #1: ok",
        "json #2: not sent: there is nothing at its address any more (HTTP 404)",
        "address #3: not sent: Apprise knows no service with such an address",
        "json #4: not sent: it has trouble of its own (HTTP 503)",
        "json #5: not sent: it asks to wait 7 s (HTTP 429)",
    ]
    assert places.taken.get(timeout=60)["title"] == "Test"


def test_all_is_well(atp: Atp, config: Path, places: Places) -> None:
    configure(config, places.url(200))
    assert (atp("notify", "test").code, atp("notify", "test").out) == (0, "json #1: ok\n")


def test_as_json(atp: Atp, config: Path, places: Places) -> None:
    configure(config, places.url(200), places.url(400))
    result = atp("notify", "test", "--json")
    assert (result.code, json.loads(result.out)) == (
        1,
        [
            {"name": "json #1", "ok": True, "error": None},
            {"name": "json #2", "ok": False, "error": "it refuses the message (HTTP 400)"},
        ],
    )
    assert "CANARY" not in result.out + result.err


def test_nobody_to_notify(atp: Atp) -> None:
    result = atp("notify", "test")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: there is nobody to notify\n\nhint: ")


# -- status ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def dead_place(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(here_module.Here, "now", lambda self: AT + 30)
    data = home / "data"
    data.mkdir()
    state = {
        "places": [
            {"name": "json #1", "error": None, "since": None, "lost": 0},
            {"name": "tgram #2", "error": "there is nothing at its address any more", "since": AT - 90, "lost": 3},
        ],
        "desk": {},
    }
    database = Database(data / "allthepoints.db", AT)
    database.record((), AT, service={**SERVICE, "notify": state})
    database.close()
    with acquire(data / "allthepoints.lock"):
        yield data


def test_fc_25_status_tells_the_last_error_of_a_place(atp: Atp, dead_place: Path) -> None:
    assert (
        "warning: Notifications to tgram #2 do not get through (for 2 min). there is nothing at its address any more. "
        "3 of them were let go so far. Points go on. `allthepoints notify test` tries it again."
    ) in atp("status").out
    told = json.loads(atp("status", "--json").out)["warnings"]
    assert [(w["code"], w["severity"]) for w in told] == [("channels_refused", "info"), ("notify_failing", "warning")]


# -- the real service ------------------------------------------------------------------------------------------------
@pytest.fixture
def box(home: Path, config: Path) -> Iterator[RunningSandbox]:
    """Nobody is signed in, which is urgent news."""
    with running_sandbox(Scenario(channels=(ChannelPlan("alpha"),))) as running:
        yield running


DARK = '[dashboard]\nlisten = ""\n'


@contextmanager
def service(text: str) -> Iterator[Any]:
    with started("run") as process:
        read_until(process, text)
        yield process
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


REFUSED = "notifications to json #2 do not get through"


def written(home: Path) -> str:
    """All that stands in the data folder."""
    return "".join(file.read_bytes().decode("latin-1") for file in (home / "data").rglob("*") if file.is_file())


def wait_until(done: Callable[[], bool]) -> None:
    watch = Stopwatch()
    while not done():
        assert watch.elapsed() < 60
        pause(0.05)


def told_of_sign_in(places: Places) -> bool:
    return "allthepoints login" in places.taken.get(timeout=60)["message"]


def test_the_service_tells_what_is_urgent_at_once_and_once(
    box: RunningSandbox, home: Path, config: Path, places: Places
) -> None:
    configure(config, places.url(200), places.url(404), more=box.config + DARK)
    with service("Not signed in"):
        assert told_of_sign_in(places)
        assert told_of_sign_in(places), "to the other place too, which refuses it"
        wait_until(lambda: REFUSED in written(home))  # a stop waits for no answer of a place
    with service("Not signed in"):
        pass
    assert places.taken.empty(), "FC-22: it was told before the restart"
    assert "CANARY" not in written(home)


def test_a_changed_config_names_a_place(box: RunningSandbox, config: Path, places: Places) -> None:
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(box.config + DARK)
    with service("Not signed in"):
        configure(config, places.url(200), more=box.config + DARK)
        assert told_of_sign_in(places)
