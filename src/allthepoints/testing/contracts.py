"""What every `ports.LiveApi` and `ports.Tokens` must do. Run against the fakes, and against the sandbox.

A case gets a stage: the port, and a way to make things true behind it. Each case is a coroutine function whose name
says what must hold; `LIVE_API` and `TOKENS` list them for `parametrize`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Protocol

from allthepoints.base.errors import OutsideError, SignInNeeded, Unknown
from allthepoints.base.types import Login, StreamId, UserId
from allthepoints.core.actions import ReadLive
from allthepoints.core.model import ChannelRef, StreamKind
from allthepoints.ports import LiveApi, Tokens


class LiveStage(Protocol):
    """A Twitch with an account that follows some channels."""

    api: LiveApi
    me: UserId

    def add(self, login: str, *, followed: bool = True) -> ChannelRef:
        """A new channel, offline; a followed one is the newest of the follows."""
        ...

    def go_live(self, login: str, *, kind: StreamKind = StreamKind.LIVE) -> StreamId:
        """A new stream; whom it is of, and its id."""
        ...

    def go_offline(self, login: str) -> None: ...

    def rename(self, login: str, to: str) -> None: ...

    def delete(self, login: str) -> None: ...

    def make_doubtful(self, login: str) -> None:
        """The channel's row makes no sense from now on."""
        ...

    def outage(self, on: bool) -> None:
        """Nothing is answered, or all is well again."""
        ...


class TokensStage(Protocol):
    """A sign-in of an account."""

    tokens: Tokens
    login: Login

    def expire(self) -> None:
        """The access token dies; it can be renewed."""
        ...

    def revoke(self) -> None:
        """The person disconnects the app."""
        ...

    def outage(self, on: bool) -> None: ...


# -- LiveApi -------------------------------------------------------------------------------------------------------
async def follows_come_newest_first_each_once(stage: LiveStage) -> None:
    """FC-12. More than a page of them."""
    added = [stage.add(f"channel_{n}") for n in range(241)]
    stage.add("stranger", followed=False)
    assert list(await stage.api.follows(stage.me)) == added[::-1]


async def nobody_is_followed(stage: LiveStage) -> None:
    """An empty list is an answer."""
    assert await stage.api.follows(stage.me) == ()


async def who_is_live_is_told_by_follow_by_id_and_by_login(stage: LiveStage) -> None:
    """With the stream's id as the session's identity; who is asked for and not named is offline."""
    on, off = stage.add("on"), stage.add("off")
    by_id, by_login = stage.add("by_id", followed=False), stage.add("by_login", followed=False)
    stage.add("not_asked", followed=False)
    streams = {login: stage.go_live(login) for login in ("on", "by_id", "by_login", "not_asked")}
    ask = ReadLive(stage.me, frozenset({on.id, off.id}), frozenset({by_id.id}), frozenset({by_login.login}))
    read = await stage.api.live(ask)
    assert {stream.channel: stream.id for stream in read.streams} == {
        on: streams["on"],
        by_id: streams["by_id"],
        by_login: streams["by_login"],
    }
    assert read.asked == {on.id, off.id, by_id.id}
    assert read.asked_logins == {by_login.login}
    assert not read.doubtful
    assert read.error is None
    assert all(stream.kind is StreamKind.LIVE and stream.title for stream in read.streams)


async def nobody_is_live(stage: LiveStage) -> None:
    """FC-20."""
    alpha = stage.add("alpha")
    stage.go_live("alpha")
    stage.go_offline("alpha")
    read = await stage.api.live(_by_id(alpha))
    assert read.streams == ()
    assert read.asked == {alpha.id}
    assert read.error is None


async def a_restart_is_another_stream(stage: LiveStage) -> None:
    """FC-10."""
    alpha = stage.add("alpha")
    first = stage.go_live("alpha")
    assert [stream.id for stream in (await stage.api.live(_by_id(alpha))).streams] == [first]
    stage.go_offline("alpha")
    second = stage.go_live("alpha")
    assert second != first
    assert [stream.id for stream in (await stage.api.live(_by_id(alpha))).streams] == [second]


async def a_rerun_is_told_as_one(stage: LiveStage) -> None:
    """FC-08."""
    alpha = stage.add("alpha")
    stage.go_live("alpha", kind=StreamKind.RERUN)
    assert [stream.kind for stream in (await stage.api.live(_by_id(alpha))).streams] == [StreamKind.RERUN]


async def a_row_without_sense_is_doubtful(stage: LiveStage) -> None:
    """FC-08. It is neither live nor offline."""
    alpha, beta = stage.add("alpha"), stage.add("beta")
    stage.go_live("alpha")
    stage.go_live("beta")
    stage.make_doubtful("alpha")
    read = await stage.api.live(_by_id(alpha, beta))
    assert read.doubtful == {alpha.id}
    assert [stream.channel for stream in read.streams] == [beta]
    by_login = await stage.api.live(ReadLive(None, frozenset(), frozenset(), frozenset({alpha.login})))
    assert not by_login.asked_logins


async def more_than_a_call_holds(stage: LiveStage) -> None:
    """FC-13."""
    channels = [stage.add(f"channel_{n}", followed=n % 2 == 0) for n in range(250)]
    for n in range(0, 250, 5):
        stage.go_live(f"channel_{n}")
    read = await stage.api.live(_by_id(*channels))
    assert {stream.channel for stream in read.streams} == set(channels[::5])
    assert read.asked == {channel.id for channel in channels}
    users = await stage.api.users(frozenset(c.id for c in channels), frozenset({Login("gone")}))
    assert set(users.found) == set(channels)
    assert not users.missing_ids
    assert users.missing_logins == {"gone"}


async def a_rename_keeps_the_id(stage: LiveStage) -> None:
    """FC-16."""
    alpha = stage.add("alpha")
    stream = stage.go_live("alpha")
    stage.rename("alpha", "alpha2")
    seen = (await stage.api.live(ReadLive(stage.me, frozenset({alpha.id}), frozenset(), frozenset()))).streams
    assert [(one.channel.id, one.channel.login, one.id) for one in seen] == [(alpha.id, "alpha2", stream)]
    users = await stage.api.users(frozenset({alpha.id}), frozenset({Login("alpha")}))
    assert [(found.id, found.login) for found in users.found] == [(alpha.id, "alpha2")]
    assert users.missing_logins == {"alpha"}
    assert [channel.login for channel in await stage.api.follows(stage.me)] == ["alpha2"]


async def who_is_gone_is_missing(stage: LiveStage) -> None:
    """FC-15."""
    alpha, gone = stage.add("alpha"), stage.add("gone")
    stage.delete("gone")
    users = await stage.api.users(frozenset({alpha.id, gone.id}), frozenset({gone.login}))
    assert users.found == (alpha,)
    assert users.missing_ids == {gone.id}
    assert users.missing_logins == {gone.login}
    assert await stage.api.follows(stage.me) == (alpha,)


async def an_outage_is_an_error_and_passes(stage: LiveStage) -> None:
    """FC-21."""
    alpha = stage.add("alpha")
    stage.go_live("alpha")
    stage.outage(True)
    for work in (
        stage.api.live(_by_id(alpha)),
        stage.api.live(ReadLive(stage.me, frozenset({alpha.id}), frozenset(), frozenset())),
        stage.api.follows(stage.me),
        stage.api.users(frozenset({alpha.id}), frozenset()),
    ):
        assert isinstance(await raised(work), OutsideError)
    stage.outage(False)
    assert len((await stage.api.live(_by_id(alpha))).streams) == 1


LIVE_API = (
    follows_come_newest_first_each_once,
    nobody_is_followed,
    who_is_live_is_told_by_follow_by_id_and_by_login,
    nobody_is_live,
    a_restart_is_another_stream,
    a_rerun_is_told_as_one,
    a_row_without_sense_is_doubtful,
    more_than_a_call_holds,
    a_rename_keeps_the_id,
    who_is_gone_is_missing,
    an_outage_is_an_error_and_passes,
)


# -- Tokens --------------------------------------------------------------------------------------------------------
async def a_good_sign_in_is_told(stage: TokensStage) -> None:
    """FC-18."""
    before = stage.tokens.chat_token()
    sign_in = await stage.tokens.check()
    assert sign_in.account.login == stage.login
    assert sign_in.scopes >= {"chat:read"}
    assert stage.tokens.chat_token() == before
    remembered = stage.tokens.remembered()
    assert remembered is not None
    assert remembered.account == sign_in.account


async def a_dead_token_is_replaced_once(stage: TokensStage) -> None:
    """FC-17, FC-46 a. However many ask."""
    old = stage.tokens.chat_token()
    stage.expire()
    await asyncio.gather(stage.tokens.check(), stage.tokens.check())
    new = stage.tokens.chat_token()
    assert new != old
    await stage.tokens.check()
    assert stage.tokens.chat_token() == new


async def a_refused_token_is_replaced_once(stage: TokensStage) -> None:
    """FC-17. A late complaint about the old one changes nothing."""
    old = stage.tokens.chat_token()
    await asyncio.gather(*(stage.tokens.renew(old) for _ in range(3)))
    new = stage.tokens.chat_token()
    assert new != old
    await stage.tokens.renew(old)
    assert stage.tokens.chat_token() == new
    assert (await stage.tokens.check()).account.login == stage.login


async def what_was_taken_back_ends(stage: TokensStage) -> None:
    """FC-17. No loop: it stays ended."""
    stage.revoke()
    for _ in range(2):
        assert isinstance(await raised(stage.tokens.check()), SignInNeeded)
    assert stage.tokens.remembered() is None
    try:
        stage.tokens.chat_token()
    except SignInNeeded:
        return
    raise AssertionError("a revoked token was given out")


async def an_outage_keeps_the_token(stage: TokensStage) -> None:
    """FC-18."""
    await stage.tokens.check()
    token = stage.tokens.chat_token()
    stage.outage(True)
    assert isinstance(await raised(stage.tokens.check()), Unknown)
    assert stage.tokens.chat_token() == token
    assert stage.tokens.remembered() is not None
    stage.outage(False)
    await stage.tokens.check()
    assert stage.tokens.chat_token() == token


TOKENS = (
    a_good_sign_in_is_told,
    a_dead_token_is_replaced_once,
    a_refused_token_is_replaced_once,
    what_was_taken_back_ends,
    an_outage_keeps_the_token,
)


async def raised(work: Awaitable[object]) -> Exception | None:
    """What it ends with, if not well."""
    try:
        await work
    except Exception as error:
        return error
    return None


def _by_id(*channels: ChannelRef) -> ReadLive:
    return ReadLive(None, frozenset(), frozenset(channel.id for channel in channels), frozenset())
