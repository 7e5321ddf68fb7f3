"""What `simulate --json` gives: the sandbox's addresses and keys, what happens in it, and what came of it.

The tally is what the sandbox itself counted (`sim/tally.py`), all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from allthepoints.base.types import JSON
from allthepoints.views.plain import Field, Shape, same, time

if TYPE_CHECKING:
    from allthepoints.sim.server import Endpoints, Sandbox
    from allthepoints.sim.tally import ChannelTally, JoinAfterBan, Taken, Tally

ENDPOINTS: Shape[Endpoints] = Shape(
    "The sandbox's addresses",
    "`simulate --json`: `endpoints`",
    (
        same("irc", "str", "For `[endpoints] irc`; so are the next three for theirs."),
        same("helix", "str", "Helix."),
        same("oauth", "str", "Twitch's sign-in."),
        same("streamelements", "str", "StreamElements."),
        same("control", "str", "Where it is steered: no address of a config."),
    ),
)


class Announced(NamedTuple):
    """A sandbox that listens, and a sign-in that is good there."""

    sandbox: Sandbox
    endpoints: Endpoints
    access: str
    refresh: str
    jwt: str


ANNOUNCED: Shape[Announced] = Shape(
    "A sandbox",
    "`simulate --json`: the first line",
    (
        Field(
            "endpoints", "object", "[Its addresses](#the-sandboxs-addresses).", lambda it: ENDPOINTS.of(it.endpoints)
        ),
        Field("client_id", "str", "For `[twitch] client_id`.", lambda it: it.sandbox.scenario.client_id),
        Field("account", "str", "The login of whom the next three are.", lambda it: it.sandbox.account.login),
        Field("token", "str", "For `ALLTHEPOINTS_TWITCH_TOKEN`. Good in this sandbox alone.", lambda it: it.access),
        Field("refresh_token", "str", "For `ALLTHEPOINTS_TWITCH_REFRESH_TOKEN`.", lambda it: it.refresh),
        Field("jwt", "str", "For `ALLTHEPOINTS_STREAMELEMENTS_JWT`.", lambda it: it.jwt),
    ),
)

HAPPENED: Shape[tuple[float, str]] = Shape(
    "What happens in a sandbox",
    "`simulate --json`: one a line",
    (
        Field("at", "time", "When, by the sandbox's clock.", time(lambda happened: happened[0])),
        Field("text", "str", "What, in words.", lambda happened: happened[1]),
    ),
)

JOIN_AFTER_BAN: Shape[JoinAfterBan] = Shape(
    "A JOIN after a ban",
    "`simulate --json`: `after_ban` of the tally",
    (
        same("at", "float", "Seconds from the start."),
        same("channel", "str", "The channel's id."),
        same("told_at", "float|null", "When the account was told of the ban; `null`: it could not know."),
    ),
)

TAKEN: Shape[Taken] = Shape(
    "A redemption that the sandbox took",
    "`simulate --json`: `redemptions` of the tally",
    (
        same("id", "str", "Its id at StreamElements."),
        same("at", "float", "Seconds from the start."),
        same("channel", "str", "The channel's id."),
        same("item", "str", "The item's id."),
        same("name", "str", "The item's name."),
        same("cost", "int", "Points that were paid."),
        Field("input", "list of str", "Answers to what the item asks.", lambda taken: list(taken.input)),
        same("message", "str", "What was said with it."),
    ),
)


def _spans(spans: tuple[tuple[float, float], ...]) -> JSON:
    return [list(span) for span in spans]


CHANNEL_TALLY: Shape[ChannelTally] = Shape(
    "A channel's tally",
    "`simulate --json`: `channels` of the tally",
    (
        same("id", "str", "Twitch's id."),
        same("login", "str", "The login."),
        same("followed", "bool", "The account follows it. Sums of the tally are of these alone."),
        same("live_s", "float", "How long it was live."),
        same("present_s", "float", "Of it, how long the account was in its chat."),
        same("rerun_s", "float", "How long it showed a repetition, which earns nothing."),
        same("capture", "float|null", "`present_s` divided by `live_s`; `null`: it was never live."),
        same("points_paid", "int", "What the account was paid."),
        same("points_possible", "int", "What a viewer without gaps would have had."),
        same("balance", "int|null", "What the account has there now; `null`: no StreamElements there."),
        Field(
            "live", "list", "From when to when it was live: pairs of seconds from the start.", lambda c: _spans(c.live)
        ),
        Field("sat", "list", "The same of the account in its chat.", lambda channel: _spans(channel.sat)),
    ),
)

TALLY: Shape[Tally] = Shape(
    "A sandbox's tally",
    "`simulate --json`: `tally` of the last line, and `/tally` at the sandbox's `control`: what its servers saw of the "
    "account, whatever a client says of itself",
    (
        same("account", "str", "The login."),
        same("simulated_s", "float", "How long it went on."),
        same("live_s", "float", "Time that followed channels were live, added up."),
        same("present_s", "float", "Of it, time that the account was in their chats."),
        same("reachable_s", "float", "Of it, what the number of rooms that Twitch allows lets anybody have."),
        same("capture", "float", "`present_s` divided by `live_s`."),
        same("points_paid", "int", "What the account was paid."),
        same("points_possible", "int", "What a viewer without gaps would have had."),
        same("connections", "int", "Chat connections that were accepted."),
        same("logins", "int", "Attempts to sign in to chat."),
        same("welcomes", "int", "Those of them that were welcomed."),
        same("reconnects", "int", "Welcomes that took the place of a connection that was lost or told to go."),
        same("logins_worst", "int", "The most attempts to sign in within 10 s."),
        same("login_limit_violations", "int", "Spans of 10 s with more than 20 of them."),
        same("joins", "int", "JOINs; each channel of a list is one."),
        same("joins_worst", "int", "The most JOINs within 10 s."),
        same("join_limit_violations", "int", "Spans of 10 s with more than 20 of them."),
        same("joins_after_ban", "int", "JOINs of rooms from which the account was banned."),
        same("joins_after_told", "int", "Those of them that came after it was told."),
        Field(
            "after_ban", "list", "[Each](#a-join-after-a-ban).", lambda t: [JOIN_AFTER_BAN.of(j) for j in t.after_ban]
        ),
        same("rooms_now", "int", "In how many rooms the account is."),
        same("rooms_peak", "int", "The most rooms at a time."),
        same("refresh_reuse", "int", "Refresh tokens for one use that were sent again."),
        same("refresh_reuse_early", "int", "Those of them that came while the access token was good."),
        same("refreshes", "int", "Sign-ins that were renewed."),
        Field("helix_calls", "object", "Calls to Helix by what they ask.", lambda tally: dict(tally.helix_calls)),
        Field("oauth_calls", "object", "Calls to Twitch's sign-in.", lambda tally: dict(tally.oauth_calls)),
        same("helix_limited", "int", "Calls that Helix refused as too many."),
        Field("elements_calls", "object", "Calls to StreamElements.", lambda tally: dict(tally.elements_calls)),
        same("elements_limited", "int", "Calls that StreamElements refused as too many."),
        same("elements_worst_minute", "int", "The most calls to StreamElements within 60 s."),
        same("redemption_calls", "int", "POSTs that asked for a redemption, whatever came of them."),
        Field(
            "redemptions",
            "list",
            "[Those that were taken](#a-redemption-that-the-sandbox-took), in order.",
            lambda tally: [TAKEN.of(taken) for taken in tally.redemptions],
        ),
        same("chat_lines_sent", "int", "Lines of chat that were sent to the account."),
        Field(
            "protocol_errors", "list of str", "What Twitch would not take.", lambda tally: list(tally.protocol_errors)
        ),
        same("protocol_error_count", "int", "How many there were; not all are kept in words."),
        Field("faults", "object", "Faults by name, and how often.", lambda tally: dict(tally.faults)),
        Field(
            "channels",
            "list",
            "[Each that was live or whose chat was entered](#a-channels-tally).",
            lambda tally: [CHANNEL_TALLY.of(channel) for channel in tally.channels],
        ),
    ),
)

SUMMED_UP: Shape[Tally] = Shape(
    "The end of a sandbox",
    "`simulate --json`: the last line",
    (Field("tally", "object", "[What came of it](#a-sandboxs-tally).", TALLY.of),),
)
