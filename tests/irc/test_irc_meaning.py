"""What a line means, also one that the scan would not have handed over: it is judged here once more."""

from __future__ import annotations

import pytest

from allthepoints.irc.events import Reconnect, SessionEvent, WeBanned, WeTimedOut
from allthepoints.irc.line import parse
from allthepoints.irc.meaning import event_of

CASES: list[tuple[str, SessionEvent | None]] = [
    ("@room-id=1 :tmi.twitch.tv CLEARCHAT #Alpha :Me", WeBanned("alpha")),
    ("@ban-duration= :tmi.twitch.tv CLEARCHAT #alpha :me", WeBanned("alpha")),
    ("@ban-duration=600 :tmi.twitch.tv CLEARCHAT #alpha :me", WeTimedOut("alpha", 600)),
    # For how long is not to be read: it is a time-out all the same.
    ("@ban-duration=1209600 :tmi.twitch.tv CLEARCHAT #alpha :me", WeTimedOut("alpha", 1_209_600)),
    (f"@ban-duration={'9' * 10} :tmi.twitch.tv CLEARCHAT #alpha :me", WeTimedOut("alpha", 0)),
    (f"@ban-duration={'9' * 5000} :tmi.twitch.tv CLEARCHAT #alpha :me", WeTimedOut("alpha", 0)),
    ("@ban-duration=soon :tmi.twitch.tv CLEARCHAT #alpha :me", WeTimedOut("alpha", 0)),
    ("@ban-duration=-5 :tmi.twitch.tv CLEARCHAT #alpha :me", WeTimedOut("alpha", 0)),
    ("@ban-duration=² :tmi.twitch.tv CLEARCHAT #alpha :me", WeTimedOut("alpha", 0)),
    # Somebody else is meant, or nobody.
    ("@room-id=1 :tmi.twitch.tv CLEARCHAT #alpha :bob", None),
    ("@room-id=1 :tmi.twitch.tv CLEARCHAT #alpha :me too", None),
    ("@room-id=1 :tmi.twitch.tv CLEARCHAT #alpha", None),
    (":tmi.twitch.tv RECONNECT", Reconnect()),
    # A user's line, whatever it says.
    ("@room-id=1 :bob!b@h CLEARCHAT #alpha :me", None),
    (":bob!b@h RECONNECT", None),
    (":bob!b@h 403 me #alpha :No", None),
    # No room is named.
    (":irc.example.net 403 me", None),
]


@pytest.mark.parametrize(("line", "event"), CASES)
def test_what_it_means(line: str, event: SessionEvent | None) -> None:
    assert event_of(parse(line.encode()), "me") == event
