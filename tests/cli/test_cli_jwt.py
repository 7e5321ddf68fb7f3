"""FC-31: `login streamelements` against the sandbox, over sockets."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_home import Atp
from sandbox_thread import RunningSandbox, running_sandbox

from allthepoints.sim.scenario import AccountPlan, Scenario
from allthepoints.storage.database import Database
from allthepoints.storage.jwtfile import JwtFile


@pytest.fixture
def box(config: Path) -> Iterator[RunningSandbox]:
    with running_sandbox(Scenario(others=(AccountPlan("other", id="1002"),))) as running:
        config.parent.mkdir(parents=True)
        config.write_text(running.config)
        yield running


Give = Callable[[str], None]


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch) -> Give:
    """What is piped in."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text + "\n"))


def stored(home: Path) -> str | None:
    found = JwtFile(home / "data" / "streamelements-token.json").load()
    return None if found is None else found.reveal()


def test_fc_31_a_good_one_is_kept_and_its_end_is_told(atp: Atp, home: Path, box: RunningSandbox, give: Give) -> None:
    jwt = box.call(lambda sandbox: sandbox.issue_jwt())
    give(f'  "Bearer {jwt}" ')
    result = atp("login", "streamelements")
    assert (result.code, result.err) == (0, "")
    first, second = result.out.splitlines()
    assert first == "You are signed in to StreamElements as me."
    assert second.startswith("The JWT ends on 20")
    assert second.endswith(" days; you are told 7 days and 1 day before.")
    assert jwt in (stored(home) or "")
    assert (home / "data" / "streamelements-token.json").stat().st_mode & 0o777 == 0o600
    assert jwt not in result.out + result.err


def test_json(atp: Atp, box: RunningSandbox, give: Give) -> None:
    give(box.call(lambda sandbox: sandbox.issue_jwt()))
    plain = json.loads(atp("login", "streamelements", "--json").out)
    assert (plain["login"], plain["user_id"]) == ("me", "1001")
    assert plain["expires_at"].endswith("Z")


def test_fc_31_not_a_jwt_expired_refused(atp: Atp, home: Path, box: RunningSandbox, give: Give) -> None:
    foreign = box.call(lambda sandbox: sandbox.issue_jwt(foreign=True))
    old = box.call(lambda sandbox: sandbox.issue_jwt(expires_in=-86_400.0 * 2))
    for jwt, text in (
        ("hunter2", "error: "),
        (old, "error: this JWT ended on 20"),
        (foreign, "error: StreamElements does not take this JWT\n"),
    ):
        give(jwt)
        result = atp("login", "streamelements")
        assert (result.code, result.out) == (3, "")
        assert result.err.startswith(text)
        assert "https://streamelements.com/dashboard/account/channels" in result.err
        assert jwt not in result.err
    assert stored(home) is None


def test_fc_31_another_accounts_is_refused_and_both_are_named(
    atp: Atp, home: Path, box: RunningSandbox, give: Give
) -> None:
    (home / "data").mkdir()
    database = Database(home / "data" / "allthepoints.db", 1.0)
    database.record((), 1.0, service={"account": {"user_id": "1001", "login": "me"}})
    database.close()
    give(box.call(lambda sandbox: sandbox.issue_jwt("other")))
    result = atp("login", "streamelements")
    assert (result.code, result.out, stored(home)) == (3, "", None)
    assert "error: this JWT is other's, but this service runs for me\n" in result.err
    give(box.call(lambda sandbox: sandbox.issue_jwt()))
    assert atp("login", "streamelements").code == 0


def test_fc_31_an_outage_keeps_the_old_one(atp: Atp, home: Path, box: RunningSandbox, give: Give) -> None:
    give(box.call(lambda sandbox: sandbox.issue_jwt()))
    atp("login", "streamelements")
    before = stored(home)
    box.fault("status", path="/kappa/v2/channels/me", code=503)
    give(box.call(lambda sandbox: sandbox.issue_jwt()))
    assert atp("login", "streamelements").code == 4
    assert stored(home) == before


def test_nothing_given_tells_where_it_is_found(atp: Atp, box: RunningSandbox, give: Give) -> None:
    give("")
    result = atp("login", "streamelements")
    assert result.code == 2
    assert "Turn on `Show secrets`, and copy the JWT token." in result.err


def test_typed_without_an_echo(atp: Atp, box: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    jwt = box.call(lambda sandbox: sandbox.issue_jwt())
    stdin = io.StringIO()
    stdin.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", stdin)
    monkeypatch.setattr("getpass.getpass", lambda prompt, stream: jwt)
    result = atp("login", "streamelements")
    assert result.code == 0
    assert result.err.startswith("To redeem, StreamElements wants your own JWT. Points need none.")


def test_logout_forgets_it(atp: Atp, home: Path, box: RunningSandbox, give: Give) -> None:
    give(box.call(lambda sandbox: sandbox.issue_jwt()))
    atp("login", "streamelements")
    result = atp("logout", "streamelements")
    assert (result.code, result.out) == (0, "The StreamElements JWT is forgotten here.\n")
    assert stored(home) is None
    assert "renew it at https://streamelements.com/dashboard/account/channels" in result.err
    assert atp("logout", "streamelements").out == "You were not signed in to StreamElements.\n"
    assert json.loads(atp("logout", "streamelements", "--json").out) == {"signed_out": False}


def test_the_environments_is_told(atp: Atp, box: RunningSandbox, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLTHEPOINTS_STREAMELEMENTS_JWT", "canary")
    give(box.call(lambda sandbox: sandbox.issue_jwt()))
    result = atp("login", "streamelements")
    assert result.err == "warning: ALLTHEPOINTS_STREAMELEMENTS_JWT is set, and wins over this one\n"
