"""The real command, and a sandbox in a process of its own that it talks to: real time, loopback, nothing in common.

Everything that is started here is ended here, by its process id.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from allthepoints.base.clock import Stopwatch, pause
from allthepoints.cli.here import Here
from allthepoints.cli.status import read_report
from allthepoints.operation.signals import FORCED
from allthepoints.service.loop import STOP_WITHIN
from allthepoints.views.plain import status_plain

COMMAND = (sys.executable, "-m", "allthepoints")

PATIENT = 60.0
"""Seconds for what takes well under one: two cores are shared with other tests, and a start of the command is cold."""

STOPS_WITHIN = 5.0
"""Seconds in which the command is gone after a signal; see `slower_by`."""

QUICK = """
[dashboard]
listen = ""

[poll]
live = "500ms"
offline_after = "1s"

[chat]
idle_ping = "2s"
"""
"""Allowed because the other side is this machine. Its answers may be as late as usual: a test that is not about silence
must not lose a connection because two busy cores were elsewhere for a second."""

HASTY = f'{QUICK}ask_timeout = "2s"\npong_timeout = "1s"\nwelcome_timeout = "3s"\n'
"""Where silence must be found out."""

PATIENT_CHAT = f'{QUICK}pong_timeout = "1m"\nwelcome_timeout = "2m"\n'
"""Where it must not be, though there is one."""

T = TypeVar("T")


def until(look: Callable[[], T], within: float = PATIENT, what: str = "") -> T:
    """The first true answer of `look`, asked ten times a second."""
    watch = Stopwatch()
    while not (found := look()):
        assert watch.elapsed() < within, f"not within {within:g} s: {what or look}"
        pause(0.1)
    return found


HEARS_THE_FIRST = """
from pathlib import Path
from allthepoints.__main__ import main
from allthepoints.service import loop

loop.LEAVE_WITHIN = loop.STOP_WITHIN = 600.0  # nothing but a second signal ends it sooner
real = loop.Service.stop

def stop(service):
    real(service)
    Path("stopping").touch()

loop.Service.stop = stop
main()
"""


def check_two_signals(machine: Machine, inside: Callable[[], bool], meanwhile: Callable[[], None]) -> None:
    """The service, of a PATIENT_CHAT, waits for a server that does not answer; the second of two signals ends it at
    once. They are never so close that the system makes one of them: the second is sent when the first was heard.
    `meanwhile`: what is done once it is `inside`."""
    with machine.run(command=(sys.executable, "-c", HEARS_THE_FIRST)) as service:
        until(lambda: service.code is not None or inside(), what="in")
        assert service.code is None, service.complains()
        meanwhile()
        service.send(signal.SIGINT)
        until((service.err.parent / "stopping").exists, what="the first signal is heard")
        assert service.code is None, "it waits"
        assert service.stop(signal.SIGINT, within=STOPS_WITHIN) == FORCED


def slower_by() -> float:
    """Seconds that a service may end later, on this machine as it is just now.

    Of STOPS_WITHIN, STOP_WITHIN are the program's own. The rest is what the machine takes to write it all down and to
    end an interpreter; with nothing else to do, it loads the program twice in that time.
    """
    watch = Stopwatch()
    subprocess.run([sys.executable, "-c", "import allthepoints.operation.service"], check=True, timeout=2 * PATIENT)
    return max(0.0, 2 * watch.elapsed() - (STOPS_WITHIN - STOP_WITHIN))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def environment(home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """A person's, without anything of ours."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ALLTHEPOINTS_", "COV_", "XDG_"))}
    for key in ("PYTHONIOENCODING", "SSL_CERT_FILE", "COLUMNS", "NO_COLOR"):
        kept.pop(key, None)
    return {**kept, "HOME": str(home), "LC_ALL": "C.UTF-8", **(more or {})}


# -- processes ---------------------------------------------------------------------------------------------------------
class Process:
    """One that goes on. Its output stands in files, so that it never waits for a reader."""

    def __init__(
        self,
        args: Sequence[str],
        folder: Path,
        env: Mapping[str, str],
        command: Sequence[str] = COMMAND,
        user: int | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.out, self.err = folder / "out", folder / "err"
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self._popen = subprocess.Popen(
                [*command, *args],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=dict(env),
                cwd=folder,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._popen.poll()

    def says(self) -> str:
        """All of standard output so far."""
        return self.out.read_text("utf-8", "replace")

    def complains(self) -> str:
        """All of standard error so far."""
        return self.err.read_text("utf-8", "replace")

    def send(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM, within: float = 2 * STOPS_WITHIN) -> int:
        """Signal it and wait; answers the exit code. Where it is not gone in time, the machine is measured: is it as
        slow as that?"""
        watch, longer = Stopwatch(), 0.0
        took: list[float] = []
        if self.code is None:
            self.send(number)

        def wait() -> None:
            self._popen.wait()
            took.append(watch.elapsed())

        waiter = threading.Thread(target=wait, daemon=True)
        waiter.start()
        while True:
            waiter.join(max(0.0, within + longer - watch.elapsed()))
            if took and took[0] <= within + longer:
                return self._popen.returncode
            before, longer = longer, max(longer, slower_by())
            if longer == before:
                self.kill()
                raise AssertionError(f"did not end within {within + longer:g} s\n{self.says()}\n{self.complains()}")

    def kill(self) -> None:
        if self.code is None:
            self._popen.kill()
        self._popen.wait()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()


# -- the sandbox -------------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class Box:
    """A sandbox that runs, and its control API."""

    process: Process
    endpoints: dict[str, str]
    token: str
    refresh_token: str

    def tally(self) -> dict[str, Any]:
        answer: dict[str, Any] = self._call("tally")
        return answer

    def rooms(self) -> list[str]:
        """Where the account sits now."""
        answer: list[str] = self._call("state")["rooms"]
        return answer

    def on_air(self, *logins: str, live: bool = True, **more: object) -> None:
        for login in logins:
            self._call("live", channel=login, live=live, **more)

    def fault(self, name: str, **parameters: object) -> None:
        self._call("fault", name=name, **{"with": parameters})

    def heal(self, name: str | None = None) -> None:
        self._call("heal", name=name)

    def tokens(self, *scopes: str, account: str | None = None) -> tuple[str, str]:
        pair = self._call("tokens", scopes=scopes or ("chat:read", "user:read:follows"), account=account)
        return pair["access_token"], pair["refresh_token"]

    def rename(self, login: str, to: str) -> None:
        self.fault("rename", channel=login, to=to)

    def _call(self, path: str, **body: object) -> Any:
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"{self.endpoints['control']}/{path}", data)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=PATIENT) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"the sandbox says {error.code}: {error.read().decode()}") from None


@contextmanager
def sandbox(
    folder: Path,
    logins: Sequence[str] = ("alpha", "beta", "gamma"),
    scenario: str = "",
    args: Sequence[str] = (),
) -> Iterator[Box]:
    """Followed channels that are all offline until told otherwise. Says yes to device codes at once."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "scenario.toml"
    channels = "".join(f'[[channels]]\nlogin = "{login}"\n' for login in logins)
    file.write_text(f"device_approve_after = 0.5\n{scenario}\n{channels}")
    env = environment(folder)
    with Process(["simulate", "--json", "--scenario", str(file), *args], folder / "box", env) as process:
        until(lambda: "\n" in process.says() or process.code is not None, what="the sandbox's first line")
        assert process.code is None, process.complains()
        hello = json.loads(process.says().splitlines()[0])
        yield Box(process, hello["endpoints"], hello["token"], hello["refresh_token"])


# -- a person's machine ------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class Machine:
    """A home with a config and a data directory. `env`: what the person put into the environment."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)
    _runs: int = 0

    @property
    def config(self) -> Path:
        return self.home / "config.toml"

    @property
    def data(self) -> Path:
        return self.home / "data"

    def configure(self, endpoints: Mapping[str, str], channels: str = "", quick: str = QUICK) -> None:
        """Write a config that points at `endpoints`."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.config.write_text(config_text(endpoints, channels, quick), encoding="utf-8")

    def do(
        self, *args: str, code: int | None = 0, env: Mapping[str, str] | None = None, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command that ends by itself, and see that it ends as it should."""
        self.home.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [*COMMAND, *args],
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=self.environment(env),
            cwd=self.home,
            timeout=2 * PATIENT,
            check=False,
        )
        if code is not None:
            assert done.returncode == code, f"{args} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *args: str) -> Any:
        """A command's JSON."""
        return json.loads(self.do(*args, "--json").stdout)

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.json("status")
        return answer

    def peek(self) -> dict[str, Any]:
        """What `status --json` would say, without a process for it: for questions that are asked over and over."""
        answer: Any = status_plain(read_report(Here(str(self.config), str(self.data))))
        assert isinstance(answer, dict)
        return answer

    def states(self) -> dict[str, str]:
        """The state of each channel."""
        return {row["login"]: row["state"] for row in self.peek()["channels"]}

    def warning(self, code: str) -> dict[str, Any]:
        """The warning of this code, once it is shown."""

        def look() -> dict[str, Any] | None:
            return next((found for found in self.peek()["warnings"] if found["code"] == code), None)

        found = until(look, what=code)
        assert found is not None
        return found

    def kinds(self) -> list[str]:
        """The kinds of all events."""
        return [event["kind"] for event in self.json("events", "--limit", "1000")]

    def run(self, *args: str, env: Mapping[str, str] | None = None, command: Sequence[str] = COMMAND) -> Process:
        """Start the service."""
        self._runs += 1
        return Process(["run", *args], self.home / f"run{self._runs}", self.environment(env), command)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        here = {"ALLTHEPOINTS_CONFIG": str(self.config), "ALLTHEPOINTS_DATA_DIR": str(self.data)}
        return environment(self.home, {**here, **self.env, **(more or {})})


def config_text(endpoints: Mapping[str, str], channels: str = "", quick: str = QUICK) -> str:
    lines = [f'{name} = "{endpoints[name]}"' for name in ("irc", "helix", "oauth")]
    return "\n".join(
        ["[twitch]", 'client_id = "sandbox"', "", "[channels]", channels, quick, "[endpoints]", *lines, ""]
    )


def signed_in(folder: Path, box: Box, channels: str = "") -> Machine:
    """A machine whose environment holds the sandbox's own tokens."""
    machine = Machine(
        folder / "home",
        {"ALLTHEPOINTS_TWITCH_TOKEN": box.token, "ALLTHEPOINTS_TWITCH_REFRESH_TOKEN": box.refresh_token},
    )
    machine.configure(box.endpoints, channels)
    return machine
