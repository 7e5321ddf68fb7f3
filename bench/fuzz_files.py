"""Files that a person or another program wrote, damaged: the config, a scenario, other programs' configs, secrets.

Each may be used, or refused with the error that is meant for it; nothing else. What is used must hold: a config means
the same once it is written out again, changes what is asked for and nothing else, and never quotes a secret in an
error. A scenario that can be read can be begun.
"""

from __future__ import annotations

import asyncio
import base64
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import fuzz_mutate
import msgspec
from fuzz_mutate import pick

from allthepoints.base.errors import ConfigError
from allthepoints.base.secret import Secret
from allthepoints.base.types import Login
from allthepoints.config import load
from allthepoints.config.edit import Change, Value, WishChange, edit
from allthepoints.config.foreign import read_foreign
from allthepoints.config.importing import prepared
from allthepoints.config.policy import alert_policy, policy, session_options
from allthepoints.config.show import to_plain, to_toml
from allthepoints.config.starter import starter
from allthepoints.ports import JwtUnusable
from allthepoints.sim import scenario
from allthepoints.sim.server import Sandbox
from allthepoints.storage import jwtfile, tokenfile
from allthepoints.streamelements.jwt import end_of, tidy

CANARY = "canary0123456789abcdef"

CONFIG = f"""# Mine.
[twitch]
client_id = "abcdef0123456789"   # registered in 2026

[channels]
followed = true
include = ["alpha", "beta",   # both
  "gamma"]
exclude = []
priority = ["beta"]
max_rooms = 90

[poll]
live = "30s"
offline_after = "3m"

[chat]
idle_ping = "30s"
forced_part_is_ban = true

[endpoints]
irc = "irc://127.0.0.1:6667"
helix = "http://127.0.0.1:8000/helix"

[dashboard]
listen = "127.0.0.1:7771"
hosts = ["points.example.org"]
base_path = "/points"

[notify]
urls = ["discord://{CANARY}/{CANARY}"]
events = ["live"]
quiet_hours = "23:00-07:30"
digest = "08:00"

[display]
zone = "Europe/Rome"

[[wish]]
channel = "alpha"
item = "Map of the week"
auto = true
max_cost = 1500

[[wish]]
channel = "beta"
item = "64b0c1d2e3f4a5b6c7d8e9f0"
"""

SCENARIO = """
name = "one evening"
seed = 7
duration = "6h"
online_lag = [0, "3m"]
account = { login = "me", id = "1001", moderates = ["alpha"] }

[limits]
joins = 20
ping_every = "285s"

[[channels]]
login = "alpha"
broadcasts = [{ start = "10m", end = "4h", title = "climbing" }, { start = "4h", end = "5h", kind = "rerun" }]
loyalty = { amount = 5, interval = "10m" }
store = [{ name = "Map", cost = 1500, total = 3 }, { name = "Key", cost = 10, type = "code", codes = ["A", "B"] }]

[[channels]]
login = "beta"
balance = 100

[[faults]]
at = "2h"
name = "reconnect"
with = { delay = "5s" }
"""

FOREIGN = f"""{{"oauth_token": "oauth:{CANARY}", "client_id": "abcdef0123456789", "channels": ["alpha", "#Beta"],
 "wait_time": 30, "verbose": false}}""".encode()
NAMES = b"# mine\nalpha\nBeta\nhttps://www.twitch.tv/gamma\n"

TOKENS = msgspec.json.encode(
    {
        "access": "a" * 30,
        "refresh": "r" * 50,
        "client_id": "c",
        "login": "me",
        "user_id": "1",
        "scopes": ["chat:read"],
        "obtained_at": 1.5,
        "expires_at": 1795564800.0,
    }
)
JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"HS256"}', b'{"exp":1795564800}', b"x")
)

COUNTS = dict[str, int]


class Odd(AssertionError):
    """What must not be."""


class Files:
    """One damaged file after the other. `folder` is for what is edited in place."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.found: COUNTS = {}
        self._luck = random.Random(seed)
        self._path = folder / "config.toml"
        self._kinds: tuple[Callable[[], str], ...] = (
            *(self._config, self._config, self._config, self._scenario, self._edited, self._foreign, self._imported),
            *(self._tokens, self._jwt_file, self._jwt),
        )
        self._config_seeds = (CONFIG.encode(), CONFIG.encode(), starter("abc", include=(Login("alpha"),)).encode())
        self._last: object = None

    def once(self) -> None:
        """One file. Raises Odd."""
        kind = pick(self._luck, self._kinds)
        name = kind.__name__.strip("_")
        try:
            end = kind()
        except Odd:
            raise
        except Exception as error:
            raise Odd(f"{name}: {type(error).__name__}: {error}\n{self._last!r}"[:6000]) from error
        self.found[f"{name}: {end}"] = self.found.get(f"{name}: {end}", 0) + 1

    # -- the config ----------------------------------------------------------------------------------------------------
    def _config(self) -> str:
        text = self._damaged(pick(self._luck, self._config_seeds)).decode("utf-8", "replace")
        try:
            loaded = load.parse(text, "config.toml")
        except ConfigError as error:
            self._quiet(f"{error} {error.hint}")
            return "refused"
        settings = loaded.settings
        self._quiet(" ".join(loaded.warnings))
        policy(settings)
        alert_policy(settings)
        session_options(settings)
        msgspec.json.encode(to_plain(settings))
        told = to_toml(settings)
        self._quiet(told)
        if not settings.notify.urls:  # addresses are masked there
            again = load.parse(told, "again").settings
            if again != settings:
                raise Odd(f"config: written out it means something else\n{text!r}\n{told!r}")
        return "used"

    def _edited(self) -> str:
        self._path.write_bytes(self._damaged(pick(self._luck, self._config_seeds)))
        try:
            before = load.load(self._path).settings
        except ConfigError:
            return "cannot be used"
        change = pick(self._luck, CHANGES)
        try:
            made = edit(self._path, [change])
        except ConfigError as error:
            self._quiet(f"{error} {error.hint}")
            return "refused"
        after = load.load(self._path).settings
        if edit(self._path, [change]):
            raise Odd(f"edited: {change} is not so afterwards\n{self._last!r}")
        if not made and after != before:
            raise Odd(f"edited: {change} changed something and says it did not\n{self._last!r}")
        other = ["twitch", "chat", "poll", "dashboard", "display", "notify", "endpoints"]
        if any(getattr(before, one) != getattr(after, one) for one in other if getattr(change, "section", "") != one):
            raise Odd(f"edited: {change} changed something else\n{self._last!r}")
        return "changed" if made else "was so"

    def _foreign(self) -> str:
        try:
            found = read_foreign(self._any(pick(self._luck, (FOREIGN, FOREIGN, NAMES))), "bot.json")
        except ConfigError as error:
            self._quiet(f"{error} {error.hint}")
            return "refused"
        self._quiet(str(found.remarks))
        return "read"

    def _imported(self) -> str:
        try:
            found = read_foreign(pick(self._luck, (FOREIGN, NAMES)), "bot.json")
        except ConfigError:
            found = read_foreign(NAMES, "names.txt")
        self._path.write_bytes(self._damaged(pick(self._luck, self._config_seeds)))
        try:
            plan = prepared(found, self._path)
        except ConfigError as error:
            self._quiet(f"{error} {error.hint}")
            return "refused"
        return "new" if plan.changes else "nothing new"

    # -- others --------------------------------------------------------------------------------------------------------
    def _scenario(self) -> str:
        text = self._damaged(SCENARIO.encode()).decode("utf-8", "replace")
        try:
            found = scenario.parse(text)
        except scenario.ScenarioError:
            return "refused"
        asyncio.run(_begun(found))
        return "begun"

    def _tokens(self) -> str:
        data = self._json(TOKENS)
        try:
            held = tokenfile.decoded(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return "refused"
        repr(held)
        return "read"

    def _jwt_file(self) -> str:
        return "refused" if jwtfile.decoded(self._json(msgspec.json.encode({"jwt": JWT}))) is None else "read"

    def _jwt(self) -> str:
        text = self._any(JWT.encode()).decode("utf-8", "replace")
        try:
            return "ends" if end_of(tidy(Secret(text))) is not None else "says no end"
        except JwtUnusable:
            return "refused"

    # -- hands ---------------------------------------------------------------------------------------------------------
    def _damaged(self, data: bytes) -> bytes:
        return self._noted(fuzz_mutate.damaged_toml(data, self._luck))

    def _json(self, data: bytes) -> bytes:
        return self._noted(fuzz_mutate.damaged_json(data, self._luck))

    def _any(self, data: bytes) -> bytes:
        return self._noted(fuzz_mutate.damaged(data, self._luck, fuzz_mutate.JSON_PIECES))

    def _noted(self, data: bytes) -> bytes:
        self._last = data
        return data

    def _quiet(self, text: str) -> None:
        if CANARY in text:
            raise Odd(f"quotes a secret: {text}\n{self._last!r}")


CHANGES = (
    *(Change("include", Login("delta")), Change("include", Login("alpha"), False), Change("paused", Login("beta"))),
    *(Value("poll", "live", '"45s"'), Value("display", "zone", '"Asia/Tokyo"'), Value("channels", "max_rooms", "5")),
    WishChange(Login("alpha"), "Map of the week", present=False),
    WishChange(Login("alpha"), "Map of the week", {"auto": True, "max_cost": 10}),
    WishChange(Login("delta"), 'A "thing" \\ 🌊', remark="1,500 points"),
)


async def _begun(found: scenario.Scenario) -> None:
    sandbox = Sandbox(found, _Clock())
    sandbox.begin()
    await asyncio.sleep(0)
    sandbox.tally()
    await sandbox.stop()


class _Clock:
    """A clock that nobody looks at twice."""

    def now(self) -> float:
        return 1_795_564_800.0

    def jumped(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.get_running_loop().create_future()


def main(seed: int, count: int) -> COUNTS:
    """What became of so many files. Raises Odd."""
    for sound in (load.parse(CONFIG, "config"), scenario.parse(SCENARIO)):
        assert sound
    with tempfile.TemporaryDirectory() as folder:
        files = Files(seed, Path(folder))
        for _ in range(count):
            files.once()
        return files.found
