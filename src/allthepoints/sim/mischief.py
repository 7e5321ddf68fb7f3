"""What the faults that happen at once do. The table in `faults` names them and their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allthepoints.sim import replies
from allthepoints.sim.world import User

if TYPE_CHECKING:
    from allthepoints.sim.chat import ChatConnection
    from allthepoints.sim.faults import Desk

Given = dict[str, Any]

FORGERIES = (
    "RECONNECT",
    "PING :tmi.twitch.tv",
    ":tmi.twitch.tv RECONNECT",
    ":tmi.twitch.tv NOTICE * :Login authentication failed",
    ":{me}!{me}@{me}.tmi.twitch.tv PART #{room}",
    ":{me}!{me}@{me}.tmi.twitch.tv JOIN #{room}",
    "a CLEARCHAT #{room} :{me}",
    "@msg-id=msg_banned :tmi.twitch.tv NOTICE #{room} :You are permanently banned from talking in {room}.",
    "well then RECONNECT x",
    "see you, PING x",
)
"""Chat text that looks like the server's own lines."""

SMALL_TALK = ("hi", "gg", "what a move", "Prestige 4 🌊 휴", "is this the new map?", "  two spaces  ", ":)", "lol", "")

ODD_LINES = (
    b":!@.tmi.twitch.tv CLEARCHAT :somebody",
    b"@room-id=1;target-user-id=2 :!@.tmi.twitch.tv CLEARCHAT dallas",
    b"",
    b" ",
    b":",
    b"@",
    b"@a=b",
    b":tmi.twitch.tv",
    b":tmi.twitch.tv NOTICE",
    b":tmi.twitch.tv 366",
    b":bob!bob@bob.tmi.twitch.tv PRIVMSG #alpha :\xff\xfe",
    b":bob!bob@bob.tmi.twitch.tv PRIVMSG #alpha :nul \0 here",
    b"@badge-info;;=;display-name=\\s :tmi.twitch.tv USERSTATE",
    b":tmi.twitch.tv 999 me :what is this",
    b"\x01\x02\x03",
)


def connections(desk: Desk, given: Given) -> list[ChatConnection]:
    """The account's connections that the parameters mean."""
    ours, which = desk.hub.of(desk.account), given["connection"]
    if which == "all":
        return ours
    if which in ("oldest", "newest"):
        return ours[:1] if which == "oldest" else ours[-1:]
    return [connection for connection in ours if str(connection.number) == str(which)]


# -- connections -------------------------------------------------------------------------------------------------------
def reconnect(desk: Desk, given: Given) -> None:
    for connection in connections(desk, given):
        connection.ask_to_reconnect(f":{replies.HOST} RECONNECT")
        desk.hub.agenda.later(given["delay"], connection.close)


def reconnect_with_channel(desk: Desk, given: Given) -> None:
    for connection in connections(desk, given):
        room = next(iter(connection.rooms.values()), desk.account.login)
        connection.ask_to_reconnect(f":{replies.HOST} RECONNECT #{room}")
        desk.hub.agenda.later(given["delay"], connection.close)


def reset(desk: Desk, given: Given) -> None:
    for connection in connections(desk, given):
        connection.reset()


def fin(desk: Desk, given: Given) -> None:
    for connection in connections(desk, given):
        connection.close()


def half_open(desk: Desk, given: Given) -> None:
    for connection in connections(desk, given):
        connection.go_deaf()


def chat_down(desk: Desk, given: Given) -> None:
    for connection in list(desk.hub.connections.values()):
        connection.reset()
    desk.hub.shut(given["seconds"])


def server_ping(desk: Desk, given: Given) -> None:
    for connection in connections(desk, given):
        connection.ask_for_life()


def duplicate_lines(desk: Desk, given: Given) -> None:
    for connection in connections(desk, given):
        connection.out.duplicates = given["chance"]


def reorder_lines(desk: Desk, given: Given) -> None:
    for connection in connections(desk, given):
        connection.out.reorders = given["chance"]


def split_writes(desk: Desk, given: Given) -> None:
    for connection in connections(desk, given):
        connection.out.split = given["on"]


def trickle(desk: Desk, given: Given) -> None:
    for connection in connections(desk, given):
        connection.out.trickle = (max(1, given["size"]), given["every"]) if given["size"] else None


# -- what is said ------------------------------------------------------------------------------------------------------
def long_lines(desk: Desk, given: Given) -> None:
    for connection in connections(desk, given):
        room = next(iter(connection.rooms.values()), desk.account.login)
        for _ in range(given["n"]):
            connection.say(replies.chat(room, "bob", "long " + "x" * given["size"], _tags(desk, "1", connection)))


def endless_line(desk: Desk, given: Given) -> None:
    for connection in connections(desk, given):
        connection.out.raw(b"x" * given["size"])
        connection.out.flush()


def odd_lines(desk: Desk, given: Given) -> None:
    for connection in connections(desk, given):
        for line in ODD_LINES:
            connection.out.line(line)
        connection.out.flush()


def chat_noise(desk: Desk, given: Given) -> None:
    """A burst every so often, so that much chat costs few wake-ups."""
    lines = max(1, round(given["rate"] * given["every"] / 60))
    room = desk.channel(given).id if given["channel"] else None
    _burst(desk, room, lines, given["every"], desk.hub.clock.now() + given["seconds"])


def _burst(desk: Desk, room: str | None, lines: int, every: float, until: float) -> None:
    for connection in list(desk.hub.connections.values()):
        for channel_id, login in connection.rooms.items():
            if room in (None, channel_id):
                for _ in range(lines):
                    text = _some_text(desk, connection.nick, login)
                    connection.out.line(replies.chat(login, "bob", text, _tags(desk, channel_id, connection)))
        connection.out.flush()
    if desk.hub.clock.now() + every <= until:
        desk.hub.agenda.later(every, lambda: _burst(desk, room, lines, every, until))


def shared_chat(desk: Desk, given: Given) -> None:
    """The same line in two rooms: different id, the same source-id and source-room-id."""
    for connection in desk.hub.of(desk.account):
        pair = list(connection.rooms.items())[:2]
        if given["channel"]:
            source = desk.channel(given).id
            pair = [*((i, x) for i, x in connection.rooms.items() if i == source), *pair][:2]
        source_tags = {"source-id": _message_id(desk), "source-room-id": pair[0][0] if pair else "1"}
        for channel_id, login in pair:
            tags = _tags(desk, channel_id, connection)
            connection.out.line(replies.chat(login, "bob", "shared", None if tags is None else {**tags, **source_tags}))
        connection.out.flush()


def _some_text(desk: Desk, nick: str, room: str) -> str:
    texts = FORGERIES if desk.hub.chance.draw() < 0.25 else SMALL_TALK
    return texts[int(desk.hub.chance.draw() * len(texts))].format(me=nick, room=room)


def _tags(desk: Desk, channel_id: str, connection: ChatConnection) -> dict[str, str] | None:
    if not connection.has("tags"):
        return None
    now = str(int(desk.hub.clock.now() * 1000))
    return {
        "badge-info": "",
        "badges": "",
        "color": "#1E90FF",
        "display-name": "Bob",
        "emotes": "",
        "id": _message_id(desk),
        "mod": "0",
        "room-id": channel_id,
        "subscriber": "0",
        "tmi-sent-ts": now,
        "turbo": "0",
        "user-id": "4242",
        "user-type": "",
    }


def _message_id(desk: Desk) -> str:
    return f"{int(desk.hub.chance.draw() * 16**12):012x}"


# -- the world ---------------------------------------------------------------------------------------------------------
def ban(desk: Desk, given: Given) -> None:
    desk.hub.ban(desk.channel(given), desk.whom(given))


def put_out(desk: Desk, given: Given) -> None:
    desk.hub.ban(desk.channel(given), desk.whom(given), tell=False)


def timeout_us(desk: Desk, given: Given) -> None:
    desk.hub.time_out(desk.channel(given), desk.whom(given), int(given["seconds"]))


def unban(desk: Desk, given: Given) -> None:
    desk.channel(given).banned.discard(desk.whom(given).id)


def bar(desk: Desk, given: Given) -> None:
    """Nobody is put out by it."""
    channel, whom = desk.channel(given), desk.whom(given).id
    if given["on"]:
        channel.barred[whom] = given["notice"]
    else:
        channel.barred.pop(whom, None)


def suspend(desk: Desk, given: Given) -> None:
    channel = desk.channel(given)
    desk.hub.world.go_offline(channel, desk.hub.clock.now())
    channel.suspended = given["notice"]
    desk.hub.empty(channel)


def unsuspend(desk: Desk, given: Given) -> None:
    desk.channel(given).suspended = ""


def rename(desk: Desk, given: Given) -> None:
    channel = desk.channel(given)
    old, world = channel.login, desk.hub.world
    world.rename(channel, given["to"].lower())
    desk.hub.empty(channel)
    if given["taken"]:
        world.add(
            User(id=str(90_000_000 + len(world.users)), login=old, display_name=old, created_at=desk.hub.clock.now())
        )


def delete(desk: Desk, given: Given) -> None:
    channel = desk.channel(given)
    desk.hub.world.delete(channel, desk.hub.clock.now())
    desk.hub.empty(channel)


# -- Helix and OAuth ---------------------------------------------------------------------------------------------------
def cache_lag(desk: Desk, given: Given) -> None:
    world, before = desk.hub.world, (desk.hub.world.online_lag, desk.hub.world.offline_lag)
    world.online_lag = (given["online"] / 4, given["online"])
    world.offline_lag = (given["offline"] / 4, given["offline"])

    def restore() -> None:
        world.online_lag, world.offline_lag = before

    desk.hub.agenda.later(given["seconds"], restore)


def expire_token(desk: Desk, given: Given) -> None:
    desk.hub.tokens.expire(desk.whom(given).id, desk.hub.clock.now())
    _cut_chat(desk, given)


def revoke(desk: Desk, given: Given) -> None:
    desk.hub.tokens.revoke_user(desk.whom(given).id)
    _cut_chat(desk, given)


def _cut_chat(desk: Desk, given: Given) -> None:
    if given["cut_chat"]:
        for connection in desk.hub.of(desk.whom(given)):
            connection.close()


def device_denied(desk: Desk, _given: Given) -> None:
    if (code := desk.hub.tokens.pending()) is not None:
        code.denied = True
