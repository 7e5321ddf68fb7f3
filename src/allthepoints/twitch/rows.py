"""Rows of Helix answers, read with tolerance: unknown fields are ignored, a row without what matters is a `Doubt`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, TypeVar

import msgspec

from allthepoints.base.types import Login, NotALogin, StreamId, UserId, as_login, believable
from allthepoints.core.model import ChannelRef, Stream, StreamKind

TITLE = 300
"""Characters kept of a title; Twitch allows 140."""

MOST_ROWS = 1_000
"""Rows of a page; Helix sends 100. A million would hold up the chat for seconds."""

T = TypeVar("T")


class Pagination(msgspec.Struct):
    """`{}` at the end."""

    cursor: str | None = None


class Page(msgspec.Struct):
    """The envelope of every list. Rows are decoded one by one, so that a bad one spoils only itself."""

    data: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MOST_ROWS)]
    pagination: Pagination | None = None
    total: int | None = None

    @property
    def cursor(self) -> str | None:
        """Where the next page begins; None on the last."""
        return (self.pagination.cursor or None) if self.pagination else None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A row that made no sense, and whom it spoke of as far as that can be told."""

    id: UserId | None
    login: Login | None


def streams(rows: Iterable[msgspec.Raw]) -> tuple[list[Stream], list[Doubt]]:
    """The streams of Get Streams or Get Followed Streams, and the rows that are none.

    An empty type is Twitch's own sign of an internal error. A type other than live, or a tag that says so, is a re-run.
    A row that leaves out type or start is taken for a live stream that began at 0: so little is said by other servers.
    """
    good: list[Stream] = []
    doubts: list[Doubt] = []
    for raw in rows:
        row = _row(raw, _StreamRow)
        if row is not None and row.id and row.type and (channel := _ref(row.user_id, row.user_login, row.user_name)):
            title = (row.title or "")[:TITLE]
            good.append(Stream(StreamId(str(row.id)), channel, _kind(row), title, _epoch(row.started_at)))
        else:
            who = _row(raw, _Who) or _Who()
            doubts.append(Doubt(_id(who.user_id), _login(who.user_login)))
    return good, doubts


def follows(rows: Iterable[msgspec.Raw]) -> list[ChannelRef]:
    """The channels of Get Followed Channels; rows without id or login (closed accounts) are left out."""
    decoded = (_row(raw, _FollowRow) for raw in rows)
    found = (_ref(row.broadcaster_id, row.broadcaster_login, row.broadcaster_name) for row in decoded if row)
    return [channel for channel in found if channel]


def users(rows: Iterable[msgspec.Raw]) -> tuple[list[ChannelRef], list[Doubt]]:
    """The channels of Get Users, and the rows that are none."""
    good: list[ChannelRef] = []
    doubts: list[Doubt] = []
    for raw in rows:
        row = _row(raw, _UserRow) or _UserRow()
        if channel := _ref(row.id, row.login, row.display_name):
            good.append(channel)
        else:
            doubts.append(Doubt(_id(row.id), _login(row.login)))
    return good, doubts


class _StreamRow(msgspec.Struct):
    started_at: datetime | msgspec.UnsetType = msgspec.UNSET
    id: str | int | None = None
    user_id: str | int | None = None
    user_login: str | None = None
    user_name: str | None = None
    type: str | None = "live"
    title: str | None = None
    tags: list[str | None] | None = None


class _Who(msgspec.Struct):
    user_id: object = None
    user_login: object = None


class _FollowRow(msgspec.Struct):
    broadcaster_id: str | int | None = None
    broadcaster_login: str | None = None
    broadcaster_name: str | None = None


class _UserRow(msgspec.Struct):
    id: str | int | None = None
    login: str | None = None
    display_name: str | None = None


def _row(raw: msgspec.Raw, shape: type[T]) -> T | None:
    try:
        return msgspec.json.decode(raw, type=shape)
    except (ValueError, RecursionError):
        return None


def _ref(user_id: str | int | None, login: str | None, display: str | None) -> ChannelRef | None:
    if len(login or "") > 50 or (isinstance(user_id, str) and len(user_id) > 20):
        return None
    return _known_ref(user_id, login, (display or "")[:200])  # what is remembered is bounded in every way


@lru_cache(maxsize=8192)  # the same few rows come with every poll
def _known_ref(user_id: str | int | None, login: str | None, display: str) -> ChannelRef | None:
    known_id, known_login = _id(user_id), _login(login)
    if known_id is None or known_login is None:
        return None
    return ChannelRef(known_id, known_login, display.strip()[:50] or known_login)


def _id(value: object) -> UserId | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        return UserId(value)
    return None


def _login(value: object) -> Login | None:
    try:
        return as_login(value) if isinstance(value, str) else None
    except NotALogin:
        return None


def _kind(row: _StreamRow) -> StreamKind:
    marked = any(tag and tag.casefold().replace("-", "") in ("rerun", "reruns") for tag in row.tags or ())
    return StreamKind.RERUN if marked or row.type != "live" else StreamKind.LIVE


def _epoch(at: datetime | msgspec.UnsetType) -> float:
    if isinstance(at, msgspec.UnsetType):
        return 0.0
    return believable((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
