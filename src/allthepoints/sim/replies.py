"""What Twitch's chat server says, word for word (facts of the protocol; see the documentation of Twitch IRC)."""

from __future__ import annotations

from allthepoints.sim.world import User

HOST = "tmi.twitch.tv"
CAPABILITIES = ("twitch.tv/tags", "twitch.tv/commands", "twitch.tv/membership")

LOGIN_REFUSALS = {
    "failed": "Login authentication failed",
    "improper": "Improperly formatted auth",
    "unsuccessful": "Login unsuccessful",
    "nick": "Invalid NICK",
}

NOTICES = {
    "msg_channel_suspended": "This channel does not exist or has been suspended.",
    "tos_ban": "The community has closed channel {login} due to Terms of Service violations.",
    "msg_banned": "You are permanently banned from talking in {login}.",
    "msg_suspended": "You don't have permission to perform that action.",
    "msg_channel_blocked": "Your account is not in good standing in that channel.",
    "msg_verified_email": "This room requires a verified account to chat.",
    "msg_requires_verified_phone_number": "A verified phone number is required to chat in this channel.",
    "msg_concurrent_channel_limit_reached": (
        "You are connected to too many chat channels. Please close some existing chat connections to join a new chat"
    ),
}

_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\:", " ": "\\s", "\r": "\\r", "\n": "\\n"})


def tagged(tags: dict[str, str], line: str) -> str:
    """The line with its IRCv3 tags before it."""
    return "@" + ";".join(f"{key}={value.translate(_ESCAPES)}" for key, value in tags.items()) + " " + line


def mask(nick: str) -> str:
    """The source of what a user says."""
    return f"{nick}!{nick}@{nick}.{HOST}"


def welcome(nick: str) -> list[str]:
    """The seven lines after a login."""
    texts = (
        ("001", "Welcome, GLHF!"),
        ("002", f"Your host is {HOST}"),
        ("003", "This server is rather new"),
        ("004", "-"),
        ("375", "-"),
        ("372", "You are in a maze of twisty passages, all alike."),
        ("376", ">"),
    )
    return [f":{HOST} {number} {nick} :{text}" for number, text in texts]


def global_user_state(user: User) -> str:
    """Who signed in, after the welcome."""
    tags = {
        "badge-info": "",
        "badges": "",
        "color": "",
        "display-name": user.display_name,
        "emote-sets": "0",
        "user-id": user.id,
        "user-type": "",
    }
    return tagged(tags, f":{HOST} GLOBALUSERSTATE")


def user_state(user: User, channel: User) -> str:
    """What somebody is in a room, after a JOIN."""
    owner, moderator = user.id == channel.id, user.id in channel.moderators
    tags = {
        "badge-info": "",
        "badges": "broadcaster/1" if owner else "moderator/1" if moderator else "",
        "color": "",
        "display-name": user.display_name,
        "emote-sets": "0",
        "mod": str(int(moderator)),
        "subscriber": "0",
        "user-type": "mod" if moderator else "",
    }
    return tagged(tags, f":{HOST} USERSTATE #{channel.login}")


def room_state(channel: User) -> str:
    """All settings, as after a JOIN; a later change carries its one key only."""
    tags = {
        "emote-only": "0",
        "followers-only": "-1",
        "r9k": "0",
        "room-id": channel.id,
        "slow": "0",
        "subs-only": "0",
    }
    return tagged(tags, f":{HOST} ROOMSTATE #{channel.login}")


def notice(msg_id: str, login: str, *, tags: bool) -> str:
    """A NOTICE to a room; without the tags capability it comes without its msg-id."""
    line = f":{HOST} NOTICE #{login} :{NOTICES[msg_id].format(login=login)}"
    return tagged({"msg-id": msg_id}, line) if tags else line


def clear_chat(channel: User, target: User, now: float, seconds: int | None, *, tags: bool) -> str:
    """A ban (`seconds` None) or a timeout."""
    line = f":{HOST} CLEARCHAT #{channel.login} :{target.login}"
    if not tags:
        return line
    duration = {} if seconds is None else {"ban-duration": str(seconds)}
    room = {"room-id": channel.id, "target-user-id": target.id, "tmi-sent-ts": str(int(now * 1000))}
    return tagged({**duration, **room}, line)


def chat(channel_login: str, author: str, text: str, tags: dict[str, str] | None) -> str:
    """Somebody's chat line."""
    line = f":{mask(author)} PRIVMSG #{channel_login} :{text}"
    return line if tags is None else tagged(tags, line)
