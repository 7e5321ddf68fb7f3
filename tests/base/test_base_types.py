"""Names as people write them, secrets as they must not show, time that never goes back, errors that say what to do."""

from __future__ import annotations

import asyncio
import pickle
import traceback

import pytest

from allthepoints.base import errors
from allthepoints.base.clock import JUMP, Chance, LoopClock, SystemClock
from allthepoints.base.secret import Secret
from allthepoints.base.types import NotALogin, as_login

# -- logins --------------------------------------------------------------------------------------------------------
MEANT = [
    ("Alpha", "alpha"),
    (" beta ", "beta"),
    ("#gamma", "gamma"),
    ("@Delta_9", "delta_9"),
    ("https://www.twitch.tv/Alpha", "alpha"),
    ("twitch.tv/alpha/videos?x=1", "alpha"),
    ("m.twitch.tv/alpha#about", "alpha"),
    ("HTTP://TWITCH.TV/ALPHA/", "alpha"),
    ("a" * 25, "a" * 25),
]

NOT_MEANT = [
    ("", "empty"),
    ("  # ", "empty"),
    ("アルファ", "display name"),
    ("https://example.com/alpha", "not of a Twitch channel"),
    ("a" * 26, "25 characters"),
    ("two words", "only a-z"),
    ("alpha;drop", "only a-z"),
    ("alpha\nJOIN #beta", "only a-z"),
]


@pytest.mark.parametrize(("text", "login"), MEANT)
def test_fc_07_what_a_person_meant(text: str, login: str) -> None:
    assert as_login(text) == login
    assert as_login(as_login(text)) == login


@pytest.mark.parametrize(("text", "reason"), NOT_MEANT)
def test_fc_07_what_cannot_be_a_login_says_why(text: str, reason: str) -> None:
    with pytest.raises(NotALogin, match=reason):
        as_login(text)


# -- secrets -------------------------------------------------------------------------------------------------------
def test_fc_32_a_secret_shows_itself_nowhere() -> None:
    secret = Secret("T0-canary")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", "%s" % secret, str({"token": [secret]})]  # noqa: UP031
    try:
        raise ValueError(secret)
    except ValueError:
        shown.append(traceback.format_exc())
    assert not any("canary" in text for text in shown)
    assert secret.reveal() == "T0-canary"
    assert not hasattr(secret, "__dict__")
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_secrets_compare_by_their_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("ä") != Secret("a")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert bool(Secret("a"))
    assert not Secret("")


# -- time ----------------------------------------------------------------------------------------------------------
class Machine:
    """A machine's two clocks, set by hand."""

    def __init__(self) -> None:
        self.wall = 1_700_000_000.0
        self.monotonic = 50.0

    def clock(self) -> SystemClock:
        return SystemClock(lambda: self.monotonic, lambda: self.wall)

    def run(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


def test_fc_34_time_goes_on_at_the_pace_of_the_monotonic_clock() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.run(10)
    assert clock.now() == 1_700_000_010.0
    assert clock.jumped() == 0.0


def test_fc_34_a_clock_that_is_set_back_is_not_followed() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall -= 3600
    machine.run(10)
    assert clock.now() == 1_700_000_010.0
    assert clock.jumped() == 0.0


def test_fc_05_sleep_moves_the_line_ahead_and_is_told_once() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += 8 * 3600
    assert clock.jumped() == pytest.approx(8 * 3600)
    assert clock.jumped() == 0.0
    assert clock.now() == pytest.approx(machine.wall)


def test_small_drift_is_left_alone() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += JUMP / 2
    assert clock.now() == 1_700_000_000.0


@pytest.mark.anyio
async def test_the_loops_own_time_counts_from_the_epoch() -> None:
    loop = asyncio.get_running_loop()
    clock = LoopClock(loop, 1_700_000_000.0)
    before = clock.now()
    assert 1_700_000_000.0 <= before < 1_700_000_060.0
    await clock.sleep(-1)
    assert clock.now() >= before
    assert clock.jumped() == 0.0


@pytest.mark.anyio
async def test_the_system_clock_sleeps() -> None:
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0.01)
    assert clock.now() > before


def test_chance_is_seeded_or_not() -> None:
    one, two = Chance(7), Chance(7)
    assert [one.draw() for _ in range(5)] == [two.draw() for _ in range(5)]
    assert all(0 <= Chance().draw() < 1 for _ in range(50))


# -- errors --------------------------------------------------------------------------------------------------------
def test_each_kind_of_error_says_whether_to_try_again() -> None:
    kinds = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    assert {name for name, kind in kinds.items() if getattr(kind, "retry", False)} == {"Unknown", "NotSent", "Limited"}
    assert issubclass(errors.Unauthorised, errors.Refused)
    assert not issubclass(errors.SignInNeeded, errors.OutsideError)
    assert errors.FaultError("disk full", hint="free some space").hint == "free some space"
    assert errors.Limited("429", until=5.0).until == 5.0
    assert (errors.Refused("no", 403, "theirs").status, errors.AlreadyRunning("there", pid=7).pid) == (403, 7)
