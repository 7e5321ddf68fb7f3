"""What Twitch leaves open, each way that it may be: the same program keeps within its budgets and is in every room.

What the sandbox does by default is tried everywhere else. Here are the other ways (`Limits` in sim/limits.py): a room
on two connections takes two slots, a JOIN of nobody's login is told to be suspended, a JOIN too many ends the
connection; and rooms that one moderates, which Twitch does not count.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from service_stages import Stage, stage

from allthepoints.core.policy import ACCOUNT_ROOMS
from allthepoints.core.records import EventKind
from allthepoints.sim.scenario import Limits

pytestmark = pytest.mark.anyio

PER_SOCKET = Limits(rooms_per="socket")
NOTICE = Limits(unknown_join="notice")
DISCONNECT = Limits(join_mode="disconnect")

HOUSE = tuple(f"c{number}" for number in range(ACCOUNT_ROOMS))
FILLED_WITHIN = 60.0
"""A hundred JOINs are five windows of ten seconds."""


@asynccontextmanager
async def full_house(folder: Path, limits: Limits, *rooms: str, kind: str = "fakes") -> AsyncIterator[Stage]:
    """In all of these, for a minute."""
    async with stage(kind, folder, limits=limits, max_rooms=ACCOUNT_ROOMS) as on:
        on.add(*rooms, live=True)
        await on.start()
        await back(on, len(rooms))
        await on.elapse(60)
        yield on


async def back(on: Stage, rooms: int, within: float = FILLED_WITHIN) -> None:
    """In so many rooms, by the sandbox's word and by our own."""
    await on.until(lambda: len(on.rooms) == rooms, within, every=1.0)
    await on.until(lambda: on.snapshot.census.present == rooms, within=1)


def check_budgets(on: Stage) -> None:
    tally = on.tally
    assert (tally.join_limit_violations, tally.login_limit_violations) == (0, 0)
    assert on.sandbox.journal.of(on.sandbox.account.id).over_rooms == 0, "nothing was asked for beyond the rooms"
    assert not tally.protocol_errors
    assert not on.told(EventKind.REFUSED)
    assert not on.warned()


CUTS: dict[str, dict[str, Any]] = {"reset": {}, "fin": {}, "reconnect": {"delay": 30.0}}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("limits", [PER_SOCKET, NOTICE, DISCONNECT], ids=["per socket", "notice", "disconnect"])
async def test_a_full_house_is_in_again_after_a_cut_of_everything(
    anyio_backend: object, tmp_path: Path, limits: Limits, cut: str
) -> None:
    async with full_house(tmp_path, limits, *HOUSE) as on:
        on.sandbox.fault(cut, connection="all", **CUTS[cut])
        await on.elapse(CUTS[cut].get("delay", 0.0) + 0.5)
        assert on.rooms < set(HOUSE)
        await back(on, ACCOUNT_ROOMS)
        await on.elapse(300)
        assert on.rooms == set(HOUSE)
        check_budgets(on)
        tally = on.tally
        assert (tally.joins_worst, tally.rooms_peak) == (20, ACCOUNT_ROOMS)
        # A JOIN is asked again for nobody but those that the cut took, and a connection is opened for each that ended.
        assert (tally.joins, tally.logins) == (2 * ACCOUNT_ROOMS, 4)


@pytest.mark.parametrize("limits", [PER_SOCKET, NOTICE, DISCONNECT], ids=["per socket", "notice", "disconnect"])
async def test_the_whole_program_does_so_too(anyio_backend: object, tmp_path: Path, limits: Limits) -> None:
    async with full_house(tmp_path, limits, *HOUSE, kind="sockets") as on:
        on.sandbox.fault("reset", connection="all")
        await on.elapse(0.5)
        assert on.rooms < set(HOUSE)
        await back(on, ACCOUNT_ROOMS)
        check_budgets(on)


@pytest.mark.parametrize("rooms", [50, 60])
async def test_where_a_room_on_two_connections_takes_two_slots_a_reconnect_is_within_them(
    anyio_backend: object, tmp_path: Path, rooms: int
) -> None:
    """The replacement comes first, as far as there are slots for it."""
    async with full_house(tmp_path, PER_SOCKET, *HOUSE[:rooms]) as on:
        on.sandbox.fault("reconnect", connection="all", delay=30.0)
        await on.elapse(120)
        assert {len(on.sat(login)) for login in HOUSE[:rooms]} == {1}
        assert on.tally.joins == 2 * rooms
        check_budgets(on)


async def test_who_is_told_to_be_suspended_for_he_has_another_name_is_in_again(
    anyio_backend: object, tmp_path: Path
) -> None:
    """The no was about a login that is nobody's, and not about him."""
    async with full_house(tmp_path, NOTICE, *HOUSE) as on:
        on.rename("c0", "renamed")
        on.sandbox.fault("reset", connection="all")
        await on.until(lambda: on.rooms == {*HOUSE[1:], "renamed"}, within=FILLED_WITHIN + 60, every=1.0)
        assert len(on.told(EventKind.REFUSED)) == 1
        await on.elapse(1)
        assert not on.warned()
        assert on.tally.join_limit_violations == 0


@pytest.mark.parametrize("others", [1, 10])
async def test_where_a_join_too_many_ends_the_connection_another_client_costs_it_once(
    anyio_backend: object, tmp_path: Path, others: int
) -> None:
    """JOINs that the person's own client has spent we cannot see: one connection ends by them, and no more."""
    async with full_house(tmp_path, DISCONNECT, *HOUSE) as on:
        spent = on.sandbox.journal.of(on.sandbox.account.id).joins
        on.sandbox.fault("reset", connection="all")
        for _ in range(others):
            spent.attempt(on.clock.now())
        await back(on, ACCOUNT_ROOMS, within=FILLED_WITHIN + on.policy.ask_timeout)
        await on.elapse(300)
        assert on.rooms == set(HOUSE)
        assert on.tally.join_limit_violations == 1
        assert on.tally.logins == 5
        assert len(on.told(EventKind.DISCONNECTED)) == 3
        assert not on.told(EventKind.REFUSED)
        assert not on.warned()


async def test_rooms_that_do_not_count_are_counted_all_the_same(anyio_backend: object, tmp_path: Path) -> None:
    """Twitch gives a room more for each that one moderates; nobody here relies on it."""
    async with full_house(tmp_path, Limits(), *HOUSE) as on:
        for login in HOUSE[:3]:
            on.sandbox.world.find(login).moderators.add(on.sandbox.account.id)
        on.add("one_more", "two_more", live=True)
        on.sandbox.fault("reset", connection="all")
        await on.elapse(300)
        assert on.sandbox.world.counted_rooms(on.sandbox.account.id, on.clock.now()) == ACCOUNT_ROOMS - 3
        assert len(on.rooms) == on.tally.rooms_peak == on.snapshot.census.present == ACCOUNT_ROOMS
        assert {"one_more", "two_more"} < on.rooms, "they are followed last, and so come first"
        assert on.warned() == {"waiting_for_rooms"}
        assert on.tally.join_limit_violations == 0
