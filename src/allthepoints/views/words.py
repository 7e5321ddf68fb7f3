"""Words for the program's own short names: why a chat is closed, why a connection ended, why you left, where you stand.

The tables are complete over the enums of the core (a test keeps that). A word from a later version is shown as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from allthepoints.core.earning import Cause
from allthepoints.core.loyalty import JwtState
from allthepoints.core.model import Lost, Why
from allthepoints.core.redeem import Reason, State
from allthepoints.views.text import clean

WHY: dict[str, str] = {
    Why.BANNED: "you are banned from this chat",
    Why.PUT_OUT: "Twitch put you out of this chat, which mostly is a ban",
    Why.SUSPENDED: "the channel is suspended",
    Why.TOS_BAN: "the channel is closed for breaking Twitch's terms",
    Why.NO_SUCH_CHANNEL: "Twitch knows no such channel",
    Why.ROOM_LIMIT: "your account is in as many chats as it may be",
    Why.UNANSWERED: "the server does not answer the JOIN",
    Why.BLOCKED: "Twitch blocks you from this chat",
    Why.ACCOUNT_SUSPENDED: "your account is suspended",
    Why.NEEDS_EMAIL: "your account needs a verified email address",
    Why.NEEDS_PHONE: "your account needs a verified phone number",
    Why.OTHER: "the server said no",
}

LOST: dict[str, str] = {
    Lost.CONNECT: "it could not be opened",
    Lost.TLS: "its encryption failed",
    Lost.DEADLINE: "the server gave no welcome in time",
    Lost.CLOSED: "the server closed it",
    Lost.RESET: "it was cut off",
    Lost.SILENT: "it fell silent",
    Lost.OVERFLOW: "a line came that did not end",
    Lost.LOGIN: "the sign-in was not accepted",
    Lost.OURS: "it was closed from here",
}

LEFT: dict[str, str] = {
    "parted": "as planned",
    "lost": "the connection was lost",
    "closed": "the connection was closed from here",
    "put_out": "Twitch put you out",
}
"""Why a presence ended; a reason of WHY may stand there too."""

PLACE: dict[str, str] = {
    **WHY,
    "signed_out": "you are not signed in",
    "connecting": "the chat connection is being opened",
    "checking": "it is asked first who is live now",
    "no_slot": "every room is taken",
    "join_budget": "the next JOIN is due in some seconds",
    "moved": "its name is somebody else's now; it is asked where it went",
    "offline": "it is offline",
    "paused": "you paused it",
    "excluded": "you excluded it",
    "rerun": "it is a re-run, which earns nothing",
}
"""Why a channel stands where it stands: a reason of `core.place`, or of WHY."""

READS: dict[str, str] = {
    "live": "who is live",
    "follows": "whom you follow",
    "users": "the channels' names",
}
"""What is read of Helix."""


ELEMENTS_READS: dict[str, str] = {
    "channel": "which channels it has",
    "loyalty": "how channels pay",
    "balance": "what you have",
    "items": "what the stores offer",
    "history": "what you redeemed",
}
"""What is read of StreamElements."""


@dataclass(frozen=True, slots=True)
class Telling:
    """A cause in a few words, in a sentence, and what the person can do (empty: nothing)."""

    short: str
    text: str
    cure: str = ""


CAUSES: dict[str, Telling] = {
    Cause.NOT_LIVE: Telling("not live", "The channel is not live, and nobody is paid then."),
    Cause.NOT_CONFIRMED: Telling(
        "not in the chat",
        "The server does not have you in this chat now, and only who is there is paid.",
        "`allthepoints channels` tells what stands in the way.",
    ),
    Cause.NO_STREAMELEMENTS: Telling("not at StreamElements", "StreamElements has no such channel."),
    Cause.LOYALTY_OFF: Telling(
        "loyalty is off",
        "The streamer turned the points off.",
        "Nothing to do; they are looked for again by themselves.",
    ),
    Cause.IGNORED: Telling(
        "you are on its ignore list",
        "The streamer put you on the list of those who are never paid.",
        "Only the streamer can take you off it: ask, if you know each other.",
    ),
    Cause.RERUN: Telling("a re-run", "It is a re-run, for which StreamElements pays nothing."),
    Cause.LIST_LAGS: Telling(
        "the viewer list lags",
        "StreamElements pays by Twitch's list of viewers, which lags up to 5 min behind the chat; the points come with "
        "the next payment after that.",
        "Wait some minutes.",
    ),
    Cause.NEVER_TYPED: Telling(
        "you never typed there",
        "StreamElements wants a viewer to have signed in there and typed in the chat once. This program never types.",
        "Write one message in this chat by hand, in your browser: that cures it for good.",
    ),
    Cause.HIDE_GAMBLING: Telling(
        'Twitch\'s "hide gambling"',
        "Twitch's preference \"hide gambling\" keeps StreamElements' points away from an account.",
        "Turn it off in Twitch's settings, under content display preferences.",
    ),
    Cause.BOT_ABSENT: Telling(
        "the bot is gone",
        "StreamElements' bot may not be in the chat, or may not read its list of viewers.",
        "Only the streamer can mend that.",
    ),
    Cause.NOT_READ: Telling(
        "not read yet", "StreamElements was not asked about this channel yet.", "It is asked soon, by itself."
    ),
    Cause.NO_ANSWER: Telling(
        "StreamElements does not answer",
        "StreamElements does not answer, so nothing can be said. Points may come all the same.",
        "It is asked again by itself.",
    ),
}
"""Why points do not come."""

REASONS: dict[str, str] = {
    Reason.PRICE_CHANGED: "the price is not the one that you confirmed",
    Reason.NOT_ENOUGH: "you do not have enough points",
    Reason.SOLD_OUT: "it is sold out",
    Reason.DISABLED: "the streamer turned it off for now",
    Reason.NO_SUCH_ITEM: "it is not in the store any more",
    Reason.NOT_ON_WEBSITE: "it can be had in the chat only, and this program never writes there",
    Reason.ANSWERS_MISSING: "an answer is missing to a question that it asks",
    Reason.NO_MESSAGE: "it takes no message",
    Reason.NOT_AT_STREAMELEMENTS: "StreamElements has no such channel",
    Reason.JWT_MISSING: "you are not signed in to StreamElements",
    Reason.JWT_EXPIRED: "your StreamElements sign-in has ended",
    Reason.JWT_MALFORMED: "what is kept as your StreamElements sign-in is no JWT",
    Reason.JWT_REFUSED: "StreamElements does not take your sign-in",
    Reason.WRONG_ACCOUNT: "your StreamElements sign-in is another account's",
    Reason.IN_PROGRESS: "another redemption of it is not settled yet",
    Reason.NOT_ALLOWED: "your wish does not allow it any more",
    Reason.UNCHECKED: "it could not be checked in time, so nothing was sent",
    Reason.NOT_WRITTEN: "it could not be written down here, so nothing was sent",
    Reason.NOT_SENT: "no connection to StreamElements came to be, so nothing was sent",
    Reason.REFUSED: "StreamElements said no",
    Reason.NEVER_ARRIVED: "no answer came, and StreamElements never booked it",
    Reason.SAID_NOT_TAKEN: "no answer came; you said that it was not taken",
}
"""Why a redemption was rejected. Nothing was spent in any of these."""

SIGN_IN_REASONS = frozenset(
    {Reason.JWT_MISSING, Reason.JWT_EXPIRED, Reason.JWT_MALFORMED, Reason.JWT_REFUSED, Reason.WRONG_ACCOUNT}
)
"""Those that `allthepoints login streamelements` cures."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign, a word, and what can be done (empty: nothing)."""

    sign: str
    word: str
    cure: str = ""


JWT: dict[str, Sign] = {
    JwtState.MISSING: Sign(
        "–", "none", "Points come anyway. To redeem from here: `allthepoints login streamelements`."
    ),
    JwtState.GOOD: Sign("●", "good"),
    JwtState.EXPIRED: Sign(
        "✕", "ended", "Run `allthepoints login streamelements`. Points go on; only redeeming waits."
    ),
    JwtState.MALFORMED: Sign("✕", "no JWT", "What is kept is no JWT. Run `allthepoints login streamelements`."),
    JwtState.REFUSED: Sign("✕", "refused", "StreamElements does not take it. Run `allthepoints login streamelements`."),
    JwtState.WRONG_ACCOUNT: Sign("✕", "another account's", "Run `allthepoints login streamelements` with your own."),
}
"""The viewer's StreamElements sign-in."""

VERDICTS: dict[str, str] = {
    "earning": "Earning: points come as they should",
    "early": "Too early to tell",
    "flat": "In the chat, and nothing comes",
    "not_offered": "No points to be had here",
    "unknown": "Not known whether points come",
}
"""A verdict as a title."""

REDEMPTIONS: dict[str, str] = {
    State.PROPOSED: "proposed",
    State.CONFIRMED: "being checked",
    State.CHECKED: "checked, not sent",
    State.SENT: "sent",
    State.ACCEPTED: "redeemed",
    State.REJECTED: "not redeemed",
    State.UNKNOWN: "not known yet",
}
"""Where a redemption stands."""


def told(table: Mapping[str, str], word: str) -> str:
    """What `table` says of `word`; one that it does not know is shown readably."""
    return table.get(word) or clean(word.replace("_", " ")) or "no reason was given"
