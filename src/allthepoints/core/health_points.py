"""What may be wrong with points, the store and redemptions: the rows of `core.health` that concern StreamElements."""

from __future__ import annotations

from collections.abc import Sequence

from allthepoints.base.types import Login
from allthepoints.core.apply_points import TOLD_AFTER
from allthepoints.core.apply_redeem import AUTO_ALLOWED, jwt_state
from allthepoints.core.loyalty import JwtState
from allthepoints.core.observed import Observed
from allthepoints.core.policy import Policy
from allthepoints.core.redeem import Redemption, State
from allthepoints.core.warning import INFO, WARNING, Row
from allthepoints.core.worth import flat_since

NAMED = 5
"""Channels that a warning names; the others are counted."""

DAY = 86_400.0


def _elements_failing(_policy: Policy, o: Observed, _now: float) -> float | None:
    return o.elements.failing_since if o.elements.failures >= TOLD_AFTER else None


def _flat_since(_policy: Policy, o: Observed, _now: float) -> float | None:
    return min((since for _, since in _flat(o)), default=None)


def _jwt_in(state: JwtState, o: Observed, now: float) -> float | None:
    return o.elements.jwt.checked_at if jwt_state(o, now) is state else None


def _jwt_expired(_policy: Policy, o: Observed, now: float) -> float | None:
    return (o.elements.jwt.expires_at or now) if jwt_state(o, now) is JwtState.EXPIRED else None


def _jwt_ends(days: int, o: Observed, now: float) -> float | None:
    """Since so many days before the end of a good token."""
    ends = o.elements.jwt.expires_at
    if ends is None or jwt_state(o, now) is not JwtState.GOOD or now < ends - days * DAY:
        return None
    return ends - days * DAY


def _redemption_unknown(_policy: Policy, o: Observed, _now: float) -> float | None:
    return min((r.sent_at or r.asked_at for r in _unclear(o) if not _is_anothers(o, r)), default=None)


def _redemption_anothers(_policy: Policy, o: Observed, _now: float) -> float | None:
    return min((r.sent_at or r.asked_at for r in _unclear(o) if _is_anothers(o, r)), default=None)


def _auto_waits(policy: Policy, o: Observed, now: float) -> float | None:
    waits = any(wish.auto for wish in policy.wishes) and AUTO_ALLOWED not in o.elements.notes
    return now if waits else None


# -- details -------------------------------------------------------------------------------------------------------
def _flat(o: Observed) -> list[tuple[Login, float]]:
    """The channels we are in that pay nothing, and since when that is known."""
    found = []
    for channel_id in o.elements.flat.keys() & o.live:
        channel, since = o.channels[channel_id], flat_since(o, channel_id)
        if since is not None and channel.earns and channel.present_since is not None:
            found.append((channel.ref.login, max(since, channel.present_since)))
    return found


def _names(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(sorted(names)[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _unclear(o: Observed) -> list[Redemption]:
    return [r for r in o.elements.redemptions.values() if r.state is State.UNKNOWN]


def _is_anothers(o: Observed, redemption: Redemption) -> bool:
    """Whether the token that we have reads nothing of it: it is another account's, or nobody kept whose it is."""
    viewer = o.elements.jwt.viewer
    return redemption.account is None or (viewer is not None and viewer.id != redemption.account)


def _item(redemption: Redemption) -> str:
    return redemption.name or redemption.item


def _sent_as(redemption: Redemption) -> str:
    whose = redemption.account_login or "an account that was not kept"
    return f"{_item(redemption)} (sent as {whose})"


# -- the table -----------------------------------------------------------------------------------------------------
POINTS: tuple[Row, ...] = (
    Row(
        "streamelements_failing",
        WARNING,
        "StreamElements does not answer",
        "Asking it fails: {detail}. What you have there is not known meanwhile; points come all the same while you are "
        "in the chats. Nothing to do; it is tried again by itself.",
        since=_elements_failing,
        detail=lambda _p, o, _n: o.elements.error.rstrip("."),
    ),
    Row(
        "redemption_unknown",
        WARNING,
        "It is not known whether something was bought",
        "{detail}: no answer came. It is not sent again; your redemptions at StreamElements are read until it is "
        "clear. Do not buy it a second time before that. Should it stay so, `allthepoints redemptions settle KEY` ends "
        "it.",
        since=_redemption_unknown,
        detail=lambda _p, o, _n: _names([_item(r) for r in _unclear(o) if not _is_anothers(o, r)]),
    ),
    Row(
        "redemption_unknown_elsewhere",
        WARNING,
        "What became of a redemption, only another account can tell",
        "{detail}: no answer came, and the present StreamElements sign-in sees nothing of it. Log in at StreamElements "
        "as that account and run `allthepoints login streamelements`; or look there yourself, and end it with "
        "`allthepoints redemptions settle KEY`.",
        since=_redemption_anothers,
        detail=lambda _p, o, _n: _names([_sent_as(r) for r in _unclear(o) if _is_anothers(o, r)]),
    ),
    Row(
        "channels_flat",
        WARNING,
        "Chats that pay nothing",
        "{detail}: no points for half an hour, though you are in. `allthepoints points NAME` tells the likely causes, "
        "and what you can do.",
        since=_flat_since,
        detail=lambda _p, o, _n: _names([login for login, _ in _flat(o)]),
        hidden_by=("streamelements_failing", "helix_failing"),
    ),
    Row(
        "jwt_expired",
        WARNING,
        "The StreamElements sign-in has ended",
        "Nothing can be redeemed until you run `allthepoints login streamelements`. Points and balances go on without "
        "it.",
        since=_jwt_expired,
    ),
    Row(
        "jwt_refused",
        WARNING,
        "StreamElements does not take your sign-in there",
        "Nothing can be redeemed until you run `allthepoints login streamelements` with a fresh token. Points and "
        "balances go on without it.",
        since=lambda _p, o, n: _jwt_in(JwtState.REFUSED, o, n),
    ),
    Row(
        "jwt_malformed",
        WARNING,
        "What is stored for StreamElements is no token",
        "Nothing can be redeemed until you run `allthepoints login streamelements`. Points and balances go on without "
        "it.",
        since=lambda _p, o, n: _jwt_in(JwtState.MALFORMED, o, n),
    ),
    Row(
        "jwt_wrong_account",
        WARNING,
        "The StreamElements sign-in is another account's",
        "It belongs to {detail}, so nothing is redeemed with it. Log in at StreamElements with the right account, and "
        "run `allthepoints login streamelements`.",
        since=lambda _p, o, n: _jwt_in(JwtState.WRONG_ACCOUNT, o, n),
        detail=lambda _p, o, _n: o.elements.jwt.viewer.login if o.elements.jwt.viewer is not None else "somebody else",
    ),
    Row(
        "jwt_ends_tomorrow",
        WARNING,
        "The StreamElements sign-in ends within a day",
        "After that nothing can be redeemed. Run `allthepoints login streamelements` with a fresh token.",
        since=lambda _p, o, n: _jwt_ends(1, o, n),
    ),
    Row(
        "jwt_ends_soon",
        INFO,
        "The StreamElements sign-in ends within a week",
        "After that nothing can be redeemed. Run `allthepoints login streamelements` with a fresh token.",
        since=lambda _p, o, n: _jwt_ends(7, o, n),
        hidden_by=("jwt_ends_tomorrow",),
    ),
    Row(
        "auto_wishes_wait",
        INFO,
        "Automatic wishes wait for your yes",
        "The config has wishes with `auto = true`. They spend points while you are away, so they need your yes once: "
        "`allthepoints wish allow`. Until then they are told, and not bought.",
        since=_auto_waits,
    ),
)
