"""Words for the program's own short names: why a chat is closed, why a connection ended, why you left, where you stand.

The tables are complete over the enums of the core (a test keeps that). A word from a later version is shown as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from allthepoints.core.model import Lost, Why

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


def told(table: Mapping[str, str], word: str) -> str:
    """What `table` says of `word`; one that it does not know is shown readably."""
    return table.get(word) or word.replace("_", " ") or "no reason was given"
