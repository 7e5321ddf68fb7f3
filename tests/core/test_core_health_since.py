"""Since when something is told of sign-in, chat and Helix, what hides what, and what is no trouble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from core_health import (
    BANNED,
    BOTH,
    CAP,
    CUT,
    FAILS,
    FORMER,
    GONE,
    LATER,
    LOST,
    MUTE,
    NOBODY,
    REFUSED,
    SUSPENDED,
    well,
)
from core_room import ALPHA, T

from allthepoints.core.facts import HelixPoints
from allthepoints.core.health import warnings
from allthepoints.core.observed import Connection, Phase
from allthepoints.core.policy import Policy

POLICY = Policy()


@pytest.mark.parametrize(
    ("changed", "policy", "told"),
    [
        (
            {**CUT, "connections": {1: Connection(1, Phase.READY, doomed=True), 2: Connection(2, Phase.CLOSING)}},
            POLICY,
            [("chat_disconnected", T - 30)],
        ),
        ({"reads.live": LATER}, POLICY, [("helix_failing", T - 40)]),
        ({"reads.users": FAILS}, POLICY, [("helix_failing", T - 20)]),
        (
            {"reads.live": FAILS, "reads.users": replace(FAILS, failing_since=T - 21)},
            POLICY,
            [("helix_failing", T - 21)],
        ),
        (
            {"reads.follows": LATER, "sign_in.failing_since": T - 61, "points": HelixPoints(T - 7, 0, 800, T)},
            POLICY,
            [("sign_in_unchecked", T - 61), ("follows_stale", T - 40), ("helix_points_low", T - 7)],
        ),
        (
            {"channels.7.refusal": MUTE, "not_found": {GONE: T - 4}},
            Policy(include=(GONE,)),
            [("channel_not_found", T - 4), ("channels_refused", T - 7)],
        ),
        (
            {**LOST, **CUT, **REFUSED, "sign_in.failing_since": T - 90, "may_read_follows": False},
            POLICY,
            [("sign_in_needed", T - 5)],
        ),
        (
            {**LOST, "reads.live": FAILS, "reads.follows": FAILS, "cap": CAP, "storage_error": (T, "full")},
            POLICY,
            [("sign_in_needed", T - 5), ("storage_failing", T), ("room_limit", T - 8)],
        ),
        (
            {**REFUSED, **CUT, "sign_in.failing_since": T - 90},
            POLICY,
            [("chat_refuses_token", T - 9), ("sign_in_unchecked", T - 90)],
        ),
        ({"reads.live": FAILS, "reads.follows": FAILS}, POLICY, [("helix_failing", T - 20)]),
        ({**BOTH, **CUT}, Policy(max_rooms=1), [("chat_disconnected", T - 30)]),
        ({**BOTH, **LOST}, Policy(max_rooms=1), [("sign_in_needed", T - 5)]),
        ({**BOTH, "cap": CAP}, Policy(max_rooms=1), [("room_limit", T - 8)]),
        (
            {**BOTH, "channels.7.refusal": SUSPENDED, "channels.8.refusal": BANNED},
            POLICY,
            [("channels_refused", T - 8)],
        ),
        ({**BOTH, "channels.7.refusal": BANNED, "channels.8.refusal": FORMER}, POLICY, [("channels_refused", T - 8)]),
    ],
)
def test_since_when(changed: Mapping[str, object], policy: Policy, told: list[tuple[str, float]]) -> None:
    assert [(w.code, w.since) for w in warnings(policy, well(changed), T)] == told


@pytest.mark.parametrize(
    ("changed", "policy"),
    [
        ({}, POLICY),
        ({**REFUSED, "sign_in.chat_refusals": 1}, POLICY),
        ({**CUT, "disconnected_since": T - 29.9}, POLICY),
        ({**CUT, "connections": {1: Connection(1, doomed=True), 2: Connection(2, Phase.READY)}}, POLICY),
        ({**CUT, "live": set(), "channels.7.live": False}, POLICY),
        ({"sign_in.failing_since": T - 59.9}, POLICY),
        ({"reads.live": replace(FAILS, failures=2)}, POLICY),
        ({"reads.users": replace(LATER, not_before=T - 10)}, POLICY),
        ({"points": HelixPoints(T - 60.1, 79, 800, T)}, POLICY),
        ({"points": HelixPoints(T - 7, 80, 800, T)}, POLICY),
        ({"may_read_follows": False}, Policy(followed=False, include=(ALPHA,))),
        ({"may_read_follows": False, "account": None}, POLICY),
        ({"cap": CAP, "live": set(), "channels.7.live": False}, POLICY),
        ({"not_found": {ALPHA: T - 9}}, Policy(include=(ALPHA, NOBODY))),
        ({"not_found": {GONE: T - 9}}, POLICY),
        ({"channels.7.refusal": replace(MUTE, until=T)}, POLICY),
        ({"channels.8.refusal": BANNED}, POLICY),
        ({"channels.7.refusal": BANNED}, Policy(exclude=frozenset({ALPHA}))),
        ({"channels.7.refusal": BANNED}, Policy(paused=frozenset({ALPHA}))),
        ({**BOTH, "stale": True}, Policy(max_rooms=1)),
        (BOTH, Policy(max_rooms=2)),
        ({**BOTH, "channels.8.stream": None}, Policy(max_rooms=1)),
        ({**BOTH, "channels.8.stream": None, "channels.8.refusal": BANNED}, POLICY),
    ],
)
def test_what_is_no_trouble(changed: Mapping[str, object], policy: Policy) -> None:
    assert warnings(policy, well(changed), T) == ()
