"""The warnings of points and redemptions, whole: when they hold, since when, and each word."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_room import BETA, ID, T, state

from allthepoints.base.types import ItemId, Login, SeId, StreamId, UserId
from allthepoints.core.elements import Elements, Jwt
from allthepoints.core.health import warnings
from allthepoints.core.health_points import POINTS
from allthepoints.core.loyalty import JwtState, Viewer
from allthepoints.core.model import Account, ChannelRef, Stream, StreamKind
from allthepoints.core.observed import Channel, Observed
from allthepoints.core.policy import Policy, Wish
from allthepoints.core.redeem import Redemption, State

DAY = 86_400.0
ME = Account(UserId("1"), Login("me"))
OWN, THEIRS = Viewer(SeId("own"), "me", "1"), Viewer(SeId("theirs"), "Them", "2")
POLICY = Policy()
ALPHA = Login("alpha")


def known(**elements: object) -> Observed:
    """We know who we are, and this of StreamElements."""
    o = state()
    o.account, o.may_read_follows = ME, True
    for name, value in elements.items():
        setattr(o.elements, name, value)
    return o


def shown(o: Observed, policy: Policy = POLICY, now: float = T) -> list[tuple[str, str, float, str]]:
    """All that is told, as a person reads it."""
    return [(w.code, w.severity, w.since, w.text) for w in warnings(policy, o, now)]


def since(code: str, o: Observed, policy: Policy = POLICY, now: float = T) -> float | None:
    (row,) = (row for row in POINTS if row.code == code)
    return row.since(policy, o, now)


def detail(code: str, o: Observed) -> str:
    (row,) = (row for row in POINTS if row.code == code)
    return row.detail(POLICY, o, T)


# -- no answer -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("failures", "told"), [(0, False), (2, False), (3, True), (9, True)])
def test_streamelements_does_not_answer(failures: int, told: bool) -> None:
    o = known(failures=failures, failing_since=T - 90, error="502 of NGINX...")
    text = (
        "Asking it fails: 502 of NGINX. What you have there is not known meanwhile; points come all the same while "
        "you are in the chats. Nothing to do; it is tried again by itself."
    )
    assert shown(o) == ([("streamelements_failing", "warning", T - 90, text)] if told else [])


# -- redemptions ---------------------------------------------------------------------------------------------------
def unclear(
    key: str, name: str = "", sent: float | None = None, account: str | None = "own", login: str = "me"
) -> Redemption:
    whose = None if account is None else SeId(account)
    item = ItemId(f"item-{key}")
    at = None if sent is None else T + sent
    redemption = Redemption(key, ID, ALPHA, item, 5, T - 99, State.UNKNOWN, name=name, sent_at=at)
    return replace(redemption, account=whose, account_login=login)


def bought(*redemptions: Redemption, viewer: Viewer | None = OWN) -> Observed:
    jwt = Jwt(JwtState.GOOD, viewer=viewer)
    return known(jwt=jwt, redemptions={redemption.key: redemption for redemption in redemptions})


UNKNOWN, ELSEWHERE = "redemption_unknown", "redemption_unknown_elsewhere"
MINE, OTHERS = unclear("a", "Mug", -30.0), unclear("b", "Cup", -40.0, "theirs", "Them")
NOBODYS = unclear("c", "Hat", -50.0, None, "")


@pytest.mark.parametrize(
    ("o", "here", "elsewhere"),
    [
        (bought(), None, None),
        (bought(MINE), (T - 30, "Mug"), None),
        (bought(MINE, viewer=None), (T - 30, "Mug"), None),
        (bought(OTHERS), None, (T - 40, "Cup (sent as Them)")),
        (bought(OTHERS, viewer=None), (T - 40, "Cup"), None),
        (bought(OTHERS, viewer=THEIRS), (T - 40, "Cup"), None),
        (bought(NOBODYS), None, (T - 50, "Hat (sent as an account that was not kept)")),
        (bought(NOBODYS, viewer=None), None, (T - 50, "Hat (sent as an account that was not kept)")),
        (bought(unclear("d")), (T - 99, "item-d"), None),  # nobody knows when it was sent, nor its name
        (bought(unclear("d", account=None)), None, (T - 99, "item-d (sent as me)")),
        (
            bought(
                MINE,
                unclear("d", "Pin", -60.0),
                unclear("e", "Cap", -10.0),
                OTHERS,
                NOBODYS,
                unclear("f", "Box", -20.0, "theirs", "Them"),
            ),
            (T - 60, "Cap, Mug, Pin"),
            (T - 50, "Box (sent as Them), Cup (sent as Them), Hat (sent as an account that was not kept)"),
        ),
        *(
            (bought(replace(MINE, state=one), replace(OTHERS, state=one)), None, None)
            for one in State
            if one != "unknown"
        ),
    ],
)
def test_redemptions_whose_answer_never_came(
    o: Observed, here: tuple[float, str] | None, elsewhere: tuple[float, str] | None
) -> None:
    assert (since(UNKNOWN, o), detail(UNKNOWN, o)) == (here or (None, ""))
    assert (since(ELSEWHERE, o), detail(ELSEWHERE, o)) == (elsewhere or (None, ""))
    codes = [code for code, *_ in shown(o) if code != "jwt_wrong_account"]
    assert codes == [UNKNOWN] * bool(here) + [ELSEWHERE] * bool(elsewhere)


def test_what_is_to_be_done_about_them() -> None:
    assert [text for *_, text in shown(bought(MINE, OTHERS))] == [
        "Mug: no answer came. It is not sent again; your redemptions at StreamElements are read until it is clear. Do "
        "not buy it a second time before that. Should it stay so, `allthepoints redemptions settle KEY` ends it.",
        "Cup (sent as Them): no answer came, and the present StreamElements sign-in sees nothing of it. Log in at "
        "StreamElements as that account and run `allthepoints login streamelements`; or look there yourself, and end "
        "it with `allthepoints redemptions settle KEY`.",
    ]


@pytest.mark.parametrize(
    ("count", "named"),
    [
        (1, "a"),
        (5, "a, b, c, d, e"),
        (6, "a, b, c, d, e and 1 more"),
    ],
)
def test_a_few_are_named_and_the_others_counted(count: int, named: str) -> None:
    names = "abcdefghijkl"[:count]
    assert detail(UNKNOWN, bought(*(unclear(name, name) for name in reversed(names)))) == named


# -- chats that pay nothing ----------------------------------------------------------------------------------------
def sits(o: Observed, channel: UserId, login: str, present: float | None, flat: float | None) -> None:
    """We are in since then, on the air since T - 5000, and nothing is paid since `flat`."""
    ref = ChannelRef(channel, Login(login), login.title())
    o.channels[channel] = Channel(ref, live=True, stream=Stream(StreamId("s"), ref, StreamKind.LIVE, "", T - 5000))
    o.channels[channel].present_since = None if present is None else T + present
    o.live.add(channel)
    if flat is not None:
        o.elements.flat[channel] = T + flat


@pytest.mark.parametrize(
    ("first", "second", "begun", "named"),
    [
        ((-900, None), (-900, None), None, ""),
        ((-900, -400), (-900, None), -400, "alpha"),
        ((-300, -400), (-900, None), -300, "alpha"),  # left, and come back
        ((None, -400), (-900, None), None, ""),
        ((-900, -5000), (-900, None), -900, "alpha"),
        ((-900, -5001), (-900, None), None, ""),  # that was an earlier session
        ((-900, -400), (-900, -500), -500, "alpha, beta"),
        ((-900, -500), (-900, -400), -500, "alpha, beta"),
        ((-300, -400), (-200, -500), -300, "alpha, beta"),
    ],
)
def test_chats_that_pay_nothing(
    first: tuple[float | None, float | None], second: tuple[float, float | None], begun: float | None, named: str
) -> None:
    o = known()
    sits(o, BETA, "beta", *second)
    sits(o, ID, "alpha", *first)
    text = (
        f"{named}: no points for half an hour, though you are in. `allthepoints points NAME` tells the likely causes, "
        "and what you can do."
    )
    assert shown(o) == ([] if begun is None else [("channels_flat", "warning", T + begun, text)])


def test_who_pays_nothing_and_is_gone_is_not_told() -> None:
    o = known(flat={UserId("99"): T - 60, BETA: T - 60})
    sits(o, ID, "alpha", -900, -400)
    o.channels[ID].live = False
    o.live.clear()
    assert shown(o) == []


@pytest.mark.parametrize("cause", ["streamelements_failing", "helix_failing"])
def test_who_pays_nothing_is_not_told_beside_its_cause(cause: str) -> None:
    o = known()
    sits(o, ID, "alpha", -900, -400)
    if cause == "helix_failing":
        o.reads["live"].failures, o.reads["live"].failing_since, o.reads["live"].pending = 3, T - 9, True
    else:
        o.elements.failures, o.elements.failing_since = 3, T - 9
    assert [code for code, *_ in shown(o)] == [cause]


# -- the token -----------------------------------------------------------------------------------------------------
ENDED = "jwt_expired"
TOMORROW, SOON = "jwt_ends_tomorrow", "jwt_ends_soon"
AGAIN = "After that nothing can be redeemed. Run `allthepoints login streamelements` with a fresh token."
TAKES = "Nothing can be redeemed until you run `allthepoints login streamelements`"
GOES_ON = "Points and balances go on without it."


@pytest.mark.parametrize(
    ("jwt", "expect"),
    [
        (Jwt(), []),
        (Jwt(JwtState.GOOD, viewer=OWN), []),
        (Jwt(JwtState.EXPIRED, T - 70), [(ENDED, "warning", T - 70, f"{TAKES}. {GOES_ON}")]),
        (Jwt(JwtState.EXPIRED), [(ENDED, "warning", T, f"{TAKES}. {GOES_ON}")]),
        (Jwt(JwtState.GOOD, T, OWN), [(ENDED, "warning", T, f"{TAKES}. {GOES_ON}")]),
        (
            Jwt(JwtState.REFUSED, T + DAY / 2, OWN, T - 80),
            [("jwt_refused", "warning", T - 80, f"{TAKES} with a fresh token. {GOES_ON}")],
        ),
        (Jwt(JwtState.MALFORMED, checked_at=T - 80), [("jwt_malformed", "warning", T - 80, f"{TAKES}. {GOES_ON}")]),
        (
            Jwt(JwtState.GOOD, T + DAY / 2, THEIRS, T - 80),
            [
                (
                    "jwt_wrong_account",
                    "warning",
                    T - 80,
                    "It belongs to Them, so nothing is redeemed with it. Log in at StreamElements with the right "
                    "account, and run `allthepoints login streamelements`.",
                )
            ],
        ),
        (Jwt(JwtState.GOOD, T + 1, OWN), [(TOMORROW, "warning", T + 1 - DAY, AGAIN)]),
        (Jwt(JwtState.GOOD, T + DAY, OWN), [(TOMORROW, "warning", T, AGAIN)]),
        (Jwt(JwtState.GOOD, T + DAY + 1, OWN), [(SOON, "info", T + 1 - 6 * DAY, AGAIN)]),
        (Jwt(JwtState.GOOD, T + 7 * DAY, OWN), [(SOON, "info", T, AGAIN)]),
        (Jwt(JwtState.GOOD, T + 7 * DAY + 1, OWN), []),
    ],
)
def test_what_is_said_of_the_token(jwt: Jwt, expect: list[tuple[str, str, float, str]]) -> None:
    o = known(jwt=jwt)
    assert shown(o) == expect
    told = {code: at for code, _, at, _ in expect}
    for code in (ENDED, "jwt_refused", "jwt_malformed", "jwt_wrong_account", TOMORROW):
        assert since(code, o) == told.get(code)


@pytest.mark.parametrize("ends", [None, 0.0, 3600.0, 3 * DAY])
@pytest.mark.parametrize("jwt", JwtState)
def test_an_end_is_near_for_a_good_token_alone(jwt: JwtState, ends: float | None) -> None:
    o = known(jwt=Jwt(jwt, None if ends is None else T + ends, OWN))
    near = jwt is JwtState.GOOD and ends is not None and ends > 0.0
    assert since(SOON, o) == (T + (ends or 0.0) - 7 * DAY if near else None)
    assert since(TOMORROW, o) == (T + 3600.0 - DAY if near and ends == 3600.0 else None)


def test_whose_it_is_where_nobody_said_so() -> None:
    assert detail("jwt_wrong_account", Observed(elements=Elements(jwt=Jwt(JwtState.WRONG_ACCOUNT)))) == "somebody else"


# -- wishes --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("autos", "notes", "waits"),
    [
        ((), {}, False),
        ((False,), {}, False),
        ((False, True), {}, True),
        ((True, True), {"auto_allowed": "yes"}, False),
        ((True,), {"other": "yes"}, True),
    ],
)
def test_automatic_wishes_wait_for_a_yes(autos: tuple[bool, ...], notes: dict[str, str], waits: bool) -> None:
    policy = Policy(wishes=tuple(Wish(ALPHA, "Mug", auto=auto) for auto in autos))
    text = (
        "The config has wishes with `auto = true`. They spend points while you are away, so they need your yes once: "
        "`allthepoints wish allow`. Until then they are told, and not bought."
    )
    assert shown(known(notes=notes), policy) == ([("auto_wishes_wait", "info", T, text)] if waits else [])


# -- titles --------------------------------------------------------------------------------------------------------
def test_what_each_is_called() -> None:
    assert shown(known()) == []
    assert {row.code: (row.severity, row.title) for row in POINTS} == {
        "streamelements_failing": ("warning", "StreamElements does not answer"),
        "redemption_unknown": ("warning", "It is not known whether something was bought"),
        "redemption_unknown_elsewhere": ("warning", "What became of a redemption, only another account can tell"),
        "channels_flat": ("warning", "Chats that pay nothing"),
        "jwt_expired": ("warning", "The StreamElements sign-in has ended"),
        "jwt_refused": ("warning", "StreamElements does not take your sign-in there"),
        "jwt_malformed": ("warning", "What is stored for StreamElements is no token"),
        "jwt_wrong_account": ("warning", "The StreamElements sign-in is another account's"),
        "jwt_ends_tomorrow": ("warning", "The StreamElements sign-in ends within a day"),
        "jwt_ends_soon": ("info", "The StreamElements sign-in ends within a week"),
        "auto_wishes_wait": ("info", "Automatic wishes wait for your yes"),
    }
