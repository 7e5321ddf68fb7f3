"""`login` and `logout` against the sandbox, over sockets, without a terminal."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_home import Atp
from sandbox_thread import RunningSandbox, SharedTime, running_sandbox

from allthepoints.cli import login as login_module
from allthepoints.sim.scenario import AccountPlan, Scenario
from allthepoints.sim.server import Sandbox
from allthepoints.storage.tokenfile import TokenFile


@pytest.fixture
def box(config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    """A sandbox in which a person confirms every code after 7 s, and the config that points at it."""
    time = SharedTime()
    monkeypatch.setattr(login_module, "SystemClock", lambda: time.hurried)
    scenario = Scenario(device_approve_after=7.0, others=(AccountPlan("other", id="1002"),))
    with running_sandbox(scenario, time) as running:
        config.parent.mkdir(parents=True)
        config.write_text(running.config)
        yield running


def stored(home: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((home / "data" / "tokens.json").read_text())
    return found


def as_other(sandbox: Sandbox) -> None:
    """From now on it is another account's browser that confirms."""
    begin = sandbox.tokens.begin_device
    sandbox.tokens.begin_device = lambda client, scopes, person, *more: begin(client, scopes, "1002", *more)  # type: ignore[method-assign]


def test_fc_19_login_shows_address_code_and_expiry(atp: Atp, home: Path, box: RunningSandbox) -> None:
    result = atp("login")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0].startswith("Open https://www.twitch.tv/activate")
    code = lines[1].removeprefix("and confirm the code ")
    assert code in lines[0]
    assert lines[2].startswith("The code is good for 30 min, until ")
    assert lines[3] == "You are signed in as me."
    tokens = stored(home)
    assert (tokens["login"], tokens["user_id"]) == ("me", "1001")
    assert (home / "data" / "tokens.json").stat().st_mode & 0o777 == 0o600
    for secret in (tokens["access"], tokens["refresh"]):
        assert secret not in result.out + result.err
    assert box.call(lambda sandbox: sandbox.tally().protocol_errors) == ()


def test_login_as_json_is_two_lines(atp: Atp, home: Path, box: RunningSandbox) -> None:
    result = atp("login", "twitch", "--json")
    first, second = map(json.loads, result.out.splitlines())
    assert set(first) == {"verification_uri", "user_code", "expires_in", "expires_at"}
    assert (first["expires_in"], second["login"], second["user_id"]) == (1800.0, "me", "1001")
    assert second["scopes"] == ["chat:read", "user:read:follows"]


def test_fc_19_slow_down_and_trouble_on_the_way_do_not_end_it(atp: Atp, box: RunningSandbox) -> None:
    box.fault("device_slow_down", n=1)
    box.fault("status", path="/oauth2/token", code=503, n=1)
    assert atp("login").out.endswith("You are signed in as me.\n")
    assert box.call(lambda sandbox: sandbox.tally().protocol_errors) == ()


def test_fc_19_no_code_could_be_had(atp: Atp, home: Path, box: RunningSandbox) -> None:
    box.fault("device_missing_code", n=1)
    odd = atp("login")
    assert (odd.code, odd.out) == (4, "")
    assert odd.err.startswith("error: ")
    box.fault("body", path="/oauth2/device", kind="html", n=1)
    page = atp("login")
    assert (page.code, page.out) == (4, "")
    assert "Traceback" not in odd.err + page.err
    assert not (home / "data" / "tokens.json").exists()


def test_fc_19_a_code_that_nobody_confirms_expires(
    atp: Atp, home: Path, box: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(sandbox: Sandbox) -> None:
        begin = sandbox.tokens.begin_device
        sandbox.tokens.begin_device = lambda client, scopes, person, now, _: begin(client, scopes, person, now, None)  # type: ignore[method-assign, assignment]

    box.call(nobody)
    result = atp("login")
    assert result.code == 3
    assert "has expired" in result.err or "was not accepted" in result.err, "whoever says it first"
    assert "hint: Run `allthepoints login` again for a new code." in result.err
    assert not (home / "data" / "tokens.json").exists()


def test_fc_18_the_old_session_stays_until_the_new_one_validates(atp: Atp, home: Path, box: RunningSandbox) -> None:
    atp("login")
    before = stored(home)
    box.fault("validate_status", code=500, n=1)
    result = atp("login")
    assert result.code == 4
    assert stored(home) == before


def test_fc_18_another_account_is_refused_unless_meant(atp: Atp, home: Path, box: RunningSandbox) -> None:
    atp("login")
    before = stored(home)
    box.call(as_other)
    wrong = atp("login")
    assert wrong.code == 3
    assert "error: the token is other's, but this service runs for me\n" in wrong.err
    assert "`allthepoints login --switch`" in wrong.err
    assert stored(home) == before
    assert atp("login", "--switch").out.endswith("You are signed in as other.\n")
    assert stored(home)["user_id"] == "1002"


def test_without_a_client_id_it_tells_how_to_get_one(atp: Atp, config: Path) -> None:
    result = atp("login")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: there is no client id in the config\n\nhint: To register an app")
    assert "client type Public" in result.err
    assert str(config) in result.err


def test_logout_revokes_and_forgets(atp: Atp, home: Path, box: RunningSandbox) -> None:
    atp("login")
    assert atp("logout").out == "You are signed out: the sign-in is revoked and forgotten.\n"
    assert TokenFile(home / "data" / "tokens.json").load() is None
    assert box.call(lambda sandbox: sandbox.tally().oauth_calls)["/revoke"] == 1
    assert atp("logout").out == "You were not signed in.\n"


def test_logout_works_offline(atp: Atp, home: Path, box: RunningSandbox) -> None:
    atp("login")
    box.fault("reset_http", path="/oauth2/revoke")
    result = atp("logout", "--json")
    assert result.code == 0
    assert json.loads(result.out) == {"signed_out": True, "revoked": False}
    assert "https://www.twitch.tv/settings/connections" in result.err
    assert not (home / "data" / "tokens.json").exists()


def test_logout_tells_that_the_environment_signs_in_again(
    atp: Atp, home: Path, box: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    atp("login")
    monkeypatch.setenv("ALLTHEPOINTS_TWITCH_TOKEN", "canary-T0")
    result = atp("logout")
    assert "ALLTHEPOINTS_TWITCH_TOKEN is still set" in result.err
    assert "canary" not in result.out + result.err
