"""A person looks at a channel that is not known yet: the look is answered, whoever tells of the channel first."""

from __future__ import annotations

import pytest
from core_world import T0, Core, ref, signed_in

from allthepoints.base.types import SeId
from allthepoints.core import facts as f
from allthepoints.core import facts_points as fp
from allthepoints.core.loyalty import LoyaltyChannel
from allthepoints.core.policy import Policy

ALPHA = ref(0)
FOUND = LoyaltyChannel(SeId("se0"), ALPHA)


@pytest.mark.parametrize("told_meanwhile", [False, True])
def test_a_look_is_not_forgotten_when_twitch_tells_of_the_channel_meanwhile(told_meanwhile: bool) -> None:
    core = Core(Policy())
    core.turn(fp.LookAsked(T0, ALPHA.login))
    if told_meanwhile:
        core.turn(signed_in(), f.FollowsRead(T0, (ALPHA,)))
    core.turn(fp.LoyaltyFound(T0 + 1, ALPHA.login, FOUND))
    assert core.observed.elements.purses[ALPHA.id].looked_at == T0 + 1
