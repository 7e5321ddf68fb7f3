"""The doctor against the sandbox: the sign-ins, the chat, and that it changes nothing."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from doctor_stage import CLOCK, FAULT, OK, SHORT, WARNING, Stage, closed, sandboxed

from allthepoints.base.secret import Secret
from allthepoints.config.environment import Environment
from allthepoints.core import records as r
from allthepoints.operation import doctor
from allthepoints.operation.doctor_here import look_at_disk
from allthepoints.storage.database import Database
from allthepoints.storage.jwtfile import JwtFile
from allthepoints.storage.lock import acquire

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with sandboxed(tmp_path) as one:
        yield one


def remember(stage: Stage, user_id: str = "1001", login: str = "me", connections: int = 1, logins: int = 0) -> None:
    """What a service left in the database."""
    stage.data.path.mkdir(mode=0o700, exist_ok=True)
    now = CLOCK.now()
    database = Database(stage.data.database, now)
    state = {"account": {"user_id": user_id, "login": login}, "chat": {"connections": connections}}
    database.record([r.AttemptsSpent(now, "login", logins)] if logins else (), now, service=state)
    database.close()


async def test_all_is_well(stage: Stage) -> None:
    stage.sign_in()
    JwtFile(stage.data.jwt).save(Secret(stage.sandbox.issue_jwt()))
    remember(stage)
    found = await stage.examine()
    assert {name: one for name, one in found.items() if one.grade is not OK} == {}
    assert {"chat.welcome", "helix.http", "oauth.http", "streamelements.http", "token", "scopes", "jwt"} < {*found}
    stage.see("chat.welcome", OK, "welcomed me")
    stage.see("token", OK, "as me's, for 3 h more")
    tally = stage.sandbox.tally()
    assert tally.protocol_errors == ()
    assert tally.rooms_peak == 0


async def test_it_changes_nothing_and_renews_nothing(stage: Stage) -> None:
    stage.sign_in(expires_at=CLOCK.now() - 5)
    remember(stage)
    os.chmod(stage.data.tokens, 0o644)
    stage.data.jwt.write_text("{not a jwt")
    stage.sandbox.fault("expire_token")
    before, tokens = stage.files(), stage.sandbox.tokens.issued()
    await stage.examine(chat=True)
    assert stage.files() == before, "no file is tightened, renamed, added or removed"
    assert stage.sandbox.tokens.issued() == tokens
    assert "/token" not in stage.sandbox.tally().oauth_calls
    stage.see("token", WARNING, "has ended", "renews it at its next start", cure="allthepoints login")
    stage.see("secret_files", FAULT, "cannot be understood", cure="login streamelements")
    stage.see("chat.welcome", WARNING, "Not tried")
    assert "scopes" not in stage.last


async def test_nobody_is_signed_in(stage: Stage) -> None:
    await stage.examine()
    stage.see("token", FAULT, "not signed in", cure="`allthepoints login`")
    stage.see("chat.welcome", WARNING, "Not tried")
    stage.see("jwt", OK, "There is none")
    stage.see("data_dir", OK, "not there yet")
    stage.see("database", OK, "not there yet")
    assert not stage.data.path.exists()


async def test_dead_tokens(stage: Stage) -> None:
    stage.sign_in(refresh=False)
    stage.sandbox.fault("revoke")
    await stage.examine()
    stage.see("token", FAULT, "none to renew it with")
    stage.sign_in()
    stage.sandbox.fault("revoke")
    await stage.examine()
    stage.see("token", WARNING, "before its time")
    stage.sign_in(refresh_spent=True)
    stage.sandbox.fault("revoke")
    await stage.examine()
    stage.see("token", WARNING, "may be used up")


async def test_fc_18_no_clear_answer_is_no_verdict(stage: Stage) -> None:
    stage.sign_in()
    stage.sandbox.fault("status", path="/oauth2", code=500, n=9)
    await stage.examine()
    stage.see("token", WARNING, "not known", "500")
    stage.see("oauth.http", WARNING, "trouble: it answered 500")
    stage.see("chat.welcome", WARNING, "Not tried")


async def test_missing_scopes(stage: Stage) -> None:
    stage.sign_in("user:read:follows")
    await stage.examine()
    stage.see("scopes", FAULT, "chat:read is missing", cure="allthepoints login")
    stage.see("chat.welcome", WARNING, "Not tried")
    stage.sign_in("chat:read")
    await stage.examine()
    stage.see("scopes", FAULT, "user:read:follows is missing")
    stage.more += '[channels]\ninclude = ["alpha"]\n'
    await stage.examine()
    stage.see("scopes", WARNING, "Only channels.include is used")


async def test_fc_18_another_accounts_token(stage: Stage) -> None:
    stage.sign_in(account="other")
    await stage.examine()
    stage.see("token", FAULT, "The token is other's, but this data directory is me's", cure="--switch")


async def test_another_accounts_token_by_what_the_database_remembers(stage: Stage) -> None:
    remember(stage)
    access, refresh = stage.sandbox.issue_tokens(account="other")
    stage.environment = Environment(Secret(access), Secret(refresh))
    await stage.examine()
    stage.see("token", FAULT, "The token is other's, but this data directory is me's")


async def test_tokens_of_the_environment(stage: Stage) -> None:
    access, refresh = stage.sandbox.issue_tokens()
    stage.environment = Environment(Secret(access))
    await stage.examine()
    stage.see("token", WARNING, "cannot be renewed")
    stage.see("chat.welcome", OK, "welcomed me")
    stage.environment = Environment(None, Secret(refresh))
    await stage.examine()
    stage.see("token", WARNING, "refresh token alone")
    stage.environment = Environment(Secret("kaputt ß"))
    await stage.examine()
    stage.see("token", FAULT, "characters that no token has", cure="ALLTHEPOINTS_TWITCH_TOKEN")


async def test_an_apps_token(stage: Stage) -> None:
    stage.environment = Environment(Secret(stage.sandbox.tokens.issue_app("sandbox-confidential", CLOCK.now())))
    await stage.examine()
    stage.see("token", FAULT, "app's token")


@pytest.mark.parametrize(
    ("kind", "grade", "words"),
    [
        ("expired", FAULT, "ended on 20"),
        ("foreign", FAULT, "does not take the JWT"),
        ("other", FAULT, "is other's, but this data directory is me's"),
        ("soon", WARNING, "ends in 1 day"),
        ("overlay", FAULT, "overlay token"),
    ],
)
async def test_fc_31_jwt(stage: Stage, kind: str, grade: object, words: str) -> None:
    remember(stage)
    box = stage.sandbox
    text = {
        "expired": lambda: box.issue_jwt(expires_in=-3600),
        "foreign": lambda: box.issue_jwt(foreign=True),
        "other": lambda: box.issue_jwt("other"),
        "soon": lambda: box.issue_jwt(expires_in=1.5 * 86400),
        "overlay": lambda: "abcdefghijklm",
    }[kind]()
    JwtFile(stage.data.jwt).save(Secret(text))
    found = await stage.examine()
    assert (found["jwt"].grade, words in found["jwt"].text) == (grade, True), found["jwt"]


async def test_streamelements_has_an_outage(stage: Stage) -> None:
    JwtFile(stage.home / "streamelements-token.json").save(Secret(stage.sandbox.issue_jwt()))
    stage.data.path.mkdir(mode=0o700)
    os.rename(stage.home / "streamelements-token.json", stage.data.jwt)
    stage.sandbox.fault("elements_html", code=502, n=9)
    await stage.examine()
    stage.see("jwt", WARNING, "could not be asked", "502")
    stage.see("streamelements.http", WARNING, "502")


# -- the chat --------------------------------------------------------------------------------------------------------
async def test_fc_17_the_chat_refuses(stage: Stage) -> None:
    stage.sign_in()
    stage.sandbox.fault("refuse_login", n=1)
    await stage.examine()
    stage.see("chat.welcome", FAULT, "The chat refuses the token", cure="allthepoints login")


@pytest.mark.parametrize(
    ("fault", "words"), [("no_welcome", "no welcome in time"), ("close_after_nick", "closed the connection")]
)
async def test_fc_05_no_welcome(stage: Stage, fault: str, words: str) -> None:
    stage.sign_in()
    stage.sandbox.fault(fault, n=9)
    await stage.examine(patience=doctor.Patience(welcome=0.2))
    stage.see("chat.welcome", FAULT, words)


async def test_beside_a_running_service_no_second_login_is_made_unless_asked_for(stage: Stage) -> None:
    stage.sign_in()
    remember(stage, connections=2)
    with acquire(stage.data.lock):
        await stage.examine()
        stage.see("service", OK, f"process {os.getpid()}")
        stage.see("chat.welcome", OK, "is in the chat, over 2 connections", "--chat")
        assert stage.sandbox.tally().logins == 0
        await stage.examine(chat=True)
        stage.see("chat.welcome", OK, "welcomed me")
    assert stage.sandbox.tally().logins == 1


async def test_the_login_budget_is_left_to_the_service(stage: Stage) -> None:
    stage.sign_in()
    remember(stage, logins=17)
    await stage.examine()
    stage.see("chat.welcome", WARNING, "17 of the 20 logins")
    assert stage.sandbox.tally().logins == 0


# -- in bad places ---------------------------------------------------------------------------------------------------
async def test_a_config_that_cannot_be_used(stage: Stage) -> None:
    stage.more = "[poll]\nlive = 7\n"
    await stage.examine()
    stage.see("config", FAULT, "config.toml:4: poll.live", "network and sign-in were not looked at")
    assert {*stage.last} == {"config", "data_dir", "secret_files", "database", "disk", "service"}


async def test_no_client_id(tmp_path: Path) -> None:
    stage = closed(tmp_path)
    stage.more = '[dashboard]\nlisten = ""\n'
    await stage.examine()
    stage.see("config", OK)
    (tmp_path / "config.toml").unlink()
    found = await doctor.examine(
        doctor.ConfigPath(tmp_path / "none.toml", True), stage.data, stage.environment, CLOCK, patience=SHORT
    )
    assert found[0].grade is FAULT
    assert "no such file" in found[0].text


async def test_what_breaks_in_the_doctor_itself_is_told_and_the_rest_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path) -> object:
        raise RuntimeError("a canary of a text")

    assert look_at_disk(stage.home).free
    monkeypatch.setattr("allthepoints.operation.doctor_here.look_at_disk", broken)
    await stage.examine()
    stage.see("disk", FAULT, "RuntimeError", cure="mistake of the program")
    assert "canary" not in json.dumps([one.text for one in stage.last.values()])
    stage.see("helix.http", OK)
