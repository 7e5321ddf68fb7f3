"""The sandbox's tally as `simulate --json` gives it: all that was counted, as the sandbox itself tells it."""

import dataclasses
from typing import Any

import msgspec
import pytest

from allthepoints.cli.output import json_text
from allthepoints.cli.tally import CHANNEL_TALLY, JOIN_AFTER_BAN, SUMMED_UP, TAKEN, TALLY
from allthepoints.sim.tally import ChannelTally, JoinAfterBan, Taken, Tally
from allthepoints.views.plain import Shape

BAN = JoinAfterBan(2.5, "1", None)

BOUGHT = Taken("r1", 7.0, "1", "i1", "Hydrate", 300, ("left", "right"), "please")

ALPHA = ChannelTally("1", "alpha", True, 9.0, 8.5, 0.0, 0.94, 5, 6, None, ((0.0, 9.0),), ((0.5, 4.0), (4.5, 9.0)))


def whole() -> Tally:
    """Every field is something else, so that none stands for another."""
    given: dict[str, Any] = {}
    for number, field in enumerate(dataclasses.fields(Tally), 1):
        given[field.name] = {"int": number, "float": number + 0.5, "str": f"t{number}"}.get(str(field.type))
        if str(field.type).startswith("dict"):
            given[field.name] = {f"call {number}": number}
    given |= {"after_ban": (BAN,), "redemptions": (BOUGHT,), "channels": (ALPHA,), "protocol_errors": ("JOIN ,", "x")}
    assert None not in given.values()
    return Tally(**given)


@pytest.mark.parametrize(
    ("shape", "value"),
    [(TALLY, whole()), (CHANNEL_TALLY, ALPHA), (TAKEN, BOUGHT), (JOIN_AFTER_BAN, BAN)],
    ids=["tally", "channel", "taken", "join after ban"],
)
def test_it_is_what_the_sandbox_tells(shape: Shape[Any], value: Any) -> None:
    assert json_text(shape.of(value)) == json_text(msgspec.to_builtins(value))


def test_the_last_line() -> None:
    assert json_text(SUMMED_UP.of(whole())) == json_text({"tally": msgspec.to_builtins(whole())})
