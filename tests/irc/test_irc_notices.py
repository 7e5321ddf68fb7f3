"""Every msg-id that Twitch documents, or that clients handle beside them, has a meaning here."""

from __future__ import annotations

import pytest

from allthepoints.base.secret import Secret
from allthepoints.irc import notices
from allthepoints.irc.events import JoinError, RoomRefused, SessionEvent
from allthepoints.irc.session import Session

# Twitch's list of NOTICE msg-ids, and what clients handle beside it.
_KNOWN = """
    emote_only_on emote_only_off followers_on followers_on_zero followers_off slow_on slow_off subs_on subs_off
    msg_banned msg_channel_suspended tos_ban msg_suspended msg_channel_blocked msg_verified_email
    msg_requires_verified_phone_number unrecognized_cmd
    msg_bad_characters msg_duplicate msg_emoteonly msg_followersonly msg_followersonly_followed msg_followersonly_zero
    msg_r9k msg_ratelimit msg_rejected msg_rejected_mandatory msg_slowmode msg_subsonly msg_timedout
    msg_room_not_found no_permission invalid_user r9k_on r9k_off whisper_restricted
    msg_concurrent_channel_limit_reached
    host_on host_off host_target_went_offline host_tagline_length_error usage_ban usage_timeout usage_host
"""
KNOWN = _KNOWN.split()

CLOSING = {
    "msg_banned": JoinError.BANNED,
    "msg_channel_suspended": JoinError.SUSPENDED,
    "tos_ban": JoinError.TOS_BAN,
    "msg_suspended": JoinError.ACCOUNT_SUSPENDED,
    "no_permission": JoinError.OTHER,
    "msg_channel_blocked": JoinError.BLOCKED,
    "msg_verified_email": JoinError.NEEDS_EMAIL,
    "msg_requires_verified_phone_number": JoinError.NEEDS_PHONE,
    "msg_room_not_found": JoinError.NO_SUCH_CHANNEL,
    "msg_concurrent_channel_limit_reached": JoinError.ROOM_LIMIT,
}


def _told(line: bytes) -> list[SessionEvent]:
    session = Session("me", Secret("T0"), 0.0)
    session.connected(0.0)
    session.receive(b":tmi.twitch.tv 001 me :hi\r\n", 0.0)
    return session.receive(line, 1.0)


def test_the_table_is_complete() -> None:
    for msg_id in KNOWN:
        ignored = msg_id in notices.IGNORED or msg_id.startswith(notices.IGNORED_FAMILIES)
        assert (msg_id in notices.CLOSES) != ignored, msg_id
    assert set(notices.CLOSES) | notices.IGNORED <= set(KNOWN)


@pytest.mark.parametrize("msg_id", [*KNOWN, "", "something_new"])
def test_each_id(msg_id: str) -> None:
    text = "Login authentication failed, you are banned"
    told = _told(f"@msg-id={msg_id} :tmi.twitch.tv NOTICE #Alpha :{text}\r\n".encode())
    expected = [RoomRefused("alpha", CLOSING[msg_id], text)] if msg_id in CLOSING else []
    assert told == expected


@pytest.mark.parametrize(
    "line",
    [
        b":tmi.twitch.tv NOTICE #alpha :You are permanently banned from talking in alpha.\r\n",
        b":tmi.twitch.tv NOTICE * :Login authentication failed\r\n",
        b"@msg-id=msg_banned :bob!bob@bob.tmi.twitch.tv NOTICE #alpha :x\r\n",
        b"@msg-id=msg_banned :tmi.twitch.tv NOTICE\r\n",
    ],
)
def test_text_decides_nothing(line: bytes) -> None:
    assert _told(line) == []


NO = {
    "403": JoinError.NO_SUCH_CHANNEL,
    "405": JoinError.ROOM_LIMIT,
    "471": JoinError.OTHER,
    "473": JoinError.OTHER,
    "474": JoinError.BANNED,
    "475": JoinError.OTHER,
    "476": JoinError.NO_SUCH_CHANNEL,
    "477": JoinError.OTHER,
}
"""RFC 2812, and what daemons took up since."""


@pytest.mark.parametrize(("numeric", "error"), NO.items())
def test_numerics_of_other_daemons(numeric: str, error: JoinError) -> None:
    assert _told(f":irc.example.net {numeric} me #alpha :No\r\n".encode()) == [RoomRefused("alpha", error, "No")]
    assert _told(f":irc.example.net {numeric} you #alpha :No\r\n".encode()) == []


def test_the_numerics_that_say_no_are_these() -> None:
    assert set(notices.NUMERICS) == set(NO)
    assert {"432", "433", "464", "465"} == notices.LOGIN_NUMERICS
