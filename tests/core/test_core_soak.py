"""Months without a look: the state grows with what there is, not with what has happened."""

from __future__ import annotations

from core_world import World, check_window, logins

from allthepoints.core.model import Lost
from allthepoints.core.policy import Policy
from allthepoints.core.records import SessionClosed, SessionOpened

DAYS = 2


def sizes(world: World) -> dict[str, int]:
    o = world.core.observed
    held = {name: getattr(o, name) for name in o.__slots__}
    return {name: len(value) for name, value in held.items() if hasattr(value, "__len__")}


def test_fc_45_the_state_is_flat_after_many_sessions() -> None:
    """Simulated days: sessions come and go, connections fall, and everything else goes wrong now and then."""
    world = World(Policy(poll_live=300.0), seed=5)
    world.add(*range(40))
    flat: list[dict[str, int]] = []
    for hour in range(24 * DAYS):
        for number in range(40):
            if (number + hour) % 6 == 0:
                world.go_live(number)
            elif (number + hour) % 6 == 3:
                world.go_off(number)
        if hour % 5 == 0:
            for conn in [c for c, line in world.lines.items() if not line.gone]:
                world.end(conn, Lost.RESET)
        if hour % 7 == 0:
            world.lose_joins = 3
        if hour % 11 == 0:
            world.lose_part_echoes = 2
        world.run(3600)
        world.core.done.clear()
        world.all_joins = [span for span in world.all_joins if span.latest > world.now - 60]
        world.lines = {c: line for c, line in world.lines.items() if not line.gone}
        if hour % 12 == 11:
            flat.append(sizes(world))
    assert all(size == flat[0] for size in flat), "the same hour of the cycle, the same size"
    opened = sum(isinstance(r, SessionOpened) for r in world.core.records)
    closed = sum(isinstance(r, SessionClosed) for r in world.core.records)
    assert opened > 250
    assert opened - closed == len(world.core.observed.live)
    check_window(world.all_joins, 20)


def test_fc_38_the_size_follows_the_channels() -> None:
    world = World(Policy())
    world.add(*range(30))
    for number in range(30):
        world.go_live(number)
    world.run(60)
    assert world.sit_in() == sorted(logins(*range(30)))
    for number in range(30):
        world.go_off(number)
    world.run(900)
    now = sizes(world)
    assert (now["rooms"], now["live"], now["join_times"], now["connections"]) == (0, 0, 0, 1)
