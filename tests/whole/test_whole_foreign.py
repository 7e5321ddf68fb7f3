"""Against a Twitch that we did not write, and that is more careless than ours: we get in, and say so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from foreign_twitch import Habits, foreign_twitch
from whole_world import Machine, until


def stream_without(*names: str) -> Any:
    usual = Habits.stream

    def stream(login: str, user_id: str) -> dict[str, Any]:
        return {key: value for key, value in usual(login, user_id).items() if key not in names}

    return stream


def validated(**fields: object) -> Any:
    return lambda _token: (200, fields)


USUAL = Habits()
CARELESS = {
    "usual": USUAL,
    "says_little": replace(
        USUAL,
        echo=":{nick} JOIN {room}",
        validate=validated(client_id="c", login="me", user_id="1"),
        stream=stream_without("started_at", "title", "user_name"),
    ),
    "colons": replace(
        USUAL,
        welcome=":tmi.twitch.tv 001 :Welcome, GLHF!",
        echo=":{nick}!{nick}@x JOIN :{room}",
        eol="\n",
        validate=validated(login="Me", user_id="1", scopes=["chat:read"], expires_in=0),
        stream=stream_without("type"),
    ),
    "numbers": replace(
        USUAL,
        welcome=":tmi.twitch.tv 001 * :Welcome",
        echo=":x 353 {nick} = {room} :{nick}\r\n:x 366 {nick} {room} :End of /NAMES list",
        validate=validated(client_id="c", login="me", user_id=1, scopes=["chat:read"], expires_in="5000"),
        stream=lambda login, user_id: {**Habits.stream(login, user_id), "user_id": int(user_id), "id": 7},
    ),
}


@pytest.mark.parametrize("name", CARELESS)
def test_a_careless_twitch_is_good_enough(tmp_path: Path, name: str) -> None:
    with foreign_twitch(CARELESS[name]) as twitch:
        twitch.live = {"alpha"}
        machine = Machine(tmp_path / "home", {"ALLTHEPOINTS_TWITCH_TOKEN": "sometoken"})
        machine.configure(twitch.endpoints, 'include = ["alpha", "beta"]')
        with machine.run() as service:
            until(lambda: machine.states().get("alpha") == "present", what=f"present\n{service.says()}")
            assert twitch.joined == ["alpha"]
            twitch.live = set()
            until(lambda: twitch.joined == [], what="offline, and out")
            assert service.stop() == 0
        assert twitch.lines.count("PASS oauth:sometoken") == 1, "one connection did it all"
        assert not [line for line in twitch.lines if line.startswith("PRIVMSG")]
