"""Everything that can be made to go wrong, by name, in one table.

A fault either happens at once (a ban, a reset) or is *armed*: it lies in wait for the next `n` times that the server
comes to that point, or for `seconds`, or once if neither is said. `source` says where such a thing was seen: in the
documentation, or a case reported by users of such tools.

Common parameters. `channel`: login or id. `connection`: "oldest", "newest", "all" or the server's number of it, of the
account's; for armed faults absent means whichever comes. `chance`: of striking at each occasion.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from allthepoints.sim import elements_faults, mischief, replies
from allthepoints.sim.fault import CHANNEL, NEXT, ON_CALL, REQUIRED, ROOM, WHOM, Fault, Parameter, duration, text
from allthepoints.sim.tally import Befallen

if TYPE_CHECKING:
    from allthepoints.sim.elements import Elements, SeChannel
    from allthepoints.sim.hub import ChatHub
    from allthepoints.sim.world import User


@dataclass(slots=True)
class Desk:
    """Where faults are ordered. `account`: whom they befall if they do not say."""

    hub: ChatHub
    account: User
    elements: Elements

    def order(self, name: str, parameters: Mapping[str, object]) -> None:
        """Let it happen, or arm it. Raises ValueError for an unknown name, parameter, channel or account."""
        given = check(name, parameters)
        fault, now = FAULTS[name], self.hub.clock.now()
        if given.get("channel") is not None:
            given["channel"] = self.channel(given).id
        if fault.apply is None and given.get("connection") is not None:
            given["connection"] = next((c.number for c in mischief.connections(self, given)), None)
        self.hub.journal.faults[name] += 1
        self.hub.journal.befallen.append(Befallen(now, name, dict(given), self.whom(given).id))
        if fault.apply is not None:
            fault.apply(self, given)
        else:
            self.hub.troubles.arm(name, given, now)

    def channel(self, given: Mapping[str, Any]) -> User:
        """The channel that the parameters name."""
        return self._find(given["channel"])

    def pays(self, given: Mapping[str, Any]) -> SeChannel:
        """What StreamElements has of the channel that the parameters name. Raises ValueError."""
        channel = self.channel(given)
        found = self.elements.of(channel)
        if found is None:
            raise ValueError(f"{channel.login} is not at StreamElements")
        return found

    def whom(self, given: Mapping[str, Any]) -> User:
        """The account that the parameters name, else ours."""
        return self._find(given["account"]) if given.get("account") else self.account

    def _find(self, name: str) -> User:
        try:
            return self.hub.world.find(name)
        except LookupError as error:
            raise ValueError(str(error)) from None


def check(name: str, parameters: Mapping[str, object]) -> dict[str, Any]:
    """The parameters in their types, with defaults. Raises ValueError with a suggestion for a near name."""
    fault = FAULTS.get(name)
    if fault is None:
        raise ValueError(f"unknown fault {name!r}{_suggestion(name, FAULTS)}")
    for key in parameters:
        if key not in fault.parameters:
            raise ValueError(f"fault {name!r} has no parameter {key!r}{_suggestion(key, fault.parameters)}")
    given = {}
    for key, parameter in fault.parameters.items():
        value = parameters.get(key, parameter.default)
        if value is REQUIRED:
            raise ValueError(f"fault {name!r} needs {key!r}")
        given[key] = parameter.read(f"fault {name!r}: {key}", value)
    return given


def _suggestion(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


# -- the table ---------------------------------------------------------------------------------------------------------
_ON_CONNECTION = {**NEXT, "connection": text()}
_ON_JOIN = {**_ON_CONNECTION, "channel": text()}
_WHICH = {"connection": text("oldest")}

_CHAT = (
    Fault("lose_join", "a JOIN is never answered", "ghost join, FC-01", _ON_JOIN),
    Fault("late_ack", "a JOIN is answered late", "late confirmations", {**_ON_JOIN, "delay": duration(20.0)}),
    Fault("ghost_joins", "a connection answers no JOIN any more", "ghost join, 2026-04", {**_ON_JOIN}),
    Fault(
        "reconnect",
        "RECONNECT, and the connection is closed after the delay",
        "documentation, keep-alive; FC-04",
        {**_WHICH, "delay": duration(5.0)},
        mischief.reconnect,
    ),
    Fault(
        "reconnect_with_channel",
        "RECONNECT with a room behind it, then closed",
        "FC-04",
        {**_WHICH, "delay": duration(5.0)},
        mischief.reconnect_with_channel,
    ),
    Fault("reset", "the connection ends with an RST", "FC-05 e", {**_WHICH}, mischief.reset),
    Fault("fin", "the connection ends in order", "FC-05 d", {**_WHICH}, mischief.fin),
    Fault("half_open", "the socket stays, nothing gets through", "FC-05 c", {**_WHICH}, mischief.half_open),
    Fault(
        "chat_down",
        "the chat server is down: all connections end with an RST, and new ones are refused",
        "FC-05",
        {"seconds": duration(30.0)},
        mischief.chat_down,
    ),
    Fault("no_tls_answer", "TCP accepts, TLS never answers", "FC-05 a", {**NEXT}),
    Fault("no_welcome", "the login is never answered", "FC-05 b", {**_ON_CONNECTION}),
    Fault("close_after_nick", "closed straight after NICK", "FC-06", {**_ON_CONNECTION}),
    Fault(
        "refuse_login",
        "one of the login refusals, then closed",
        "documentation, errors at login; FC-17",
        {**_ON_CONNECTION, "text": text("failed", *replies.LOGIN_REFUSALS)},
    ),
    Fault(
        "slow_slots",
        "the rooms of a connection that ends still count for a while",
        "probe of 2026-09",
        {**_ON_CONNECTION, "hold": duration(120.0)},
    ),
    Fault(
        "duplicate_lines",
        "lines come twice",
        "documentation, framing",
        {"connection": text("all"), "chance": Parameter("number", 0.3)},
        mischief.duplicate_lines,
    ),
    Fault(
        "reorder_lines",
        "a line overtakes the one before it",
        "documentation, framing",
        {"connection": text("all"), "chance": Parameter("number", 0.3)},
        mischief.reorder_lines,
    ),
    Fault(
        "split_writes",
        "lines are cut anywhere, several come in one piece",
        "documentation, framing; FC-29",
        {"connection": text("all"), "on": Parameter("flag", True)},
        mischief.split_writes,
    ),
    Fault(
        "trickle",
        "bytes come a few at a time",
        "FC-29",
        {"connection": text("all"), "size": Parameter("count", 7), "every": duration(0.05)},
        mischief.trickle,
    ),
    Fault(
        "long_lines",
        "chat lines far beyond 512 bytes",
        "FC-30 a",
        {"connection": text("all"), "size": Parameter("count", 12_000), "n": Parameter("count", 1)},
        mischief.long_lines,
    ),
    Fault(
        "endless_line",
        "bytes without a line end",
        "FC-30 b",
        {**_WHICH, "size": Parameter("count", 1_000_000)},
        mischief.endless_line,
    ),
    Fault(
        "odd_lines",
        "malformed CLEARCHAT, bytes that are not UTF-8, NUL, empty lines",
        "twitchdev/issues 604; FC-29",
        {"connection": text("all")},
        mischief.odd_lines,
    ),
    Fault(
        "chat_noise",
        "people chat, and some write what looks like commands; `rate` in lines a minute and room",
        "FC-04",
        {
            "rate": Parameter("number", 20.0),
            "seconds": duration(60.0),
            "every": duration(10.0),
            **ROOM,
        },
        mischief.chat_noise,
    ),
    Fault("shared_chat", "one line in two rooms", "Shared Chat", {**ROOM}, mischief.shared_chat),
    Fault("no_ping_reply", "the client's PING is not answered", "FC-05 c", {**_ON_CONNECTION}),
    Fault("server_ping", "the server asks for a PONG", "documentation, keep-alive", {**_WHICH}, mischief.server_ping),
)

BARS = ("msg_channel_blocked", "msg_suspended", "msg_verified_email", "msg_requires_verified_phone_number")
"""What a JOIN gets where the account may not enter, and is not banned."""

_WORLD = (
    Fault("ban", "banned in a channel: CLEARCHAT, then put out", "moderation lines", {**WHOM}, mischief.ban),
    Fault("put_out", "banned, and only the PART tells", "reported by users", {**WHOM}, mischief.put_out),
    Fault(
        "timeout_us",
        "timed out: may not talk, stays in the room",
        "moderation lines",
        {**WHOM, "seconds": duration(350.0)},
        mischief.timeout_us,
    ),
    Fault("unban", "the ban is lifted, without a word", "moderation lines", {**WHOM}, mischief.unban),
    Fault(
        "bar",
        "may not enter a room; who is in it stays (`on` = false: may again)",
        "documentation, NOTICEs of a JOIN; FC-03",
        {**WHOM, "notice": text("msg_channel_blocked", *BARS), "on": Parameter("flag", True)},
        mischief.bar,
    ),
    Fault(
        "suspend",
        "the channel is suspended",
        "JOIN outcomes",
        {**CHANNEL, "notice": text("msg_channel_suspended", "msg_channel_suspended", "tos_ban")},
        mischief.suspend,
    ),
    Fault("unsuspend", "the channel is back", "JOIN outcomes", {**CHANNEL}, mischief.unsuspend),
    Fault(
        "rename",
        "a new login, also while live; the old one may go to another id",
        "FC-16",
        {**CHANNEL, "to": text(REQUIRED), "taken": Parameter("flag", False)},
        mischief.rename,
    ),
    Fault("delete", "the user is gone", "FC-15", {**CHANNEL}, mischief.delete),
)

_HELIX = (
    Fault(
        "status",
        "an error answer; for 429 `reset` seconds from now stand in Ratelimit-Reset",
        "documentation, errors; FC-53",
        {
            **ON_CALL,
            "code": Parameter("count", 503),
            "message": text(""),
            "reset": duration(30.0),
            "headers": Parameter("flag", True),
            "retry_after": duration(),
        },
    ),
    Fault(
        "body",
        "200 with a body that is not the one expected",
        "FC-21",
        {
            **ON_CALL,
            "kind": text("empty", "empty", "html", "truncated", "two_values", "data_null", "foreign", "broken_gzip"),
        },
    ),
    Fault("hang", "the answer comes after `delay`", "FC-21", {**ON_CALL, "delay": duration(600.0)}),
    Fault("reset_http", "the connection ends with an RST, without an answer", "FC-19", {**ON_CALL}),
    Fault("empty_streams", "nobody is live, for one poll", "Twitch-API 565", {**NEXT}),
    Fault("flap", "a live channel is missing from the polls", "FC-09", {**NEXT, **CHANNEL}),
    Fault(
        "cache_lag",
        "Helix notices late, for `seconds`",
        "freshness of Get Streams",
        {
            "seconds": duration(3600.0),
            "online": duration(120.0),
            "offline": duration(600.0),
        },
        mischief.cache_lag,
    ),
    Fault("odd_type", 'a stream\'s type is "" (internal error)', "FC-08", {**NEXT, **CHANNEL}),
    Fault("bad_id", "a batch that holds this channel fails with 400", "FC-13", {**NEXT, **CHANNEL}),
    Fault("repeat_cursor", "a page names itself as the next", "FC-12 b", {**ON_CALL}),
    Fault("repeat_row", "a page begins with the last row of the one before", "FC-12 c", {**ON_CALL}),
    Fault("page_fails", "a later page answers 500", "FC-12 a", {**ON_CALL}),
)

_OAUTH = (
    Fault(
        "expire_token",
        "the account's access tokens expire now",
        "documentation, tokens; FC-17",
        {"account": text(), "cut_chat": Parameter("flag", False)},
        mischief.expire_token,
    ),
    Fault(
        "revoke",
        "the app is disconnected: access and refresh tokens are void",
        "documentation, tokens; FC-17",
        {"account": text(), "cut_chat": Parameter("flag", False)},
        mischief.revoke,
    ),
    Fault(
        "refresh_lost",
        "a refresh is done, but its answer never comes",
        "FC-46 c",
        {**NEXT, "how": text("reset", "reset", "hang")},
    ),
    Fault("refresh_no_pair", "a refresh answers without a refresh token, and the old one stays", "FC-46 f", {**NEXT}),
    Fault("refresh_invalid", "a refresh answers 400 Invalid refresh token", "FC-46 d", {**NEXT}),
    Fault(
        "refresh_not_public",
        "a refresh answers 400 missing client secret: the app is not of the kind Public",
        "FC-46 e",
        {**NEXT},
    ),
    Fault(
        "validate_as",
        "/oauth2/validate tells of another account's token, of one that may not read chat, or of an app's",
        "FC-18",
        {**NEXT, "kind": text("account", "account", "scope", "app")},
    ),
    Fault(
        "validate_status",
        "/oauth2/validate answers an error",
        "FC-18",
        {**NEXT, "code": Parameter("count", 500), "message": text("")},
    ),
    Fault("device_slow_down", "a poll for a device code answers slow_down", "FC-19", {**NEXT}),
    Fault("device_missing_code", "the device flow's first answer has no device_code", "FC-19", {**NEXT}),
    Fault(
        "device_denied",
        "the person says no to the newest device code",
        "undocumented; assumed to stay pending or turn invalid",
        {},
        mischief.device_denied,
    ),
)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in (*_CHAT, *_WORLD, *_HELIX, *_OAUTH, *elements_faults.TABLE)}
