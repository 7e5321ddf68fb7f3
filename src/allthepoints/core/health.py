"""What may be wrong, as far as a person should know: one table.

Theory. Each row names a condition of the state, since when it holds, how long it must hold before anybody is bothered,
and what it means for the points and what to do. Nothing is remembered here: a condition that ends takes its warning
with it. A row that is only a consequence of another is not shown beside it (`hidden_by`).
"""

from __future__ import annotations

from allthepoints.base.types import Login
from allthepoints.core.apply import CHAT_REFUSALS
from allthepoints.core.apply_live import TOLD_AFTER
from allthepoints.core.desired import desired
from allthepoints.core.health_points import POINTS
from allthepoints.core.observed import Observed, Phase, Read, SignIn, roster
from allthepoints.core.policy import Policy
from allthepoints.core.warning import ERROR, INFO, WARNING, Row, Warning

FEW_POINTS = 0.1
"""Part of the Helix points of a minute below which they are called low. One poll needs some twenty of 800."""

POINTS_LIFE = 60.0
"""Helix fills the bucket up within a minute; what a header said is of no interest afterwards."""

ASKED_WITHIN = 10.0
"""A read that failed is asked again when its time has come. So many seconds later it was not, and nobody wants to know
any more what it would tell: the config has changed."""


def warnings(policy: Policy, observed: Observed, now: float) -> tuple[Warning, ...]:
    """What is wrong now, worst first."""
    shown: dict[str, Warning] = {}
    for row in TABLE:
        since = row.since(policy, observed, now)
        if since is None or now < since + row.delay or any(code in shown for code in row.hidden_by):
            continue
        text = row.text.format(detail=row.detail(policy, observed, now))
        shown[row.code] = Warning(row.code, row.severity, row.title, text, since)
    return tuple(shown.values())


# -- causes --------------------------------------------------------------------------------------------------------
def _sign_in_needed(_policy: Policy, o: Observed, _now: float) -> float | None:
    return o.sign_in.since if o.sign_in.state is SignIn.LOST else None


def _chat_refuses_token(_policy: Policy, o: Observed, _now: float) -> float | None:
    return o.sign_in.refused_since if o.sign_in.chat_refusals > CHAT_REFUSALS else None


def _storage_failing(_policy: Policy, o: Observed, _now: float) -> float | None:
    return None if o.storage_error is None else o.storage_error[0]


def _ended(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _config_rejected(_policy: Policy, o: Observed, _now: float) -> float | None:
    return None if o.config_error is None else o.config_error[0]


def _config_restart(_policy: Policy, o: Observed, _now: float) -> float | None:
    return None if o.config_restart is None else o.config_restart[0]


def _chat_disconnected(_policy: Policy, o: Observed, _now: float) -> float | None:
    connected = any(c.phase is Phase.READY and not c.doomed for c in o.connections.values())
    return None if connected or not o.live else o.disconnected_since


def _sign_in_unchecked(_policy: Policy, o: Observed, _now: float) -> float | None:
    return o.sign_in.failing_since


def _failing(o: Observed, now: float, *names: str) -> float | None:
    reads = (o.reads[name] for name in names)
    return min((r.failing_since for r in reads if r.failing_since and _is_failing(r, now)), default=None)


def _is_failing(read: Read, now: float) -> bool:
    return read.failures >= TOLD_AFTER and (read.pending or now < read.not_before + ASKED_WITHIN)


def _helix_points_low(_policy: Policy, o: Observed, now: float) -> float | None:
    if o.points is None or now > o.points.at + POINTS_LIFE or o.points.remaining >= FEW_POINTS * o.points.limit:
        return None
    return o.points.at


def _follows_unreadable(policy: Policy, o: Observed, _now: float) -> float | None:
    return o.sign_in.since if policy.followed and o.account is not None and not o.may_read_follows else None


def _room_limit(_policy: Policy, o: Observed, _now: float) -> float | None:
    return None if o.cap is None or not o.live else o.cap.since


def _channel_not_found(policy: Policy, o: Observed, _now: float) -> float | None:
    return min((o.not_found[name] for name in _not_found(policy, o)), default=None)


def _waiting_for_rooms(policy: Policy, o: Observed, now: float) -> float | None:
    """Since the last of them came: it was the one too many."""
    if o.cap is not None or o.stale:
        return None
    left_over = (o.channels[i].stream for i in desired(policy, o, now)[policy.max_rooms :])
    return max((stream.started_at for stream in left_over if stream is not None), default=None)


def _channels_refused(policy: Policy, o: Observed, now: float) -> float | None:
    return min(_refused(policy, o, now), default=None)


# -- details -------------------------------------------------------------------------------------------------------
def _not_found(policy: Policy, o: Observed) -> list[Login]:
    return [name for name in policy.include if name in o.not_found and name in roster(policy, o).unresolved]


def _refused(policy: Policy, o: Observed, now: float) -> list[float]:
    """When the live channels that will not have us said so."""
    meant = [o.channels[i] for i in o.live - roster(policy, o).barred]
    return [
        refusal.at
        for channel in meant
        if channel.earns and (refusal := channel.refusal) is not None and refusal.stands(channel.stream_id(), now)
    ]


def _helix_errors(_policy: Policy, o: Observed, now: float) -> str:
    return next(o.reads[name].error for name in ("live", "users") if _is_failing(o.reads[name], now))


def _points(_policy: Policy, o: Observed, _now: float) -> str:
    return "" if o.points is None else f"{o.points.remaining} of {o.points.limit}"


def _count_left_over(policy: Policy, o: Observed, now: float) -> str:
    wanted = len(desired(policy, o, now))  # it is told only where the server names no limit of its own
    return f"{wanted - policy.max_rooms} of {wanted} live channels"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")


def _live_channels(count: int) -> str:
    return "1 live channel" if count == 1 else f"{count} live channels"


# -- the table: a cause before what it hides ------------------------------------------------------------
PRESENCE: tuple[Row, ...] = (
    Row(
        "sign_in_needed",
        ERROR,
        "Sign in",
        "{detail}. Chats that are open stay open while they last; none is opened anew, so points will stop. "
        "Run `allthepoints login`.",
        since=_sign_in_needed,
        detail=lambda _p, o, _n: _sentence(o.sign_in.text or "there is no sign-in"),
    ),
    Row(
        "chat_refuses_token",
        ERROR,
        "The chat refuses the sign-in",
        "Twitch calls the sign-in valid, but its chat does not let it in, so no points arrive. It is tried again "
        "within 10 minutes. If this lasts, run `allthepoints logout` and then `allthepoints login`.",
        since=_chat_refuses_token,
        hidden_by=("sign_in_needed",),
    ),
    Row(
        "storage_failing",
        ERROR,
        "Nothing can be written down",
        "The database takes nothing: {detail}. Chats and points go on, the record of them has a gap once memory runs "
        "out. Free some space, or mend the permissions of the data directory.",
        since=_storage_failing,
        detail=lambda _p, o, _n: "" if o.storage_error is None else o.storage_error[1],
    ),
    Row(
        "config_rejected",
        ERROR,
        "The changed config is not in use",
        "{detail} The config from before goes on; points are not touched. Mend the file and save it.",
        since=_config_rejected,
        detail=lambda _p, o, _n: "" if o.config_error is None else _ended(o.config_error[1]),
    ),
    Row(
        "chat_disconnected",
        ERROR,
        "Not connected to the chat",
        "Channels are live and no chat connection stands, so no points arrive. It is tried again by itself, ever more "
        "slowly, at least every 2 minutes. Look whether this machine has a network.",
        since=_chat_disconnected,
        delay=30.0,
        hidden_by=("sign_in_needed", "chat_refuses_token"),
    ),
    Row(
        "sign_in_unchecked",
        WARNING,
        "The sign-in cannot be checked",
        "Twitch does not answer whether the sign-in is still good ({detail}). What was known of it stands, and points "
        "go on. Nothing to do; it is tried again by itself.",
        since=_sign_in_unchecked,
        detail=lambda _p, o, _n: o.sign_in.text or "no answer",
        delay=60.0,
        hidden_by=("sign_in_needed",),
    ),
    Row(
        "helix_failing",
        WARNING,
        "Twitch does not say who is live",
        "Asking Helix fails: {detail}. Chats that are open stay open and earn; channels that go live meanwhile are "
        "missed. Nothing to do; it is tried again by itself.",
        since=lambda _p, o, n: _failing(o, n, "live", "users"),
        detail=_helix_errors,
        hidden_by=("sign_in_needed",),
    ),
    Row(
        "follows_stale",
        WARNING,
        "The list of follows is old",
        "Reading whom you follow fails: {detail}. The list from before stays in use; channels that you followed since "
        "are missed. Nothing to do; it is tried again by itself.",
        since=lambda _p, o, n: _failing(o, n, "follows"),
        detail=lambda _p, o, _n: o.reads["follows"].error,
        hidden_by=("sign_in_needed", "helix_failing"),
    ),
    Row(
        "helix_points_low",
        WARNING,
        "Few Helix requests are left",
        "{detail} requests of this minute are left. When they are used up, channels that go live are seen later. "
        "Another program may use the same client id; or set a longer `poll.live`.",
        since=_helix_points_low,
        detail=_points,
    ),
    Row(
        "restart_needed",
        WARNING,
        "Some of the config waits for a restart",
        "Changed, and used from the next start on: {detail}. Until then what was there before goes on; points are not "
        "touched. End `allthepoints run` and start it again, or set it back.",
        since=_config_restart,
        detail=lambda _p, o, _n: "" if o.config_restart is None else ", ".join(o.config_restart[1]),
    ),
    Row(
        "follows_unreadable",
        WARNING,
        "The follows cannot be read",
        "The sign-in lacks the scope user:read:follows, so only channels in `channels.include` earn points. "
        "Run `allthepoints login`, or set `channels.followed = false`.",
        since=_follows_unreadable,
        hidden_by=("sign_in_needed",),
    ),
    Row(
        "room_limit",
        WARNING,
        "Twitch says that the account is in too many chats",
        "The server took {detail} and no more; live channels beyond that earn nothing now. Rooms of a connection that "
        "was lost are freed late, so it is tried again by itself. If it lasts, lower `channels.max_rooms` and leave "
        "more rooms to your own chat client.",
        since=_room_limit,
        detail=lambda _p, o, _n: "" if o.cap is None else f"{o.cap.rooms} rooms",
    ),
    Row(
        "channel_not_found",
        WARNING,
        "Channels that Twitch does not know",
        "In `channels.include`, but not on Twitch: {detail}. They earn nothing. Look for a typing mistake or a new "
        "name; it is looked up again once a day.",
        since=_channel_not_found,
        detail=lambda p, o, _n: ", ".join(_not_found(p, o)),
    ),
    Row(
        "channels_refused",
        INFO,
        "Some chats are closed to you",
        "{detail} will not have this account in the chat: nothing is earned there. `allthepoints channels` tells why; "
        "after a ban it stays out until you say otherwise.",
        since=_channels_refused,
        detail=lambda p, o, n: _live_channels(len(_refused(p, o, n))),
    ),
    Row(
        "waiting_for_rooms",
        INFO,
        "More channels are live than there are rooms",
        "No room is left for {detail}: nothing is earned there now. Those in `channels.priority` come first; "
        "`channels.max_rooms` may go up to 100, less what your own chat client needs.",
        since=_waiting_for_rooms,
        detail=_count_left_over,
        hidden_by=("sign_in_needed", "chat_disconnected"),
    ),
)

TABLE: tuple[Row, ...] = tuple(sorted((*PRESENCE, *POINTS), key=lambda row: (ERROR, WARNING, INFO).index(row.severity)))
"""All of them, worst first."""
