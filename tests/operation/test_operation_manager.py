"""What the service manager hears, turn by turn. The manager is a list of words."""

from __future__ import annotations

import pytest

from allthepoints.base.systemd import Manager
from allthepoints.base.types import Login, UserId
from allthepoints.core.model import Account
from allthepoints.core.place import Census
from allthepoints.operation.manager import LEAVING, STATUS_EVERY, TURNS, Watched
from allthepoints.service.outside import NO_HOOKS
from allthepoints.service.snapshot import Snapshot


class Heard(Manager):
    def __init__(self, watchdog: float = 30.0) -> None:
        super().__init__("@nobody", watchdog)
        self.words: list[str] = []

    def _say(self, **words: str) -> None:
        self.words += [f"{name}={value}" for name, value in words.items()]


NOBODY = "Checking the sign-in."
QUIET = "No channel yet: whom you follow is read first; name others with `allthepoints channels add NAME`."


def snapshot(at: float, *, account: bool = False) -> Snapshot:
    who = Account(UserId("1"), Login("me")) if account else None
    return Snapshot(at, who, account, Census(0, 0, 0, 0, 0), {}, (), None)


def turned(watched: Watched, at: float, *, account: bool = False) -> None:
    assert watched.hooks.on_snapshot is not None
    watched.hooks.on_snapshot(snapshot(at, account=account))


def test_ready_with_the_first_turn_then_life_with_each() -> None:
    watched = Watched(heard := Heard())
    assert heard.words == []
    turned(watched, 100.0)
    turned(watched, 100.1)
    assert heard.words == ["READY=1", f"STATUS={NOBODY}", "WATCHDOG=1", "WATCHDOG=1"]


def test_the_sentence_is_told_when_it_changes_and_not_too_often() -> None:
    watched = Watched(heard := Heard(0.0))
    turned(watched, 100.0)
    heard.words.clear()
    turned(watched, 100.0 + STATUS_EVERY / 2, account=True)
    assert heard.words == []
    turned(watched, 100.0 + STATUS_EVERY, account=True)
    turned(watched, 100.0 + STATUS_EVERY * 2, account=True)
    assert heard.words == [f"STATUS={QUIET}"]


def test_a_stop_is_told_before_it_begins_and_no_sentence_after_it() -> None:
    watched = Watched(heard := Heard())
    turned(watched, 100.0)
    heard.words.clear()
    watched.stop(lambda: heard.words.append("stopped"))()
    turned(watched, 200.0, account=True)
    assert heard.words == ["STOPPING=1", f"STATUS={LEAVING}", "stopped", "WATCHDOG=1"]


@pytest.mark.anyio
async def test_a_reload_is_told_with_its_end_also_where_it_fails() -> None:
    watched = Watched(heard := Heard())
    turned(watched, 100.0)
    heard.words.clear()

    def fails() -> None:
        heard.words.append("reload")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        watched.reload(fails)()
    assert [word.partition("=")[0] for word in heard.words] == ["RELOADING", "MONOTONIC_USEC", "reload", "READY"]


def test_a_reload_while_it_starts_is_not_told() -> None:
    """Its READY would be taken for the end of the start."""
    watched = Watched(heard := Heard())
    watched.reload(lambda: heard.words.append("reload"))()
    assert heard.words == ["reload"]


def test_the_loop_turns_several_times_within_the_watchdog() -> None:
    assert Watched(Heard(30.0)).turn_within == 30.0 / TURNS
    assert TURNS > 2, "systemd asks for less than half of the time"
    assert Watched(Heard(0.0)).turn_within is None


def test_where_nobody_looks_nothing_is_done() -> None:
    watched = Watched(Manager())
    assert watched.hooks == NO_HOOKS
    assert watched.turn_within is None
