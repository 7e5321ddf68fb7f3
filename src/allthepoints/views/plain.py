"""The JSON of the outside contract: every face that gives JSON takes it from here, and so does its page in the docs.

Theory. A shape is a table of fields: a name, what stands there, what it means, and how it is had. The JSON and the page
that explains it are both made from the table, so that neither can say something that the other does not.
Times are ISO 8601 UTC, durations seconds, points integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from allthepoints.base.types import JSON
from allthepoints.views.text import iso, name

if TYPE_CHECKING:  # `status` starts faster without what it does not show
    from allthepoints.core.redeem import Redemption
    from allthepoints.ports import ChannelRow
    from allthepoints.storage.read import EventRow
    from allthepoints.views.points import Points
    from allthepoints.views.report import Report
    from allthepoints.views.store import Offer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Field(Generic[T]):
    """One field. `kind`: what stands there, as in the contract (`int|null`, `"open|closed"`)."""

    name: str
    kind: str
    text: str
    of: Callable[[T], JSON]


@dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """One object. `where` tells which commands give it."""

    title: str
    where: str
    fields: tuple[Field[T], ...]

    def of(self, value: T) -> dict[str, JSON]:
        """The object for `value`."""
        return {field.name: field.of(value) for field in self.fields}


def same(name: str, kind: str, text: str) -> Field[Any]:
    """A field that holds the attribute of its name."""
    return Field(name, kind, text, attrgetter(name))


def one_of(words: Iterable[str]) -> str:
    """What stands there, where it is one of these."""
    return '"' + "|".join(words) + '"'


def time(of: Callable[[Any], float | None]) -> Callable[[Any], JSON]:
    """A moment, as it is written."""

    def read(value: Any) -> JSON:
        at = of(value)
        return None if at is None else iso(at)

    return read


CHANNEL: Shape[ChannelRow] = Shape(
    "A channel",
    "`status --json`: `channels`",
    (
        Field("login", "str", "The login, in small letters.", attrgetter("login")),
        Field("id", "str", "Twitch's id. A rename keeps it.", attrgetter("id")),
        Field("live", "true|false|null", "`null`: not known at the moment.", attrgetter("live")),
        Field(
            "state",
            '"present|asked|waiting|refused|leaving|absent"',
            "`present`: the server itself said that you are in.",
            attrgetter("state"),
        ),
        Field("reason", "str|null", "Why it is refused or waits.", attrgetter("reason")),
        Field("since", "time|null", "Since when it is in this state.", time(attrgetter("since"))),
        Field("points", "int|null", "The balance, as it was read last.", attrgetter("points")),
        Field("rate_per_hour", "float|null", "What comes in, as it was seen.", attrgetter("rate_per_hour")),
        Field(
            "verdict",
            '"earning|early|flat|not_offered|unknown"',
            "`earning`: a balance was read, and it rose.",
            attrgetter("verdict"),
        ),
    ),
)

WARNING: Shape[Any] = Shape(
    "A warning",
    "`status --json`: `warnings`",
    (
        Field("code", "str", "One of the [warnings](warnings.md).", attrgetter("code")),
        Field("severity", '"info|warning|error"', "How bad it is.", attrgetter("severity")),
        Field("title", "str", "What is wrong.", attrgetter("title")),
        Field("text", "str", "What it means for the points, and what to do.", attrgetter("text")),
        Field("since", "time", "When it began.", time(attrgetter("since"))),
    ),
)


def _account(report: Report) -> JSON:
    account = report.account
    return None if account is None else {"login": account.get("login"), "user_id": account.get("user_id")}


STATUS: Shape[Report] = Shape(
    "The state",
    "`status --json`, `/api/status`",
    (
        Field("running", "bool", "Whether the service runs.", attrgetter("running")),
        Field("account", '{"login","user_id"}|null', "Who is signed in.", _account),
        Field(
            "chat",
            '{"connections","wanted","present","waiting","refused"}',
            "How many chat connections are open, and how many chats stand where.",
            lambda report: dict(report.chat),
        ),
        Field("channels", "list", "[Channels](#a-channel).", lambda report: [CHANNEL.of(row) for row in report.rows]),
        Field(
            "helix",
            '{"remaining","limit"}|null',
            "Helix points that were left after the last answer.",
            lambda report: None if report.helix is None else dict(report.helix),
        ),
        Field(
            "warnings",
            "list",
            "[Warnings](#a-warning), worst first.",
            lambda report: [WARNING.of(trouble) for trouble in report.troubles],
        ),
    ),
)

POINTS: Shape[Points] = Shape(
    "Points in a channel",
    "`points --json`, `/api/points`: a list",
    (
        Field("channel", "str", "The login.", attrgetter("login")),
        Field("id", "str", "Twitch's id.", attrgetter("id")),
        Field("currency", "str|null", "What the channel calls its points.", attrgetter("currency")),
        Field("points", "int|null", "The balance.", attrgetter("points")),
        Field("alltime", "int|null", "What watching has brought, ever.", attrgetter("alltime")),
        Field("rank", "int|null", "Your place among the channel's viewers.", attrgetter("rank")),
        Field("watch_minutes", "int|null", "As StreamElements counts them.", attrgetter("watch_minutes")),
        Field("earned_today", "int", "Rises while present, since midnight in your zone.", attrgetter("earned_today")),
        Field("earned_7d", "int", "The same in 7 days, today among them.", attrgetter("earned_7d")),
        Field("earned_30d", "int", "The same in 30 days.", attrgetter("earned_30d")),
        Field("earned_total", "int", "All that was seen to come in.", attrgetter("earned_total")),
        Field("rate_per_hour", "float|null", "What comes in, as it was seen.", attrgetter("rate_per_hour")),
        Field("verdict", '"earning|early|flat|not_offered|unknown"', "As of the last reading.", attrgetter("verdict")),
        Field("causes", "list of str", "Why it is flat, likeliest first.", lambda row: list(row.causes)),
        Field("seen_at", "time|null", "When the balance was read.", time(attrgetter("seen_at"))),
        Field("earned_at", "time|null", "When it rose last.", time(attrgetter("earned_at"))),
    ),
)

OFFER: Shape[Offer] = Shape(
    "An item of a store",
    "`store CHANNEL --json`, `/api/store/LOGIN`: a list",
    (
        Field("id", "str", "What `redeem` and `wish` take, beside the name.", attrgetter("item.id")),
        Field("name", "str", "As the channel writes it.", attrgetter("item.name")),
        Field("cost", "int", "In the channel's points.", attrgetter("item.cost")),
        Field("stock", "int|null", "`null`: without end.", attrgetter("item.stock")),
        Field("cooldown_s", "int", "Seconds until it can be had again; 0: none.", lambda offer: int(offer.cooldown)),
        Field("subscriber_only", "bool", "For subscribers alone.", attrgetter("item.subscriber_only")),
        Field("asks", "list of str", "Questions that `--input` answers, in order.", lambda o: list(o.item.asks)),
        Field("affordable", "bool", "Your balance reaches.", attrgetter("affordable")),
        Field(
            "eta_s",
            "int|null",
            "Seconds until it reaches at the present rate; `null`: nobody can say.",
            lambda offer: None if offer.eta_s is None else int(offer.eta_s),
        ),
        Field("wished", "bool", "You wish for it.", attrgetter("wished")),
        Field("enabled", "bool", "The channel offers it now.", attrgetter("item.enabled")),
        Field("gone", "bool", "It is in the store no more.", attrgetter("gone")),
        Field("kind", "str", "StreamElements' own word for what it is.", attrgetter("item.kind")),
        Field("takes_message", "bool", "A message may go with it (`--message`).", attrgetter("item.takes_message")),
        Field("on_website", "bool", "It can be had from the website, and so from here.", attrgetter("item.on_website")),
    ),
)


def _why(redemption: Redemption) -> JSON:
    from allthepoints.views.redemptions import why  # noqa: PLC0415 -- as above

    return why(redemption) or None


REDEMPTION: Shape[Redemption] = Shape(
    "A redemption",
    "`redeem … --json`, `redemptions --json` and `/api/redemptions` (lists, without `access_code`), "
    "`redemptions show KEY --json`, `redemptions settle KEY --json`",
    (
        Field("id", "str", "Its key here.", attrgetter("key")),
        Field("channel", "str", "The login.", attrgetter("login")),
        Field("item_id", "str", "", attrgetter("item")),
        Field("item", "str", "The item's name.", attrgetter("name")),
        Field("cost", "int", "The price you said yes to.", attrgetter("cost")),
        Field(
            "state",
            '"accepted|rejected|unknown"',
            "On its way also `proposed`, `confirmed`, `sent`; `checked`: all was well, and nothing was to be sent. "
            "`unknown`: settled later by reading, never by sending again.",
            lambda r: r.state.value,
        ),
        Field("message", "str|null", "Why, in words.", _why),
        Field("access_code", "str|null", "The code that came with it.", attrgetter("code")),
        Field("settled_at", "time|null", "When its end was known.", time(attrgetter("settled_at"))),
        Field("reason", "str|null", "Why, in one word.", lambda r: None if r.reason is None else r.reason.value),
        Field("asked_at", "time", "When it was asked for.", time(attrgetter("asked_at"))),
        Field("sent_at", "time|null", "When it was sent, once.", time(attrgetter("sent_at"))),
        Field("auto", "bool", "A wish of yours redeemed it.", attrgetter("auto")),
        Field("dry_run", "bool", "It was tried only.", attrgetter("dry")),
        Field("has_code", "bool", "A code is kept.", lambda r: r.code is not None),
        Field("account", "str|null", "As whom it was sent, at StreamElements.", lambda r: r.account_login or None),
        Field("by_hand", "bool", "You settled it (`redemptions settle`).", attrgetter("by_hand")),
    ),
)


def event_sentence(row: EventRow) -> str:
    """What happened, with the channel's name of today."""
    from allthepoints.views.event_text import event_text  # noqa: PLC0415 -- as above

    names = {row.channel: name(row.display, row.login)} if row.channel is not None and row.login else {}
    return event_text(row, names)


EVENT: Shape[EventRow] = Shape(
    "An event",
    "`events --json`, `/api/events`: a list; `events --follow --json`: one a line",
    (
        Field("id", "int", "Rises with time.", attrgetter("id")),
        Field("at", "time", "", time(attrgetter("at"))),
        Field("kind", "str", "One of the [kinds](events.md).", attrgetter("kind")),
        Field("channel", "str|null", "The login of today.", attrgetter("login")),
        Field("channel_id", "str|null", "", attrgetter("channel")),
        Field("data", "object", "What belongs to the kind.", lambda row: dict(row.data)),
        Field("text", "str", "The same in words.", event_sentence),
    ),
)

SHAPES: tuple[Shape[Any], ...] = (STATUS, CHANNEL, WARNING, POINTS, OFFER, REDEMPTION, EVENT)

status_plain = STATUS.of
channel_plain = CHANNEL.of
points_plain = POINTS.of
offer_plain = OFFER.of
event_plain = EVENT.of


def redemption_plain(redemption: Redemption, *, with_code: bool = False) -> dict[str, JSON]:
    """A redemption. The code is for who asks for it, not for lists."""
    plain = REDEMPTION.of(redemption)
    if not with_code:
        del plain["access_code"]
    return plain
