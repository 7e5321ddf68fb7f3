"""What a NOTICE or a numeric means for a room, by its id and never by its text (texts change, and may be anybody's).

We never write in chat. An id that answers a message or a chat command can therefore only reach us by mistake, and is
ignored; an id that tells that we may not enter answers one of our JOINs. An id that nobody knows closes no room: if it
did mean no, the JOIN stays unanswered and its timer says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from allthepoints.irc.events import JoinError

CLOSES: Mapping[str, JoinError] = {
    "msg_banned": JoinError.BANNED,
    "msg_channel_suspended": JoinError.SUSPENDED,
    "tos_ban": JoinError.TOS_BAN,
    "msg_room_not_found": JoinError.NO_SUCH_CHANNEL,
    "msg_concurrent_channel_limit_reached": JoinError.ROOM_LIMIT,
    # "not in good standing in that channel": the room's own block list.
    "msg_channel_blocked": JoinError.BLOCKED,
    # "You don't have permission to perform that action": our account is suspended. All we ever ask for is to enter.
    "msg_suspended": JoinError.ACCOUNT_SUSPENDED,
    # The same words without saying why. They used to answer chat commands, of which we send none.
    "no_permission": JoinError.OTHER,
    # These two mostly refuse talking. Whoever never talks gets them for a JOIN or not at all.
    "msg_verified_email": JoinError.NEEDS_EMAIL,
    "msg_requires_verified_phone_number": JoinError.NEEDS_PHONE,
}
"""msg-ids that close a room to us."""

_SETTINGS = """
    emote_only_on emote_only_off followers_on followers_on_zero followers_off slow_on slow_off subs_on subs_off
    r9k_on r9k_off
"""
_SEND_FAILURES = """
    msg_bad_characters msg_duplicate msg_emoteonly msg_followersonly msg_followersonly_followed msg_followersonly_zero
    msg_r9k msg_ratelimit msg_rejected msg_rejected_mandatory msg_slowmode msg_subsonly msg_timedout
"""
# msg_timedout is among them: whoever is timed out stays in the room, and only talking is blocked.
_COMMAND_ANSWERS = """
    unrecognized_cmd invalid_user whisper_restricted host_on host_off host_target_went_offline
"""
IGNORED: frozenset[str] = frozenset((_SETTINGS + _SEND_FAILURES + _COMMAND_ANSWERS).split())
"""msg-ids that are known and change nothing for somebody who only reads."""

IGNORED_FAMILIES = ("host_", "usage_")
"""Beginnings of msg-ids that answer chat commands."""

NUMERICS: Mapping[str, JoinError] = {
    "403": JoinError.NO_SUCH_CHANNEL,
    "405": JoinError.ROOM_LIMIT,
    "471": JoinError.OTHER,  # full
    "473": JoinError.OTHER,  # by invitation
    "474": JoinError.BANNED,
    "475": JoinError.OTHER,  # wants a key
    "476": JoinError.NO_SUCH_CHANNEL,  # not a channel's name here
    "477": JoinError.OTHER,  # wants a registered nick
}
"""How daemons other than Twitch's refuse a JOIN."""

LOGIN_NUMERICS = frozenset({"432", "433", "464", "465"})
"""How they refuse a login: a nick that is odd or taken, a wrong password, a ban."""

LOGIN_TEXTS = (
    "login authentication failed",
    "improperly formatted auth",
    "login unsuccessful",
    "invalid nick",
    "error logging in",
)
"""The only texts that decide anything: before the welcome Twitch refuses a login without a msg-id. Lower case."""

LOGIN_ERRORS = ("access denied", "password", "authentication", "not authorised", "not authorized")
"""What an ERROR before the welcome speaks of when it is about the login, and not about the server. Lower case."""
