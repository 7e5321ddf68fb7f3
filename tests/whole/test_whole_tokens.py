"""Sign-ins of every kind, by the real command: what works, what is refused, in which words, and how often we ask."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from whole_world import PATIENT, Box, Machine, sandbox, signed_in, until

from allthepoints.base.clock import pause

TOKEN, REFRESH = "ALLTHEPOINTS_TWITCH_TOKEN", "ALLTHEPOINTS_TWITCH_REFRESH_TOKEN"


def machine_with(folder: Path, box: Box, env: dict[str, str], channels: str = "") -> Machine:
    machine = Machine(folder / "home", env)
    machine.configure(box.endpoints, channels)
    return machine


def test_a_chat_token_alone_and_channels_by_name(tmp_path: Path) -> None:
    """Another client's chat token, as the environment has it with `oauth:`; no client id, nothing followed."""
    with sandbox(tmp_path) as box:
        access, _ = box.tokens("chat:read")
        machine = machine_with(
            tmp_path, box, {TOKEN: f"oauth:{access}"}, 'followed = false\ninclude = ["#Alpha", " beta ", "alpha"]'
        )
        machine.config.write_text(machine.config.read_text().replace('client_id = "sandbox"', ""))
        box.on_air("alpha", "beta", "gamma")
        with machine.run() as service:
            until(lambda: box.rooms() == ["alpha", "beta"])
            until(lambda: machine.peek()["chat"]["present"] == 2)
            assert machine.status()["warnings"] == []
            assert service.stop() == 0
        assert "followed" not in " ".join(box.tally()["helix_calls"]), "it may not, and so does not ask"
        assert box.tally()["protocol_error_count"] == 0, box.tally()["protocol_errors"]


def test_without_the_scope_for_follows_the_named_ones_are_there_and_the_scope_is_named(tmp_path: Path) -> None:
    with sandbox(tmp_path) as box:
        access, refresh = box.tokens("chat:read")
        machine = machine_with(tmp_path, box, {TOKEN: access, REFRESH: refresh}, 'include = ["alpha"]')
        box.on_air("alpha", "beta")
        with machine.run():
            until(lambda: box.rooms() == ["alpha"])
            assert "user:read:follows" in json.dumps(machine.warning("follows_unreadable"))


def test_the_articles_way_client_id_secret_and_chat_token(tmp_path: Path) -> None:
    """Helix is asked with the app's own token, the chat with the person's."""
    client = '[[clients]]\nid = "conf"\nsecret = "conf-secret"\n'
    with sandbox(tmp_path, scenario=client) as box:
        pair = box._call("tokens", scopes=["chat:read"], client_id="conf")
        machine = machine_with(
            tmp_path,
            box,
            {TOKEN: pair["access_token"], "ALLTHEPOINTS_TWITCH_CLIENT_SECRET": "conf-secret"},
            'followed = false\ninclude = ["alpha"]',
        )
        machine.config.write_text(machine.config.read_text().replace('"sandbox"', '"conf"'))
        box.on_air("alpha")
        with machine.run() as service:
            until(lambda: box.rooms() == ["alpha"])
            assert service.stop() == 0
        tally = box.tally()
        assert tally["oauth_calls"]["/token"] == 1
        assert tally["protocol_error_count"] == 0, tally["protocol_errors"]


@pytest.mark.parametrize("which", ["app", "other", "other_than_recorded", "no_chat"])
def test_fc_18_a_token_of_the_wrong_kind_is_refused_in_words(tmp_path: Path, which: str) -> None:
    extra = '[[others]]\nlogin = "stranger"\nid = "1002"\n[[clients]]\nid = "conf"\nsecret = "conf-secret"\n'
    with sandbox(tmp_path, ["alpha"], extra) as box:
        box.on_air("alpha")
        if which == "app":
            machine = machine_with(tmp_path, box, {TOKEN: _app_token(box)})
            words = ["app token"]
        elif which == "other":
            machine = signed_in(tmp_path, box)
            machine.do("login")  # remembers whom this data directory is for
            machine.env[TOKEN], machine.env[REFRESH] = box.tokens(account="stranger")
            words = ["stranger", "me"]
        elif which == "other_than_recorded":
            machine = machine_with(tmp_path, box, {TOKEN: box.tokens()[0]}, 'include = ["alpha"]')
            with machine.run():
                until(lambda: machine.peek()["chat"]["present"] == 1)
            machine.env[TOKEN] = box.tokens(account="stranger")[0]
            words = ["stranger's, but this service runs for me"]
        else:
            access, refresh = box.tokens("user:read:follows")
            machine = machine_with(tmp_path, box, {TOKEN: access, REFRESH: refresh})
            words = ["chat:read"]
        logins = box.tally()["logins"]
        with machine.run():
            found = machine.warning("sign_in_needed")
            assert all(word in found["text"] for word in words), found
            until(lambda: machine.peek()["chat"]["connections"] == 0)
        assert box.tally()["logins"] == logins, "the chat was not even tried"


def _app_token(box: Box) -> str:
    import urllib.parse
    import urllib.request

    form = {"client_id": "conf", "client_secret": "conf-secret", "grant_type": "client_credentials"}
    request = urllib.request.Request(f"{box.endpoints['oauth']}/token", urllib.parse.urlencode(form).encode())
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=PATIENT) as answer:
        token: str = json.load(answer)["access_token"]
        return token


def test_fc_17_an_expired_token_is_renewed_once_and_a_revoked_one_ends_in_words_without_a_login_loop(
    tmp_path: Path,
) -> None:
    with sandbox(tmp_path, ["alpha"]) as box:
        machine = signed_in(tmp_path, box)
        box.on_air("alpha")
        with machine.run() as service:
            until(lambda: box.rooms() == ["alpha"])
            welcomes = box.tally()["welcomes"]
            box.fault("expire_token", cut_chat=True)
            until(lambda: box.tally()["welcomes"] > welcomes, what="thrown out, and welcome with a new token")
            until(lambda: box.rooms() == ["alpha"], what="back")
            tally = box.tally()
            assert (tally["refreshes"], tally["refresh_reuse"]) == (1, 0)
            before = tally["logins"], tally["oauth_calls"]["/token"]

            box.fault("revoke", cut_chat=True)
            assert "Run `allthepoints login`" in machine.warning("sign_in_needed")["text"]
            until(lambda: "login" in machine.do("status").stdout)
            logins, refreshes = box.tally()["logins"], box.tally()["oauth_calls"]["/token"]
            assert refreshes - before[1] <= 1
            assert logins - before[0] <= 2
            _nothing_more_is_asked(box, machine)
            assert service.stop() == 0
        assert machine.kinds().count("sign_in_lost") == 1


def _nothing_more_is_asked(box: Box, machine: Machine) -> None:
    """Some seconds later (many polls of this config) nothing was tried again."""
    before = box.tally()
    pause(3.0)
    after = box.tally()
    assert after["logins"] == before["logins"]
    assert after["oauth_calls"] == before["oauth_calls"]
    assert after["helix_calls"] == before["helix_calls"]
