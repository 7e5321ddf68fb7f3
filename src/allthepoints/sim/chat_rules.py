"""What the chat server thinks of a login and of a JOIN: its rules, without the connection that asks."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import TYPE_CHECKING

from allthepoints.sim.replies import LOGIN_REFUSALS
from allthepoints.sim.world import User

if TYPE_CHECKING:
    from allthepoints.sim.hub import ChatHub

FULL = "msg_concurrent_channel_limit_reached"

_ANONYMOUS = re.compile(r"justinfan\d+\Z")


def whose(hub: ChatHub, nick: str, password: str | None) -> tuple[User | None, str, str]:
    """Who signs in, the text of the refusal, and what was odd about it (both "" if there is none)."""
    if _ANONYMOUS.match(nick):
        return None, "", ""
    if password is None:
        return None, LOGIN_REFUSALS["improper"], "NICK without PASS"
    if not password.startswith("oauth:"):
        return None, LOGIN_REFUSALS["improper"], "PASS without oauth:"
    token = hub.tokens.valid(password.removeprefix("oauth:"), hub.clock.now())
    if token is None:
        return None, LOGIN_REFUSALS["failed"], ""
    user = hub.world.users.get(token.user_id or "")
    if user is None or "chat:read" not in token.scopes:
        return user, LOGIN_REFUSALS["unsuccessful"], ""
    return user, "" if user.login == nick else LOGIN_REFUSALS["failed"], ""


def refusal(hub: ChatHub, user: User | None, channel: User | None, own_rooms: Container[str]) -> str:
    """The msg-id of the NOTICE that a JOIN gets instead of an echo; "" for none. `own_rooms`: the connection's."""
    if channel is None:
        return "msg_channel_suspended" if hub.limits.unknown_join == "notice" else ""
    if channel.suspended or user is None:
        return channel.suspended
    if user.id in channel.banned:
        return "msg_banned"
    if user.id in channel.barred:
        return channel.barred[user.id]
    per_socket = hub.limits.rooms_per == "socket"
    has_slot = channel.id in (own_rooms if per_socket else hub.world.rooms(user.id))
    if has_slot or hub.world.exempt(user.id, channel.id):
        return ""
    used = hub.world.counted_rooms(user.id, hub.clock.now(), per_seat=per_socket)
    return "" if used < hub.limits.rooms else FULL
