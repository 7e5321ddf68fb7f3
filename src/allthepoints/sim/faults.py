"""Everything that can be made to go wrong, by name, in one table.

A fault either happens at once (a ban, a reset) or is *armed*: it lies in wait for the next `n` times that the server
comes to that point, or for `seconds`, or once if neither is said. `source` says where such a thing was seen: in the
documentation, or a case reported by users of such tools.

Common parameters. `channel`: login or id. `connection`: "oldest", "newest", "all" or the server's number of it, of the
account's; for armed faults absent means whichever comes. `chance`: of striking at each occasion.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from allthepoints.sim import mischief, replies
from allthepoints.sim.durations import seconds as as_seconds

if TYPE_CHECKING:
    from allthepoints.sim.hub import ChatHub
    from allthepoints.sim.world import User

_REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Parameter:
    """`kind`: duration (seconds or "90s"), number, count, text, flag. None as default: may be left out."""

    kind: str
    default: Any = None
    choices: tuple[str, ...] = ()

    def read(self, name: str, value: object) -> Any:
        """The value in its type. Raises ValueError."""
        if value is None and self.default is None:
            return None
        if self.kind == "duration":
            return as_seconds(value)
        if self.kind == "number" and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if self.kind == "count" and isinstance(value, int) and not isinstance(value, bool):
            return value
        if self.kind == "flag" and isinstance(value, bool):
            return value
        if self.kind == "text" and isinstance(value, str | int) and (not self.choices or value in self.choices):
            return str(value)
        wanted = " or ".join(f'"{choice}"' for choice in self.choices) or self.kind
        raise ValueError(f"{name}: expected {wanted}, got {value!r}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of the table. `apply` is None for armed faults."""

    name: str
    does: str
    source: str
    parameters: Mapping[str, Parameter]
    apply: Callable[[Desk, dict[str, Any]], None] | None = None


@dataclass(slots=True)
class Desk:
    """Where faults are ordered. `account`: whom they befall if they do not say."""

    hub: ChatHub
    account: User

    def order(self, name: str, parameters: Mapping[str, object]) -> None:
        """Let it happen, or arm it. Raises ValueError for an unknown name, parameter, channel or account."""
        given = check(name, parameters)
        fault = FAULTS[name]
        self.hub.journal.faults[name] += 1
        if fault.apply is not None:
            fault.apply(self, given)
            return
        if given.get("channel") is not None:
            given["channel"] = self.channel(given).id
        if given.get("connection") is not None:
            given["connection"] = next((c.number for c in mischief.connections(self, given)), None)
        self.hub.troubles.arm(name, given, self.hub.clock.now())

    def channel(self, given: Mapping[str, Any]) -> User:
        """The channel that the parameters name."""
        return self._find(given["channel"])

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
        if value is _REQUIRED:
            raise ValueError(f"fault {name!r} needs {key!r}")
        given[key] = parameter.read(f"fault {name!r}: {key}", value)
    return given


def _suggestion(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


# -- the table ---------------------------------------------------------------------------------------------------------
def _duration(default: Any = None) -> Parameter:
    return Parameter("duration", default)


def _text(default: Any = None, *choices: str) -> Parameter:
    return Parameter("text", default, choices)


_NEXT = {"n": Parameter("count"), "seconds": _duration(), "chance": Parameter("number", 1.0)}
_ON_CONNECTION = {**_NEXT, "connection": _text()}
_ON_JOIN = {**_ON_CONNECTION, "channel": _text()}
_ON_CALL = {**_NEXT, "path": _text("/")}
_WHICH = {"connection": _text("oldest")}
_CHANNEL = {"channel": _text(_REQUIRED)}
_WHOM = {**_CHANNEL, "account": _text()}
_ROOM = {"channel": _text()}

_CHAT = (
    Fault("lose_join", "a JOIN is never answered", "ghost join, FC-01", _ON_JOIN),
    Fault("late_ack", "a JOIN is answered late", "late confirmations", {**_ON_JOIN, "delay": _duration(20.0)}),
    Fault("ghost_joins", "a connection answers no JOIN any more", "ghost join, 2026-04", {**_ON_JOIN}),
    Fault(
        "reconnect",
        "RECONNECT, and the connection is closed after the delay",
        "documentation, keep-alive; FC-04",
        {**_WHICH, "delay": _duration(5.0)},
        mischief.reconnect,
    ),
    Fault(
        "reconnect_with_channel",
        "RECONNECT with a room behind it, then closed",
        "FC-04",
        {**_WHICH, "delay": _duration(5.0)},
        mischief.reconnect_with_channel,
    ),
    Fault("reset", "the connection ends with an RST", "FC-05 e", {**_WHICH}, mischief.reset),
    Fault("fin", "the connection ends in order", "FC-05 d", {**_WHICH}, mischief.fin),
    Fault("half_open", "the socket stays, nothing gets through", "FC-05 c", {**_WHICH}, mischief.half_open),
    Fault("no_tls_answer", "TCP accepts, TLS never answers", "FC-05 a", {**_NEXT}),
    Fault("no_welcome", "the login is never answered", "FC-05 b", {**_ON_CONNECTION}),
    Fault("close_after_nick", "closed straight after NICK", "FC-06", {**_ON_CONNECTION}),
    Fault(
        "refuse_login",
        "one of the login refusals, then closed",
        "documentation, errors at login; FC-17",
        {**_ON_CONNECTION, "text": _text("failed", *replies.LOGIN_REFUSALS)},
    ),
    Fault(
        "slow_slots",
        "the rooms of a connection that ends still count for a while",
        "probe of 2026-09",
        {**_ON_CONNECTION, "hold": _duration(120.0)},
    ),
    Fault(
        "duplicate_lines",
        "lines come twice",
        "documentation, framing",
        {"connection": _text("all"), "chance": Parameter("number", 0.3)},
        mischief.duplicate_lines,
    ),
    Fault(
        "split_writes",
        "lines are cut anywhere, several come in one piece",
        "documentation, framing; FC-29",
        {"connection": _text("all"), "on": Parameter("flag", True)},
        mischief.split_writes,
    ),
    Fault(
        "trickle",
        "bytes come a few at a time",
        "FC-29",
        {"connection": _text("all"), "size": Parameter("count", 7), "every": _duration(0.05)},
        mischief.trickle,
    ),
    Fault(
        "long_lines",
        "chat lines far beyond 512 bytes",
        "FC-30 a",
        {"connection": _text("all"), "size": Parameter("count", 12_000), "n": Parameter("count", 1)},
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
        {"connection": _text("all")},
        mischief.odd_lines,
    ),
    Fault(
        "chat_noise",
        "people chat, and some write what looks like commands; `rate` in lines a minute and room",
        "FC-04",
        {
            "rate": Parameter("number", 20.0),
            "seconds": _duration(60.0),
            "every": _duration(10.0),
            **_ROOM,
        },
        mischief.chat_noise,
    ),
    Fault("shared_chat", "one line in two rooms", "Shared Chat", {**_ROOM}, mischief.shared_chat),
    Fault("no_ping_reply", "the client's PING is not answered", "FC-05 c", {**_ON_CONNECTION}),
    Fault("server_ping", "the server asks for a PONG", "documentation, keep-alive", {**_WHICH}, mischief.server_ping),
)

_WORLD = (
    Fault("ban", "banned in a channel: CLEARCHAT, then put out", "moderation lines", {**_WHOM}, mischief.ban),
    Fault("put_out", "banned, and only the PART tells", "reported by users", {**_WHOM}, mischief.put_out),
    Fault(
        "timeout_us",
        "timed out: may not talk, stays in the room",
        "moderation lines",
        {**_WHOM, "seconds": _duration(350.0)},
        mischief.timeout_us,
    ),
    Fault("unban", "the ban is lifted, without a word", "moderation lines", {**_WHOM}, mischief.unban),
    Fault(
        "suspend",
        "the channel is suspended",
        "JOIN outcomes",
        {**_CHANNEL, "notice": _text("msg_channel_suspended", "msg_channel_suspended", "tos_ban")},
        mischief.suspend,
    ),
    Fault("unsuspend", "the channel is back", "JOIN outcomes", {**_CHANNEL}, mischief.unsuspend),
    Fault(
        "rename",
        "a new login, also while live; the old one may go to another id",
        "FC-16",
        {**_CHANNEL, "to": _text(_REQUIRED), "taken": Parameter("flag", False)},
        mischief.rename,
    ),
    Fault("delete", "the user is gone", "FC-15", {**_CHANNEL}, mischief.delete),
)

_HELIX = (
    Fault(
        "status",
        "an error answer; for 429 `reset` seconds from now stand in Ratelimit-Reset",
        "documentation, errors; FC-53",
        {
            **_ON_CALL,
            "code": Parameter("count", 503),
            "message": _text(""),
            "reset": _duration(30.0),
            "headers": Parameter("flag", True),
        },
    ),
    Fault(
        "body",
        "200 with a body that is not the one expected",
        "FC-21",
        {
            **_ON_CALL,
            "kind": _text("empty", "empty", "html", "truncated", "two_values", "data_null", "foreign", "broken_gzip"),
        },
    ),
    Fault("hang", "the answer comes after `delay`", "FC-21", {**_ON_CALL, "delay": _duration(600.0)}),
    Fault("reset_http", "the connection ends with an RST, without an answer", "FC-19", {**_ON_CALL}),
    Fault("empty_streams", "nobody is live, for one poll", "Twitch-API 565", {**_NEXT}),
    Fault("flap", "a live channel is missing from the polls", "FC-09", {**_NEXT, **_CHANNEL}),
    Fault(
        "cache_lag",
        "Helix notices late, for `seconds`",
        "freshness of Get Streams",
        {
            "seconds": _duration(3600.0),
            "online": _duration(120.0),
            "offline": _duration(600.0),
        },
        mischief.cache_lag,
    ),
    Fault("odd_type", 'a stream\'s type is "" (internal error)', "FC-08", {**_NEXT, **_CHANNEL}),
    Fault("bad_id", "a batch that holds this channel fails with 400", "FC-13", {**_NEXT, **_CHANNEL}),
    Fault("repeat_cursor", "a page names itself as the next", "FC-12 b", {**_ON_CALL}),
    Fault("repeat_row", "a page begins with the last row of the one before", "FC-12 c", {**_ON_CALL}),
    Fault("page_fails", "a later page answers 500", "FC-12 a", {**_ON_CALL}),
)

_OAUTH = (
    Fault(
        "expire_token",
        "the account's access tokens expire now",
        "documentation, tokens; FC-17",
        {"account": _text(), "cut_chat": Parameter("flag", False)},
        mischief.expire_token,
    ),
    Fault(
        "revoke",
        "the app is disconnected: access and refresh tokens are void",
        "documentation, tokens; FC-17",
        {"account": _text(), "cut_chat": Parameter("flag", False)},
        mischief.revoke,
    ),
    Fault(
        "refresh_lost",
        "a refresh is done, but its answer never comes",
        "FC-46 c",
        {**_NEXT, "how": _text("reset", "reset", "hang")},
    ),
    Fault("refresh_no_pair", "a refresh answers without a refresh token, and the old one stays", "FC-46 f", {**_NEXT}),
    Fault("refresh_invalid", "a refresh answers 400 Invalid refresh token", "FC-46 d", {**_NEXT}),
    Fault(
        "validate_status",
        "/oauth2/validate answers an error",
        "FC-18",
        {**_NEXT, "code": Parameter("count", 500), "message": _text("")},
    ),
    Fault("device_slow_down", "a poll for a device code answers slow_down", "FC-19", {**_NEXT}),
    Fault("device_missing_code", "the device flow's first answer has no device_code", "FC-19", {**_NEXT}),
    Fault(
        "device_denied",
        "the person says no to the newest device code",
        "undocumented; assumed to stay pending or turn invalid",
        {},
        mischief.device_denied,
    ),
)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in (*_CHAT, *_WORLD, *_HELIX, *_OAUTH)}
