"""The sign-in: single flight, nothing lost in a crash, no loop, and every bad token named for what it is."""

from __future__ import annotations

import asyncio
import logging
import traceback
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from stub_twitch import Call, Env, MemoryStore, Reply, Twitch, body, grant, keeper, no, stored, valid, validates

from allthepoints.base.errors import SignInNeeded, Unknown
from allthepoints.base.secret import Secret
from allthepoints.base.types import Login, UserId
from allthepoints.core.model import Account
from allthepoints.twitch.oauth import Grant
from allthepoints.twitch.tokens import TokenKeeper

pytestmark = pytest.mark.anyio


def refreshes(twitch: Twitch) -> list[str]:
    return [call.form["refresh_token"] for call in twitch.posts("refresh_token")]


async def needed(keeper: TokenKeeper, words: str) -> SignInNeeded:
    with pytest.raises(SignInNeeded, match=words) as caught:
        await keeper.check()
    return caught.value


# -- FC-18: what a validated token is good for ---------------------------------------------------------------------
async def test_fc_18_a_good_token() -> None:
    twitch = Twitch().on("/validate", valid())
    sign_in = await keeper(twitch, MemoryStore(stored())).check()
    assert sign_in.account == Account(UserId("1"), Login("me"))
    assert sign_in.scopes == {"chat:read", "user:read:follows"}
    assert sign_in.expires_at == twitch.clock.now() + 5520


async def test_fc_18_wrong_user_names_both_and_overwrites_nothing() -> None:
    store = MemoryStore(stored())
    tokens = keeper(Twitch().on("/validate", valid("other", "2")), store)
    error = await needed(tokens, "other's, but this service runs for me")
    assert "me" in error.hint
    assert store.writes == []
    with pytest.raises(SignInNeeded, match="other"):
        tokens.chat_token()


async def test_fc_18_a_token_from_the_environment_is_held_to_whom_the_data_is_about() -> None:
    """No sign-in is stored there: the account is known from what was recorded."""
    mine = Account(UserId("1"), Login("me"))
    for described, words in ((valid("other", "2"), "other's, but this service runs for me"), (valid("me2"), None)):
        tokens = keeper(Twitch().on("/validate", described), MemoryStore(), Env(Secret("T0")))
        tokens.runs_for(mine)
        if words:
            await needed(tokens, words)
        else:
            assert (await tokens.check()).account.login == "me2"


async def test_a_stored_sign_in_tells_the_account_better_than_the_data() -> None:
    """Who changed over (`login --switch`) has data of the account before."""
    tokens = keeper(Twitch().on("/validate", valid()), MemoryStore(stored()))
    tokens.runs_for(Account(UserId("2"), Login("other")))
    assert (await tokens.check()).account.login == "me"


async def test_a_change_over_by_another_process_is_followed() -> None:
    twitch = Twitch().on("/validate", valid())
    store = MemoryStore(stored())
    tokens = keeper(twitch, store)
    await tokens.check()
    store.tokens = replace(stored("T9", "R9", age=0), login="other", user_id="2")
    twitch.on("/validate", valid("other", "2"))
    assert (await tokens.check()).account == Account(UserId("2"), Login("other"))
    assert tokens.chat_token() == Secret("T9")


async def test_a_sign_out_by_another_process_is_followed_and_nothing_brings_it_back() -> None:
    twitch = Twitch().on("/validate", valid())
    store = MemoryStore(stored())
    tokens = keeper(twitch, store)
    await tokens.check()
    store.tokens, writes = None, len(store.writes)
    await needed(tokens, "not signed in")
    with pytest.raises(SignInNeeded):
        tokens.chat_token()
    assert (twitch.posts("refresh_token"), len(store.writes)) == ([], writes)


async def test_fc_18_app_token() -> None:
    twitch = Twitch().on("/validate", valid(None, None, scopes=None))
    await needed(keeper(twitch, MemoryStore(stored())), "this is an app token")


async def test_fc_18_missing_scope_is_named() -> None:
    await needed(keeper(Twitch().on("/validate", valid(scopes=["chat:edit"])), MemoryStore(stored())), "chat:read")
    await needed(keeper(Twitch().on("/validate", valid(scopes=None)), MemoryStore(stored())), "chat:read")


async def test_fc_18_without_follows_is_allowed_and_told() -> None:
    sign_in = await keeper(Twitch().on("/validate", valid(scopes=["chat:read"])), MemoryStore(stored())).check()
    assert sign_in.scopes == {"chat:read"}


@pytest.mark.parametrize(
    "reply",
    [
        no(429, "slow"),
        no(500, "oops"),
        body(b"<html>"),
        httpx2.Response(401, content=b"<html>"),
        no(403, "go away"),
        no(404, "gone"),
        httpx2.ConnectError("down"),
        httpx2.ReadTimeout("slow"),
        body({"client_id": None}),
    ],
)
async def test_fc_18_no_clear_answer_keeps_the_token(reply: Reply) -> None:
    store = MemoryStore(stored())
    tokens = keeper(Twitch().on("/validate", reply), store)
    with pytest.raises(Unknown):
        await tokens.check()
    assert tokens.chat_token() == Secret("T0")
    remembered = tokens.remembered()
    assert remembered is not None
    assert remembered.account.login == "me"
    assert store.writes == []


async def test_fc_18_a_rename_is_not_another_account() -> None:
    store = MemoryStore(stored())
    sign_in = await keeper(Twitch().on("/validate", valid("me2")), store).check()
    assert sign_in.account.login == "me2"
    assert store.tokens is not None
    assert store.tokens.login == "me2"


async def test_fc_18_an_hourly_check_writes_nothing() -> None:
    store = MemoryStore(stored())
    tokens = keeper(Twitch().on("/validate", valid()), store)
    await tokens.check()
    await tokens.check()
    assert store.writes == []


async def test_not_signed_in() -> None:
    tokens = keeper(Twitch(), MemoryStore())
    error = await needed(tokens, "not signed in")
    assert "login" in error.hint
    with pytest.raises(SignInNeeded):
        tokens.chat_token()
    with pytest.raises(SignInNeeded):
        await tokens.bearer(own=False)
    assert tokens.remembered() is None


async def test_a_sign_in_by_another_process_is_seen() -> None:
    twitch = Twitch().on("/validate", validates("T9"))
    store = MemoryStore()
    tokens = keeper(twitch, store)
    await needed(tokens, "not signed in")
    store.tokens = stored("T9", "R9", age=0)
    assert tokens.chat_token() == Secret("T9")
    assert (await tokens.check()).account.login == "me"


# -- FC-46: refresh ------------------------------------------------------------------------------------------------
async def test_fc_46_a_many_at_once_send_one_post() -> None:
    twitch = Twitch().on("/validate", validates("T1")).on("/token", grant())
    tokens = keeper(twitch, MemoryStore(stored()))
    await asyncio.gather(*(tokens.renew(Secret("T0")) for _ in range(5)), tokens.check(), tokens.check())
    assert refreshes(twitch) == ["R0"]
    assert tokens.chat_token() == Secret("T1")


async def test_fc_46_a_a_late_complaint_about_the_old_token_sends_nothing() -> None:
    twitch = Twitch().on("/token", grant())
    tokens = keeper(twitch, MemoryStore(stored()))
    await tokens.renew(Secret("T0"))
    await tokens.renew(Secret("T0"))
    assert refreshes(twitch) == ["R0"]


async def test_fc_46_b_the_pair_is_in_the_file_before_anyone_has_it() -> None:
    twitch = Twitch()
    store = MemoryStore(stored())
    tokens = keeper(twitch, store)
    seen: list[tuple[str, bool]] = []

    def answer(call: Call) -> Reply:
        assert store.tokens is not None
        seen.append((store.tokens.access.reveal(), store.tokens.refresh_spent))
        return grant()

    def save(pair: Any) -> None:
        assert tokens.chat_token() != pair.access or pair.access == Secret("T0")
        MemoryStore.save(store, pair)

    store.save = save  # type: ignore[method-assign]
    twitch.on("/token", answer)
    await tokens.renew(Secret("T0"))
    assert seen == [("T0", True)]
    assert store.tokens == stored("T1", "R1", age=0, scopes=("chat:read",), expires_at=twitch.clock.now() + 14000)


async def test_fc_46_b_killed_after_the_reply() -> None:
    """The file says `refresh_spent`, with the old pair. Nothing is sent while that lives; then once, and that is it."""
    twitch = Twitch().on("/validate", validates("T0")).on("/token", no(400, "Invalid refresh token"))
    tokens = keeper(twitch, MemoryStore(stored(refresh_spent=True)))
    await tokens.check()
    with pytest.raises(Unknown):
        await tokens.renew(Secret("T0"))
    assert refreshes(twitch) == []
    twitch.on("/validate", validates())
    for _ in range(3):
        await needed(tokens, "does not accept the refresh token")
    assert refreshes(twitch) == ["R0"]


async def test_fc_46_c_a_lost_reply_sends_no_second_post_while_the_token_lives() -> None:
    twitch = Twitch().on("/validate", validates("T0")).on("/token", httpx2.ReadTimeout("lost"), grant())
    store = MemoryStore(stored())
    tokens = keeper(twitch, store)
    for _ in range(3):
        with pytest.raises(Unknown):
            await tokens.renew(Secret("T0"))
        await tokens.check()
    assert refreshes(twitch) == ["R0"]
    again = keeper(twitch, store)  # nor after a restart
    with pytest.raises(Unknown):
        await again.renew(Secret("T0"))
    assert refreshes(twitch) == ["R0"]
    twitch.on("/validate", validates("T1"))  # the old one is dead: nothing is lost by asking again
    await again.check()
    assert refreshes(twitch) == ["R0", "R0"]
    assert again.chat_token() == Secret("T1")
    assert store.tokens is not None
    assert not store.tokens.refresh_spent


async def test_fc_46_c_an_outage_spends_nothing() -> None:
    twitch = Twitch().on("/validate", validates("T1"))
    twitch.on("/token", httpx2.ConnectError("down"), no(429, "slow"), grant())
    store = MemoryStore(stored())
    tokens = keeper(twitch, store)
    for _ in range(2):
        with pytest.raises(Unknown):
            await tokens.renew(Secret("T0"))
        assert store.tokens is not None
        assert not store.tokens.refresh_spent
    await tokens.renew(Secret("T0"))
    assert tokens.chat_token() == Secret("T1")


async def test_fc_46_d_a_clear_no_is_remembered() -> None:
    twitch = Twitch().on("/validate", validates()).on("/token", no(400, "Invalid refresh token"))
    store = MemoryStore(stored())
    tokens = keeper(twitch, store)
    error = await needed(tokens, "does not accept the refresh token")
    assert "login" in error.hint
    with pytest.raises(SignInNeeded):
        await tokens.renew(Secret("T0"))
    with pytest.raises(SignInNeeded):
        tokens.chat_token()
    await needed(keeper(twitch, store), "no refresh token")  # after a restart
    assert refreshes(twitch) == ["R0"]


async def test_fc_46_d_password_changed() -> None:
    twitch = Twitch().on("/validate", validates()).on("/token", no(401, "whatever"))
    await needed(keeper(twitch, MemoryStore(stored())), "does not accept the refresh token")


@pytest.mark.parametrize("unclear", [no(404, "gone"), no(401, ""), httpx2.Response(401), httpx2.Response(403)])
async def test_fc_46_d_a_no_of_somebody_else_ends_nothing(unclear: httpx2.Response) -> None:
    twitch = Twitch().on("/validate", validates("T1")).on("/token", unclear, grant())
    store = MemoryStore(stored())
    tokens = keeper(twitch, store)
    with pytest.raises(Unknown):
        await tokens.check()
    assert store.tokens is not None
    assert store.tokens.refresh == Secret("R0")
    assert (await tokens.check()).account.login == "me"
    assert tokens.chat_token() == Secret("T1")


async def test_fc_46_d_a_no_while_the_token_lives_ends_nothing() -> None:
    twitch = Twitch().on("/validate", validates("T0")).on("/token", no(400, "Invalid refresh token"))
    tokens = keeper(twitch, MemoryStore(stored()))
    for _ in range(3):
        with pytest.raises(Unknown, match=r"still lives|calls valid"):
            await tokens.renew(Secret("T0"))
    assert (await tokens.check()).account.login == "me"
    assert tokens.chat_token() == Secret("T0")
    assert refreshes(twitch) == ["R0"]


async def test_fc_46_e_not_a_public_app() -> None:
    twitch = Twitch().on("/validate", validates()).on("/token", no(400, "missing client secret"))
    store = MemoryStore(stored())
    tokens = keeper(twitch, store)
    for _ in range(2):
        error = await needed(tokens, "client secret")
        assert "*Public*" in error.hint
    assert refreshes(twitch) == ["R0"]
    assert "client_secret" not in twitch.posts("refresh_token")[0].form
    assert store.tokens == stored()


async def test_fc_46_f_without_a_new_refresh_token_the_old_one_is_kept() -> None:
    twitch = Twitch().on("/token", grant("T1", None))
    store = MemoryStore(stored())
    await keeper(twitch, store).renew(Secret("T0"))
    assert store.tokens is not None
    assert store.tokens.refresh == Secret("R0")
    assert not store.tokens.refresh_spent


async def test_fc_46_a_full_disk_sends_nothing() -> None:
    twitch = Twitch().on("/token", grant())
    store = MemoryStore(stored(), full=True)
    tokens = keeper(twitch, store)
    with pytest.raises(Unknown, match="cannot be written"):
        await tokens.renew(Secret("T0"))
    assert refreshes(twitch) == []
    assert tokens.chat_token() == Secret("T0")


async def test_fc_46_b_a_pair_that_cannot_be_kept_is_used_by_nobody_until_it_is() -> None:
    twitch = Twitch().on("/validate", validates("T0", "T1"))
    store = MemoryStore(stored())
    tokens = keeper(twitch, store)

    def answer(call: Call) -> Reply:
        store.full = True
        return grant()

    twitch.on("/token", answer)
    with pytest.raises(Unknown, match="not used yet"):
        await tokens.renew(Secret("T0"))
    assert tokens.chat_token() == Secret("T0")
    await tokens.check()
    assert tokens.chat_token() == Secret("T0")
    store.full = False
    await tokens.check()
    assert tokens.chat_token() == Secret("T1")
    assert store.tokens is not None
    assert store.tokens.access == Secret("T1")
    assert refreshes(twitch) == ["R0"]


async def test_fc_46_a_cancelled_caller_does_not_lose_the_answer() -> None:
    came = asyncio.Event()
    asked = asyncio.Event()

    async def slow(request: httpx2.Request) -> httpx2.Response:
        asked.set()
        await came.wait()
        return grant()

    twitch = Twitch()
    twitch.client._http._transport = httpx2.MockTransport(slow)
    store = MemoryStore(stored())
    tokens = keeper(twitch, store)
    caller = asyncio.create_task(tokens.renew(Secret("T0")))
    await asked.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    came.set()
    await tokens.aclose()
    assert store.tokens is not None
    assert store.tokens.access == Secret("T1")


async def test_fc_17_a_good_token_that_is_refused_makes_no_refresh_storm() -> None:
    twitch = Twitch().on("/validate", valid()).on("/token", grant("T1"), grant("T2", "R2"))
    tokens = keeper(twitch, MemoryStore(stored()))
    await tokens.renew(tokens.chat_token())
    for _ in range(20):
        twitch.clock.advance(20)
        with pytest.raises(Unknown, match="calls valid"):
            await tokens.renew(tokens.chat_token())
    assert len(refreshes(twitch)) == 1
    twitch.clock.advance(600)
    await tokens.renew(tokens.chat_token())
    assert tokens.chat_token() == Secret("T2")


# -- the environment, and the article's way ------------------------------------------------------------------------
async def test_environment_token_with_its_prefix() -> None:
    twitch = Twitch().on("/validate", validates("E0"))
    store = MemoryStore()
    tokens = keeper(twitch, store, Env(Secret(" oauth:E0\n")))
    assert tokens.chat_token() == Secret("E0")
    assert (await tokens.check()).account.login == "me"
    assert store.writes == []
    await needed(keeper(Twitch().on("/validate", validates()), store, Env(Secret("E0"))), "no refresh token")


async def test_environment_after_a_refresh_the_file_wins_until_the_environment_changes() -> None:
    twitch = Twitch().on("/validate", validates("T1")).on("/token", grant())
    store = MemoryStore()
    env = Env(Secret("E0"), Secret("RE0"))
    await keeper(twitch, store, env).check()
    assert refreshes(twitch) == ["RE0"]
    again = keeper(twitch, store, env)
    assert again.chat_token() == Secret("T1")
    changed = keeper(twitch, store, Env(Secret("E1"), Secret("RE1")))
    assert changed.chat_token() == Secret("E1")
    without = keeper(twitch, store)
    assert without.chat_token() == Secret("T1")
    assert store.tokens is not None
    assert "E0" not in store.tokens.origin


async def test_environment_of_another_account_overwrites_nothing() -> None:
    store = MemoryStore(stored())
    twitch = Twitch().on("/validate", valid("other", "2"))
    await needed(keeper(twitch, store, Env(Secret("E0"))), "other's, but this service runs for me")
    assert store.tokens == stored()


async def test_environment_with_only_a_refresh_token() -> None:
    twitch = Twitch().on("/validate", validates("T1")).on("/token", grant())
    store = MemoryStore()
    tokens = keeper(twitch, store, Env(None, Secret("RE0")))
    assert (await tokens.bearer(own=True)).token == Secret("T1")
    assert store.tokens is not None
    assert store.tokens.access == Secret("T1")


@pytest.mark.parametrize("bad", ["gehéim", "a b", "a\nb", "\udcff"])
async def test_environment_token_that_cannot_be_sent(bad: str) -> None:
    tokens = keeper(Twitch(), MemoryStore(), Env(Secret(bad)))
    error = await needed(tokens, "characters that no token has")
    assert bad not in str(error)


async def test_article_public_reads_use_the_app_token_and_own_reads_the_persons() -> None:
    twitch = Twitch().on("/validate", valid(client_id="other"))
    twitch.on("/token", grant("A0", None), grant("A1", None))
    tokens = keeper(twitch, MemoryStore(), Env(Secret("oauth:E0"), None, Secret("sesame")))
    app = await tokens.bearer(own=False)
    assert (app.token, app.client_id, app.app) == (Secret("A0"), "c", True)
    own = await tokens.bearer(own=True)
    assert (own.token, own.client_id, own.app) == (Secret("E0"), "other", False)
    assert (await tokens.bearer(own=False)).token == Secret("A0")
    twitch.clock.advance(13_950)
    assert (await tokens.bearer(own=False)).token == Secret("A1")
    assert len(twitch.posts("client_credentials")) == 2


async def test_article_app_token_is_got_again_on_401_once_for_all() -> None:
    twitch = Twitch().on("/token", grant("A0", None), grant("A1", None))
    tokens = keeper(twitch, MemoryStore(), Env(Secret("E0"), None, Secret("sesame")))
    first = await tokens.bearer(own=False)
    twitch.clock.advance(100)
    await tokens.renew(first.token)
    both = await asyncio.gather(tokens.bearer(own=False), tokens.bearer(own=False))
    assert [bearer.token for bearer in both] == [Secret("A1")] * 2
    assert len(twitch.posts("client_credentials")) == 2
    await tokens.renew(Secret("A1"))
    with pytest.raises(Unknown):  # refused as soon as given: not asked for at every poll
        await tokens.bearer(own=False)
    await tokens.aclose()


async def test_article_wrong_secret_is_said_once_and_not_sent_again() -> None:
    twitch = Twitch().on("/token", no(403, "invalid client secret"))
    tokens = keeper(twitch, MemoryStore(stored()), Env(client_secret=Secret("sesame")))
    for _ in range(2):
        with pytest.raises(SignInNeeded, match="invalid client secret") as caught:
            await tokens.bearer(own=False)
        assert "sesame" not in str(caught.value)
    assert len(twitch.calls) == 1


async def test_article_a_confidential_app_refreshes_with_its_secret() -> None:
    twitch = Twitch().on("/token", grant())
    await keeper(twitch, MemoryStore(stored()), Env(client_secret=Secret("sesame"))).renew(Secret("T0"))
    assert twitch.posts("refresh_token")[0].form["client_secret"] == "sesame"
    twitch = Twitch().on("/token", grant())
    other = MemoryStore(stored(client_id="another app"))
    await keeper(twitch, other, Env(client_secret=Secret("sesame"))).renew(Secret("T0"))
    assert "client_secret" not in twitch.posts("refresh_token")[0].form
    assert twitch.posts("refresh_token")[0].form["client_id"] == "another app"


@pytest.mark.parametrize(
    "reply",
    [
        no(400, "Invalid refresh token canaryRefresh"),
        no(400, "missing client secret"),
        no(401, "canaryRefresh is bad"),
        no(500, "canaryRefresh"),
        body(b'{"access_token":"canaryNewer","refresh_to'),
        body({"access_token": None, "refresh_token": "canaryNext"}),
        httpx2.ReadTimeout("canary"),
        httpx2.LocalProtocolError("Illegal header value b'Bearer canaryAccess'"),
        RuntimeError("the transport broke"),
        grant("canaryNewer", "canaryNext"),
    ],
)
async def test_fc_32_no_token_in_any_text_log_or_traceback(reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    """Also not in a traceback that shows the variables of our own frames."""
    caplog.set_level(logging.DEBUG)
    twitch = Twitch().on("/validate", no(401, "bad token canaryAccess"))
    twitch.on("/token", lambda call: reply if "refresh_token" in call.form else grant("canaryApp", None))
    env = Env(client_secret=Secret("canarySecret"))
    tokens = keeper(twitch, MemoryStore(stored("canaryAccess", "canaryRefresh")), env)
    shown = []
    for work in (tokens.check(), tokens.renew(Secret("canaryAccess")), tokens.bearer(own=False)):
        try:
            shown.append(repr(await work))
        except Exception as error:
            shown.append(f"{error!r} {error}")
            for frame in traceback.TracebackException.from_exception(error, capture_locals=True).stack:
                if "allthepoints" in frame.filename:
                    shown.append(str(frame.locals))
    text = " ".join(shown) + caplog.text + repr(vars(tokens))
    assert "Secret(***)" in text
    assert "canary" not in text


# -- signing in and out --------------------------------------------------------------------------------------------
NEW = Grant(Secret("T9"), Secret("R9"), ("chat:read",), 14000.0)


async def test_fc_19_a_new_sign_in_replaces_the_old_once_it_validates() -> None:
    twitch = Twitch().on("/validate", no(500, "oops"), valid())
    store = MemoryStore(stored())
    tokens = keeper(twitch, store)
    with pytest.raises(Unknown):
        await tokens.adopt(NEW)
    assert store.tokens == stored()
    assert tokens.chat_token() == Secret("T0")
    await tokens.adopt(NEW)
    assert tokens.chat_token() == Secret("T9")
    assert store.tokens is not None
    assert (store.tokens.access, store.tokens.refresh, store.tokens.login) == (Secret("T9"), Secret("R9"), "me")


async def test_fc_19_a_new_sign_in_of_another_account_changes_nothing() -> None:
    store = MemoryStore(stored())
    tokens = keeper(Twitch().on("/validate", valid("other", "2")), store)
    with pytest.raises(SignInNeeded, match="other's, but this service runs for me"):
        await tokens.adopt(NEW)
    assert store.tokens == stored()
    assert tokens.chat_token() == Secret("T0")


async def test_a_new_sign_in_mends_an_ended_one() -> None:
    twitch = Twitch().on("/validate", validates("T9")).on("/token", no(400, "Invalid refresh token"))
    tokens = keeper(twitch, MemoryStore(stored()))
    await needed(tokens, "refresh token")
    await tokens.adopt(NEW)
    assert tokens.chat_token() == Secret("T9")


@pytest.mark.parametrize(
    ("reply", "told"), [(httpx2.Response(200), True), (no(400, "Invalid token"), True), (no(500, "oops"), False)]
)
async def test_sign_out(reply: Reply, told: bool) -> None:
    twitch = Twitch().on("/revoke", reply)
    store = MemoryStore(stored())
    tokens = keeper(twitch, store)
    assert await tokens.sign_out() is told
    assert store.tokens is None
    with pytest.raises(SignInNeeded):
        tokens.chat_token()
