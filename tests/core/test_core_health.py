"""The warnings: each appears, waits its delay, says what to do, and goes with its cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from core_world import T0, Core, World, at_work, live, logins, ref, signed_in

from allthepoints.base.types import ItemId, Login, SeId
from allthepoints.core import facts as f
from allthepoints.core import facts_points as fp
from allthepoints.core.health import TABLE, warnings
from allthepoints.core.loyalty import Balance, Bought, JwtState, Loyalty, LoyaltyChannel, Viewer
from allthepoints.core.model import Lost, Why
from allthepoints.core.policy import Policy, Wish
from allthepoints.core.redeem import Redemption, State

A, B = logins(0, 1)
GONE = Login("gone")


def codes(core: Core, at: float | None = None) -> list[str]:
    return [w.code for w in warnings(core.policy, core.observed, core.now if at is None else at)]


def lost_sign_in(core: Core) -> f.Fact:
    return f.SignInLost(T0 + 1, "the refresh token was used already")


def with_facts(*facts: f.Fact, policy: Policy | None = None) -> Callable[[], Core]:
    def make() -> Core:
        core = at_work(0, policy=policy)
        core.turn(*facts)
        return core

    return make


def refused_twice() -> Core:
    core = at_work(0)
    core.turn(f.ConnectionLost(T0 + 1, 1, Lost.LOGIN, 0.0, "Login authentication failed"))
    core.turn(signed_in(T0 + 2))
    core.turn(now=core.now + 1)
    core.turn(f.ConnectionLost(T0 + 5, 2, Lost.LOGIN, 0.0, "Login authentication failed"))
    return core


def failing(what: str, count: int) -> list[f.Fact]:
    return [f.ReadFailed(T0 + n, what, "502 Bad Gateway", 0.5) for n in range(1, count + 1)]


def elements_failing(count: int) -> list[f.Fact]:
    return [fp.ElementsFailed(T0 + n, "balance", "502 Bad Gateway.", 0.5) for n in range(1, count + 1)]


def token(at: float, state: JwtState = JwtState.GOOD, ends: float | None = None, whose: str = "1") -> fp.JwtSeen:
    return fp.JwtSeen(at, state, ends, Viewer(SeId("own"), "somebody", whose))


OWN = SeId("own")


def doubtful() -> Core:
    """A redemption whose answer never came."""
    core = at_work(0)
    sent = Redemption("k", ref(0).id, A, ItemId("i"), 5, T0, State.SENT, SeId("se"), "Mug", sent_at=T0 + 3, account=OWN)
    core.observed.elements.redemptions["k"] = sent
    core.turn(now=T0 + 3)
    return core


def doubtful_elsewhere() -> Core:
    """The same, of another account than the one that is signed in now."""
    core = doubtful()
    doubt = core.observed.elements.redemptions["k"]
    core.observed.elements.redemptions["k"] = replace(doubt, account=SeId("theirs"), account_login="them")
    core.turn(token(T0 + 3))
    return core


def settled(at: float) -> fp.HistoryRead:
    return fp.HistoryRead(at, (Bought("b", SeId("se"), ItemId("i"), at),), OWN)


def flat() -> Core:
    """A chat that has us and pays nothing."""
    core = at_work(0)
    core.turn(f.JoinWritten(T0, 1, (A,)), f.Joined(T0, 1, A))
    core.turn(fp.LoyaltyFound(T0, A, LoyaltyChannel(SeId("se"), ref(0))))
    core.turn(fp.LoyaltyRead(T0, ref(0).id, Loyalty(amount=5, interval=600.0)))
    for minute in range(0, 36, 5):
        core.turn(fp.BalanceRead(T0 + 60 * minute, ref(0).id, Balance(100)), live(T0 + 60 * minute, 0))
    return core


def wishing() -> Core:
    """Automatic wishes that nobody said yes to."""
    return at_work(0, policy=Policy(wishes=(Wish(A, "Mug", auto=True, max_cost=10),)))


DAY = 86_400.0

# how it comes about, code, since, delay, how it ends
CASES: list[tuple[Callable[[], Core], str, float, float, list[f.Fact]]] = [
    (with_facts(f.SignInLost(T0 + 1, "revoked")), "sign_in_needed", 1, 0, [signed_in(T0 + 50)]),
    (refused_twice, "chat_refuses_token", 1, 0, [f.Ticked(T0 + 602), signed_in(T0 + 603), f.Welcomed(T0 + 604, 3)]),
    (with_facts(f.StorageFailed(T0 + 3, "disk full")), "storage_failing", 3, 0, [f.StorageWorks(T0 + 90)]),
    (with_facts(f.ConfigRejected(T0 + 4, "line 3")), "config_rejected", 4, 0, [f.ConfigTaken(T0 + 90)]),
    (
        with_facts(f.ConfigTaken(T0 + 4, ("twitch.client_id",)), f.ConfigTaken(T0 + 5, ("dashboard.listen",))),
        "restart_needed",
        4,
        0,
        [f.ConfigTaken(T0 + 90)],
    ),
    (
        with_facts(f.ConnectionLost(T0 + 5, 1, Lost.RESET, 0.0)),
        "chat_disconnected",
        5,
        30,
        [f.Ticked(T0 + 60), f.Welcomed(T0 + 61, 2)],
    ),
    (with_facts(f.SignInUnknown(T0 + 6, "503", 0.5)), "sign_in_unchecked", 6, 60, [signed_in(T0 + 90)]),
    (with_facts(*failing("live", 3)), "helix_failing", 1, 0, [f.LiveRead(T0 + 9, frozenset(), frozenset(), ())]),
    (with_facts(*failing("follows", 3)), "follows_stale", 1, 0, [f.FollowsRead(T0 + 9, (ref(0),))]),
    (with_facts(f.HelixPoints(T0 + 7, 20, 800, T0 + 60)), "helix_points_low", 7, 0, [f.Ticked(T0 + 70)]),
    (with_facts(signed_in(T0, follows=False)), "follows_unreadable", 0, 0, [signed_in(T0 + 90)]),
    (
        with_facts(f.JoinWritten(T0, 1, (A,)), f.JoinRefused(T0 + 8, 1, A, Why.ROOM_LIMIT)),
        "room_limit",
        8,
        0,
        [f.Ticked(T0 + 60), f.JoinWritten(T0 + 60, 1, (A,)), f.Joined(T0 + 61, 1, A)],
    ),
    (
        with_facts(f.UsersRead(T0 + 9, (), frozenset(), frozenset({GONE})), policy=Policy(include=(GONE,))),
        "channel_not_found",
        9,
        0,
        [f.UsersRead(T0 + 90, (f.ChannelRef(ref(7).id, GONE, "Gone"),), frozenset(), frozenset())],
    ),
    (
        with_facts(f.JoinWritten(T0, 1, (A,)), f.JoinRefused(T0 + 8, 1, A, Why.BANNED)),
        "channels_refused",
        8,
        0,
        [f.RetryAsked(T0 + 60, A)],
    ),
    (
        lambda: at_work(0, 1, policy=Policy(max_rooms=1)),
        "waiting_for_rooms",
        0,
        0,
        [f.FollowsRead(T0 + 60, (ref(0),)), f.Ticked(T0 + 60)],
    ),
    (with_facts(*elements_failing(3)), "streamelements_failing", 1, 0, [fp.BalanceRead(T0 + 9, ref(0).id, Balance(1))]),
    (doubtful, "redemption_unknown", 3, 0, [settled(T0 + 30)]),
    (doubtful_elsewhere, "redemption_unknown_elsewhere", 3, 0, [fp.SettleAsked(T0 + 300, "k", False)]),
    (flat, "channels_flat", 1800, 0, [fp.BalanceRead(T0 + 2101, ref(0).id, Balance(105))]),
    (with_facts(token(T0 + 4, JwtState.EXPIRED, T0 - 9)), "jwt_expired", -9, 0, [token(T0 + 90)]),
    (with_facts(token(T0 + 4, JwtState.REFUSED)), "jwt_refused", 4, 0, [token(T0 + 90)]),
    (with_facts(token(T0 + 4, JwtState.MALFORMED)), "jwt_malformed", 4, 0, [token(T0 + 90)]),
    (with_facts(token(T0 + 4, whose="77")), "jwt_wrong_account", 4, 0, [token(T0 + 90)]),
    (with_facts(token(T0 + 4, ends=T0 + DAY)), "jwt_ends_tomorrow", 0, 0, [token(T0 + 90, ends=T0 + 30 * DAY)]),
    (with_facts(token(T0 + 4, ends=T0 + 7 * DAY)), "jwt_ends_soon", 0, 0, [token(T0 + 90, ends=T0 + 30 * DAY)]),
    (wishing, "auto_wishes_wait", 0, 0, [fp.AutoAllowed(T0 + 60, True)]),
]


@pytest.mark.parametrize(("make", "code", "since", "delay", "cure"), CASES, ids=[case[1] for case in CASES])
def test_each_warning(make: Callable[[], Core], code: str, since: float, delay: float, cure: list[f.Fact]) -> None:
    core = make()
    begin = T0 + since
    if delay:
        assert code not in codes(core, begin + delay - 0.1)
    shown = {w.code: w for w in warnings(core.policy, core.observed, max(begin + delay, core.now))}
    assert list(shown) == [code]
    assert shown[code].since == begin
    assert shown[code].severity in ("info", "warning", "error")
    assert "{" not in shown[code].text
    assert shown[code].text.endswith(".")
    for fact in cure:
        core.turn(fact)
    assert codes(core) == []


def test_every_row_has_a_case() -> None:
    assert {row.code for row in TABLE} == {case[1] for case in CASES}


def test_what_hides_stands_above_what_it_hides() -> None:
    order = [row.code for row in TABLE]
    for row in TABLE:
        assert all(order.index(cause) < order.index(row.code) for cause in row.hidden_by)
    severities = ["error", "warning", "info"]
    ranks = [severities.index(row.severity) for row in TABLE]
    assert ranks == sorted(ranks), "worst first"


def test_details_are_in_the_text() -> None:
    core = at_work(0, policy=Policy(include=(GONE, Login("nobody"))))
    core.turn(f.SignInLost(T0 + 1, "the password was changed."))
    core.turn(f.UsersRead(T0 + 2, (), frozenset(), frozenset({GONE, Login("nobody")})))
    texts = {w.code: w.text for w in warnings(core.policy, core.observed, T0 + 2)}
    assert "The password was changed. Chats" in texts["sign_in_needed"]
    assert "`allthepoints login`" in texts["sign_in_needed"]
    assert "gone, nobody" in texts["channel_not_found"]


def test_a_lost_sign_in_hides_what_follows_from_it() -> None:
    core = at_work(0)
    core.turn(*failing("live", 5))
    core.turn(f.SignInLost(T0 + 6, "revoked"), f.ConnectionLost(T0 + 6, 1, Lost.CLOSED, 0.0))
    assert codes(core, T0 + 600) == ["sign_in_needed"]


@pytest.mark.parametrize(
    ("what", "before", "after"),
    [
        ("follows", Policy(), Policy(followed=False, include=(A,))),
        ("users", Policy(include=(GONE,)), Policy()),
        ("live", Policy(followed=False, include=(A,)), Policy(followed=False)),
    ],
)
def test_what_nobody_asks_any_more_is_not_failing(what: str, before: Policy, after: Policy) -> None:
    """A changed config ends the reading, and with it the warning, which would stay for ever."""
    core = at_work(0, policy=before)
    for fact in failing(what, 3):
        core.turn(fact)
    assert codes(core) == ["follows_stale" if what == "follows" else "helix_failing"]
    core.policy = after
    core.turn(f.ConfigTaken(T0 + 4))
    core.turn(now=T0 + 60)
    assert not core.observed.reads[what].pending
    assert codes(core) == []


def test_one_lost_poll_is_nothing() -> None:
    core = at_work(0)
    core.turn(*failing("live", 2))
    assert codes(core, T0 + 600) == []


def test_disconnected_is_nothing_while_nobody_is_live() -> None:
    core = Core()
    core.turn(signed_in())
    core.turn(f.ConnectionLost(T0 + 1, 1, Lost.CONNECT, 0.5))
    assert codes(core, T0 + 600) == []


def test_never_connected_is_told_too() -> None:
    world = World(Policy())
    world.add(0)
    world.go_live(0)
    world.chat_down = True
    world.run(25)
    assert codes(world.core) == []
    world.run(30)
    assert codes(world.core) == ["chat_disconnected"]


def test_an_error_with_braces_in_it_is_shown_as_it_is() -> None:
    core = at_work(0)
    core.turn(f.ConfigRejected(T0 + 1, 'line 3: {"a": 1} is no table'))
    assert '{"a": 1} is no table' in warnings(core.policy, core.observed, T0 + 1)[0].text


@pytest.mark.parametrize(
    ("error", "shown"),
    [("at line 3", "line 3. The"), ("it has no key.", "has no key. The"), ("did you mean a?", "you mean a? The")],
)
def test_an_error_of_the_config_ends_as_a_sentence_does(error: str, shown: str) -> None:
    core = Core(Policy())
    core.turn(f.ConfigRejected(T0 + 1, error))
    (warning,) = [w for w in warnings(core.policy, core.observed, T0 + 2) if w.code == "config_rejected"]
    assert f"{shown} config from before goes on" in warning.text


def test_two_answers_of_streamelements_that_fail_are_no_outage() -> None:
    core = at_work(0)
    for n in (1, 2):
        core.turn(fp.ElementsFailed(T0 + n, "items", "502", 0.5, ref(0).id))
    assert "streamelements_failing" not in codes(core, T0 + 7200)
    core.turn(fp.ElementsFailed(T0 + 3, "items", "502", 0.5, ref(0).id))
    assert "streamelements_failing" in codes(core, T0 + 7200)
