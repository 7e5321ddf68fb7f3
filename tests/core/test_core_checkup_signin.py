"""What the doctor says of the sign-in at Twitch: what is seen, and the whole verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_findings import FAULT, NOW, OK, RESTS, RUNS, WARNING, check

from allthepoints.core import checkup_signin as signin
from allthepoints.core.checkup import Grade
from allthepoints.core.checkup_here import Running
from allthepoints.core.checkup_signin import TokenState

LIVES = signin.Token(
    TokenState.LIVES,
    owner=("1", "me"),
    mine=("1", "Me"),
    scopes=frozenset({"chat:read", "user:read:follows"}),
    ends=NOW + 3 * 3600,
    refresh=True,
)
DEAD = replace(LIVES, state=TokenState.DEAD, owner=None, ends=NOW - 60)


@pytest.mark.parametrize(
    ("seen", "service", "grade", "text", "cure"),
    [
        (LIVES, RESTS, OK, "Twitch takes it as me's, for 3 h more; then the service renews it.", ""),
        (LIVES, RUNS, OK, "Twitch takes it as me's, for 3 h more; then the running service renews it.", ""),
        (LIVES, Running(0), OK, "Twitch takes it as me's, for 3 h more; then the running service renews it.", ""),
        (replace(LIVES, mine=None, ends=None), RESTS, OK, "Twitch takes it as me's; then the service renews it.", ""),
        (
            replace(LIVES, refresh=False),
            RUNS,
            WARNING,
            "Twitch takes it as me's, for 3 h more. There is no refresh token, so it cannot be renewed.",
            "Sign in with `allthepoints login`, which gives both, before it ends.",
        ),
        (
            signin.Token(TokenState.LIVES, owner=("1", "me")),
            RESTS,
            WARNING,
            "Twitch takes it as me's. There is no refresh token, so it cannot be renewed.",
            "Sign in with `allthepoints login`, which gives both, before it ends.",
        ),
        (
            replace(LIVES, mine=("2", "you")),
            RESTS,
            FAULT,
            "The token is me's, but this data directory is you's.",
            "Sign in as you, use another --data-dir for me, or change over with `allthepoints login --switch`.",
        ),
        (
            signin.Token(TokenState.LIVES),
            RESTS,
            FAULT,
            "This is an app's token; the chat needs a person's.",
            "Sign in with `allthepoints login`.",
        ),
        (
            DEAD,
            RESTS,
            WARNING,
            (
                "The Twitch token has ended; the service renews it at its next start. That was not tried: a refresh "
                "token may be used once."
            ),
            "Nothing, if the service then signs in. If not: `allthepoints login`.",
        ),
        (
            DEAD,
            RUNS,
            WARNING,
            (
                "The Twitch token has ended; the running service renews it. That was not tried: a refresh token may "
                "be used once."
            ),
            "Nothing, if the service then signs in. If not: `allthepoints login`.",
        ),
        (
            replace(DEAD, ends=None),
            RESTS,
            WARNING,
            (
                "The Twitch token has ended; the service renews it at its next start. That was not tried: a refresh "
                "token may be used once."
            ),
            "Nothing, if the service then signs in. If not: `allthepoints login`.",
        ),
        (
            replace(DEAD, refresh=False),
            RUNS,
            FAULT,
            "The Twitch token has ended, and there is none to renew it with.",
            "Sign in with `allthepoints login`.",
        ),
        (
            replace(DEAD, refresh_spent=True),
            RESTS,
            WARNING,
            (
                "The Twitch token has ended, and its refresh token may be used up: a renewal got no answer. The "
                "service renews it at its next start, if it can."
            ),
            "If it cannot: `allthepoints login`.",
        ),
        (
            replace(DEAD, refresh_spent=True, ends=NOW + 3600),
            RUNS,
            WARNING,
            (
                "The Twitch token has ended, and its refresh token may be used up: a renewal got no answer. The "
                "running service renews it, if it can."
            ),
            "If it cannot: `allthepoints login`.",
        ),
        (
            replace(DEAD, ends=NOW + 60),
            RESTS,
            WARNING,
            (
                "The Twitch token has ended; the service renews it at its next start. That was not tried: a refresh "
                "token may be used once."
            ),
            "Nothing, if the service then signs in. If not: `allthepoints login`.",
        ),
        (
            replace(DEAD, ends=NOW + 61),
            RESTS,
            WARNING,
            (
                "Twitch ended the token before its time: the password was changed, or the app was disconnected. The "
                "service renews it at its next start, if it can."
            ),
            "If not: `allthepoints login`.",
        ),
        (
            replace(DEAD, ends=NOW + 3600),
            RUNS,
            WARNING,
            (
                "Twitch ended the token before its time: the password was changed, or the app was disconnected. The "
                "running service renews it, if it can."
            ),
            "If not: `allthepoints login`.",
        ),
        (
            signin.Token(TokenState.NONE),
            RESTS,
            FAULT,
            "You are not signed in to Twitch.",
            "Sign in with `allthepoints login`.",
        ),
        (
            signin.Token(TokenState.ONLY_REFRESH, given=True),
            RESTS,
            WARNING,
            "There is a refresh token alone; the service gets a token with it at its next start.",
            "",
        ),
        (
            signin.Token(TokenState.UNSENDABLE, given=True),
            RESTS,
            FAULT,
            "The Twitch token holds characters that no token has.",
            "Look at ALLTHEPOINTS_TWITCH_TOKEN.",
        ),
        (
            signin.Token(TokenState.UNSENDABLE),
            RESTS,
            FAULT,
            "The Twitch token holds characters that no token has.",
            "Look at the stored sign-in.",
        ),
        (
            signin.Token(TokenState.UNKNOWN, text="answered 500"),
            RESTS,
            WARNING,
            "Whether it is good is not known: answered 500.",
            "Look again in a minute.",
        ),
    ],
)
def test_fc_18_token(seen: signin.Token, service: Running, grade: Grade, text: str, cure: str) -> None:
    check(signin.token(seen, NOW, service), "token", grade, text, cure)


@pytest.mark.parametrize(
    ("has", "follows", "includes", "grade", "text", "cure"),
    [
        ("user:read:follows chat:read", True, False, OK, "chat:read, user:read:follows.", ""),
        ("chat:read", False, False, OK, "chat:read.", ""),
        (
            "chat:read",
            True,
            True,
            WARNING,
            (
                "user:read:follows is missing, so whom you follow cannot be read. It has: chat:read. Only "
                "channels.include is used."
            ),
            "Sign in again with `allthepoints login`: it asks for what is needed.",
        ),
        (
            "chat:read",
            True,
            False,
            FAULT,
            "user:read:follows is missing, so whom you follow cannot be read. It has: chat:read.",
            "Sign in again with `allthepoints login`: it asks for what is needed.",
        ),
        (
            "user:read:follows",
            True,
            True,
            FAULT,
            "chat:read is missing, without which no chat can be entered. It has: user:read:follows.",
            "Sign in again with `allthepoints login`: it asks for what is needed.",
        ),
        (
            "",
            False,
            True,
            FAULT,
            "chat:read is missing, without which no chat can be entered. It has: none.",
            "Sign in again with `allthepoints login`: it asks for what is needed.",
        ),
        (
            "user:edit chat:read chat:edit",
            False,
            False,
            OK,
            (
                "chat:edit, chat:read, user:edit. More than is needed: chat:edit, user:edit; this program has no use "
                "for it."
            ),
            "",
        ),
        (
            "chat:edit chat:read user:read:follows",
            True,
            False,
            OK,
            "chat:edit, chat:read, user:read:follows. More than is needed: chat:edit; this program has no use for it.",
            "",
        ),
    ],
)
def test_scopes(has: str, follows: bool, includes: bool, grade: Grade, text: str, cure: str) -> None:
    check(signin.scopes(replace(LIVES, scopes=frozenset(has.split())), follows, includes), "scopes", grade, text, cure)


def test_a_token_of_which_no_scope_is_known_has_none() -> None:
    text = "chat:read is missing, without which no chat can be entered. It has: none."
    found = signin.scopes(signin.Token(TokenState.LIVES, owner=("1", "me")), False, False)
    check(found, "scopes", FAULT, text, "Sign in again with `allthepoints login`: it asks for what is needed.")


@pytest.mark.parametrize("seen", [DEAD, replace(LIVES, owner=None), signin.Token(TokenState.UNKNOWN)])
def test_scopes_of_a_token_that_does_not_live_or_is_nobodys_are_not_told(seen: signin.Token) -> None:
    assert signin.scopes(seen, True, False) is None
