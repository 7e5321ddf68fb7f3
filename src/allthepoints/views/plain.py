"""The JSON of the outside contract: every face that gives JSON takes it from here. Times ISO 8601 UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allthepoints.base.types import JSON
from allthepoints.views.text import iso, name

if TYPE_CHECKING:  # `status` starts faster without what it does not show
    from allthepoints.core.redeem import Redemption
    from allthepoints.ports import ChannelRow
    from allthepoints.storage.read import EventRow
    from allthepoints.views.points import Points
    from allthepoints.views.report import Report
    from allthepoints.views.store import Offer


def status_plain(report: Report) -> dict[str, JSON]:
    """The state of the service and of each channel."""
    account = report.account
    return {
        "running": report.running,
        "account": None if account is None else {"login": account.get("login"), "user_id": account.get("user_id")},
        "chat": dict(report.chat),
        "channels": [channel_plain(row) for row in report.rows],
        "helix": None if report.helix is None else dict(report.helix),
        "warnings": [
            {"code": t.code, "severity": t.severity, "title": t.title, "text": t.text, "since": iso(t.since)}
            for t in report.troubles
        ],
    }


def channel_plain(row: ChannelRow) -> dict[str, JSON]:
    """A channel."""
    return {
        "login": row.login,
        "id": row.id,
        "live": row.live,
        "state": row.state,
        "reason": row.reason,
        "since": _iso(row.since),
        "points": row.points,
        "rate_per_hour": row.rate_per_hour,
        "verdict": row.verdict,
    }


def points_plain(row: Points) -> dict[str, JSON]:
    """What you have in a channel, and what came of it."""
    return {
        "channel": row.login,
        "id": row.id,
        "currency": row.currency,
        "points": row.points,
        "alltime": row.alltime,
        "rank": row.rank,
        "watch_minutes": row.watch_minutes,
        "earned_today": row.earned_today,
        "earned_7d": row.earned_7d,
        "earned_30d": row.earned_30d,
        "earned_total": row.earned_total,
        "rate_per_hour": row.rate_per_hour,
        "verdict": row.verdict,
        "causes": list(row.causes),
        "seen_at": _iso(row.seen_at),
        "earned_at": _iso(row.earned_at),
    }


def offer_plain(offer: Offer) -> dict[str, JSON]:
    """An item of a store."""
    item = offer.item
    return {
        "id": item.id,
        "name": item.name,
        "cost": item.cost,
        "stock": item.stock,
        "cooldown_s": int(offer.cooldown),
        "subscriber_only": item.subscriber_only,
        "asks": list(item.asks),
        "affordable": offer.affordable,
        "eta_s": None if offer.eta_s is None else int(offer.eta_s),
        "wished": offer.wished,
        "enabled": item.enabled,
        "gone": offer.gone,
        "kind": item.kind,
        "takes_message": item.takes_message,
        "on_website": item.on_website,
    }


def redemption_plain(redemption: Redemption, *, with_code: bool = False) -> dict[str, JSON]:
    """A redemption. The code is for who asks for it, not for lists."""
    from allthepoints.views.redemptions import why  # noqa: PLC0415 -- as above

    r = redemption
    plain: dict[str, JSON] = {
        "id": r.key,
        "channel": r.login,
        "item_id": r.item,
        "item": r.name,
        "cost": r.cost,
        "state": r.state.value,
        "message": why(r) or None,
        "access_code": r.code,
        "settled_at": _iso(r.settled_at),
        "reason": None if r.reason is None else r.reason.value,
        "asked_at": iso(r.asked_at),
        "sent_at": _iso(r.sent_at),
        "auto": r.auto,
        "dry_run": r.dry,
        "has_code": r.code is not None,
    }
    if not with_code:
        del plain["access_code"]
    return plain


def event_plain(row: EventRow) -> dict[str, JSON]:
    """An event."""
    return {
        "id": row.id,
        "at": iso(row.at),
        "kind": row.kind,
        "channel": row.login,
        "channel_id": row.channel,
        "data": dict(row.data),
        "text": event_sentence(row),
    }


def event_sentence(row: EventRow) -> str:
    """What happened, with the channel's name of today."""
    from allthepoints.views.event_text import event_text  # noqa: PLC0415 -- as above

    names = {row.channel: name(row.display, row.login)} if row.channel is not None and row.login else {}
    return event_text(row, names)


def _iso(at: float | None) -> str | None:
    return None if at is None else iso(at)
