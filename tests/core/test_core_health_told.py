"""What is told of sign-in, chat and Helix: the whole warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from core_health import (
    BANNED,
    BOTH,
    CAP,
    CUT,
    FAILS,
    FORMER,
    GONE,
    LATER,
    LOST,
    NOBODY,
    OTHER,
    REFUSED,
    SUSPENDED,
    well,
)
from core_room import ALPHA, T

from allthepoints.core.facts import HelixPoints
from allthepoints.core.health import warnings
from allthepoints.core.policy import Policy
from allthepoints.core.warning import ERROR, INFO, WARNING, Warning

POLICY = Policy()


@pytest.mark.parametrize(
    ("changed", "policy", "told"),
    [
        (
            LOST,
            POLICY,
            Warning(
                "sign_in_needed",
                ERROR,
                "Sign in",
                (
                    "There is no sign-in. Chats that are open stay open while they last; none is opened anew, so "
                    "points will stop. Run `allthepoints login`."
                ),
                T - 5,
            ),
        ),
        (
            REFUSED,
            POLICY,
            Warning(
                "chat_refuses_token",
                ERROR,
                "The chat refuses the sign-in",
                (
                    "Twitch calls the sign-in valid, but its chat does not let it in, so no points arrive. It is "
                    "tried again within 10 minutes. If this lasts, run `allthepoints logout` and then "
                    "`allthepoints login`."
                ),
                T - 9,
            ),
        ),
        (
            {"storage_error": (T - 3, "disk full")},
            POLICY,
            Warning(
                "storage_failing",
                ERROR,
                "Nothing can be written down",
                (
                    "The database takes nothing: disk full. Chats and points go on, the record of them has a gap "
                    "once memory runs out. Free some space, or mend the permissions of the data directory."
                ),
                T - 3,
            ),
        ),
        (
            {"config_error": (T - 4, "line 3")},
            POLICY,
            Warning(
                "config_rejected",
                ERROR,
                "The changed config is not in use",
                "line 3. The config from before goes on; points are not touched. Mend the file and save it.",
                T - 4,
            ),
        ),
        (
            {"config_restart": (T - 4, ("dashboard.listen", "twitch.client_id"))},
            POLICY,
            Warning(
                "restart_needed",
                WARNING,
                "Some of the config waits for a restart",
                (
                    "Changed, and used from the next start on: dashboard.listen, twitch.client_id. Until then "
                    "what was there before goes on; points are not touched. End `allthepoints run` and start it "
                    "again, or set it back."
                ),
                T - 4,
            ),
        ),
        (
            CUT,
            POLICY,
            Warning(
                "chat_disconnected",
                ERROR,
                "Not connected to the chat",
                (
                    "Channels are live and no chat connection stands, so no points arrive. It is tried again by "
                    "itself, ever more slowly, at least every 2 minutes. Look whether this machine has a network."
                ),
                T - 30,
            ),
        ),
        (
            {"sign_in.failing_since": T - 60, "sign_in.text": "503"},
            POLICY,
            Warning(
                "sign_in_unchecked",
                WARNING,
                "The sign-in cannot be checked",
                (
                    "Twitch does not answer whether the sign-in is still good (503). What was known of it stands, "
                    "and points go on. Nothing to do; it is tried again by itself."
                ),
                T - 60,
            ),
        ),
        (
            {"reads.live": FAILS, "reads.users": LATER},
            POLICY,
            Warning(
                "helix_failing",
                WARNING,
                "Twitch does not say who is live",
                (
                    "Asking Helix fails: 502 Bad Gateway. Chats that are open stay open and earn; channels that "
                    "go live meanwhile are missed. Nothing to do; it is tried again by itself."
                ),
                T - 40,
            ),
        ),
        (
            {"reads.follows": FAILS},
            POLICY,
            Warning(
                "follows_stale",
                WARNING,
                "The list of follows is old",
                (
                    "Reading whom you follow fails: 502 Bad Gateway. The list from before stays in use; channels "
                    "that you followed since are missed. Nothing to do; it is tried again by itself."
                ),
                T - 20,
            ),
        ),
        (
            {"points": HelixPoints(T - 60, 79, 800, T)},
            POLICY,
            Warning(
                "helix_points_low",
                WARNING,
                "Few Helix requests are left",
                (
                    "79 of 800 requests of this minute are left. When they are used up, channels that go live are "
                    "seen later. Another program may use the same client id; or set a longer `poll.live`."
                ),
                T - 60,
            ),
        ),
        (
            {"may_read_follows": False, "sign_in.since": T - 70},
            POLICY,
            Warning(
                "follows_unreadable",
                WARNING,
                "The follows cannot be read",
                (
                    "The sign-in lacks the scope user:read:follows, so only channels in `channels.include` earn "
                    "points. Run `allthepoints login`, or set `channels.followed = false`."
                ),
                T - 70,
            ),
        ),
        (
            {"cap": CAP},
            POLICY,
            Warning(
                "room_limit",
                WARNING,
                "Twitch says that the account is in too many chats",
                (
                    "The server took 40 rooms and no more; live channels beyond that earn nothing now. Rooms of a "
                    "connection that was lost are freed late, so it is tried again by itself. If it lasts, lower "
                    "`channels.max_rooms` and leave more rooms to your own chat client."
                ),
                T - 8,
            ),
        ),
        (
            {"not_found": {GONE: T - 4, NOBODY: T - 9, OTHER: T - 99}},
            Policy(include=(GONE, NOBODY, ALPHA)),
            Warning(
                "channel_not_found",
                WARNING,
                "Channels that Twitch does not know",
                (
                    "In `channels.include`, but not on Twitch: gone, nobody. They earn nothing. Look for a typing "
                    "mistake or a new name; it is looked up again once a day."
                ),
                T - 9,
            ),
        ),
        (
            {**BOTH, "channels.7.refusal": BANNED, "channels.8.refusal": SUSPENDED},
            POLICY,
            Warning(
                "channels_refused",
                INFO,
                "Some chats are closed to you",
                (
                    "2 live channels will not have this account in the chat: nothing is earned there. "
                    "`allthepoints channels` tells why; after a ban it stays out until you say otherwise."
                ),
                T - 8,
            ),
        ),
        (
            BOTH,
            Policy(max_rooms=0),
            Warning(
                "waiting_for_rooms",
                INFO,
                "More channels are live than there are rooms",
                (
                    "No room is left for 2 of 2 live channels: nothing is earned there now. Those in "
                    "`channels.priority` come first; `channels.max_rooms` may go up to 100, less what your own "
                    "chat client needs."
                ),
                T - 2000,
            ),
        ),
    ],
)
def test_what_is_told(changed: Mapping[str, object], policy: Policy, told: Warning) -> None:
    assert warnings(policy, well(changed), T) == (told,)


@pytest.mark.parametrize(
    ("changed", "policy", "words"),
    [
        ({**LOST, "sign_in.text": "it is of app X."}, POLICY, "It is of app X. Chats that are"),
        ({"config_error": (T, "It has no key.")}, POLICY, "It has no key. The config"),
        ({"config_error": (T, "a? no b?")}, POLICY, "a? no b? The config"),
        ({"config_error": (T, "no table!")}, POLICY, "no table! The config"),
        ({"sign_in.failing_since": T - 60}, POLICY, "still good (no answer). What"),
        ({"reads.live": replace(FAILS, failures=2), "reads.users": LATER}, POLICY, "fails: no answer. Chats"),
        ({"reads.follows": replace(LATER, error="503")}, POLICY, "you follow fails: 503. The list"),
        ({**BOTH, "channels.7.refusal": BANNED, "channels.8.refusal": FORMER}, POLICY, "1 live channel will not have"),
        (BOTH, Policy(max_rooms=1), "No room is left for 1 of 2 live channels: nothing"),
    ],
)
def test_what_it_says_of_this_case(changed: Mapping[str, object], policy: Policy, words: str) -> None:
    (told,) = warnings(policy, well(changed), T)
    assert words in told.text
