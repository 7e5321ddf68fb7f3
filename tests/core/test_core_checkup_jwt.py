"""What the doctor says of the JWT: what is seen, and the whole verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_findings import FAULT, NOW, OK, WARNING, check

from allthepoints.core import checkup_signin as signin
from allthepoints.core.checkup import Grade
from allthepoints.core.checkup_signin import JWT_ENDS_SOON
from allthepoints.core.loyalty import JwtState

JWT = signin.Jwt(JwtState.GOOD, NOW + 90 * 86_400, ("1", "me"), ("1", "me"))


@pytest.mark.parametrize(
    ("seen", "grade", "text", "cure"),
    [
        (JWT, OK, "StreamElements takes it as me's. It ends on 2027-02-23.", ""),
        (replace(JWT, ends=None), OK, "StreamElements takes it as me's. It does not say when it ends.", ""),
        (replace(JWT, ends=1e12), OK, "StreamElements takes it as me's. It ends on 9999-12-31.", ""),
        (
            signin.Jwt(JwtState.GOOD, NOW + 90 * 86_400, ("1", "me")),
            OK,
            "StreamElements takes it as me's. It ends on 2027-02-23.",
            "",
        ),
        (replace(JWT, ends=NOW + JWT_ENDS_SOON), OK, "StreamElements takes it as me's. It ends on 2026-12-02.", ""),
        (
            replace(JWT, ends=NOW + JWT_ENDS_SOON - 1),
            WARNING,
            "StreamElements takes it as me's. It ends in 6 days.",
            "Copy it again, and give it to `allthepoints login streamelements`.",
        ),
        (
            replace(JWT, state=JwtState.WRONG_ACCOUNT, mine=("2", "you")),
            FAULT,
            "The JWT is me's, but this data directory is you's: nothing is redeemed with it.",
            (
                "Log in at streamelements.com as you, copy the JWT there, and give it to `allthepoints login "
                "streamelements`."
            ),
        ),
        (replace(JWT, owner=("1", "old")), OK, "StreamElements takes it as old's. It ends on 2027-02-23.", ""),
        (replace(JWT, owner=(None, "Me")), OK, "StreamElements takes it as Me's. It ends on 2027-02-23.", ""),
        (
            replace(JWT, owner=(None, "me"), mine=("1", "ME")),
            OK,
            "StreamElements takes it as me's. It ends on 2027-02-23.",
            "",
        ),
        (
            replace(JWT, owner=(None, "else")),
            FAULT,
            "The JWT is else's, but this data directory is me's: nothing is redeemed with it.",
            (
                "Log in at streamelements.com as me, copy the JWT there, and give it to `allthepoints login "
                "streamelements`."
            ),
        ),
        (
            replace(JWT, owner=("2", "me")),
            FAULT,
            "The JWT is me's, but this data directory is me's: nothing is redeemed with it.",
            (
                "Log in at streamelements.com as me, copy the JWT there, and give it to `allthepoints login "
                "streamelements`."
            ),
        ),
        (
            replace(JWT, owner=None, text="answered 502"),
            WARNING,
            "Whose it is could not be asked: answered 502. It ends on 2027-02-23.",
            "Look again in a minute.",
        ),
        (
            signin.Jwt(JwtState.GOOD, text="answered 502"),
            WARNING,
            "Whose it is could not be asked: answered 502. It does not say when it ends.",
            "Look again in a minute.",
        ),
        (
            signin.Jwt(JwtState.MISSING),
            OK,
            "There is none. Points need none; to redeem, `allthepoints login streamelements`.",
            "",
        ),
        (
            signin.Jwt(JwtState.MISSING, autos=True),
            WARNING,
            "There is none, so the wishes with auto = true are told and not redeemed.",
            "`allthepoints login streamelements` tells how to get one.",
        ),
        (
            signin.Jwt(JwtState.EXPIRED, NOW - 86_400, autos=True),
            FAULT,
            "The StreamElements JWT ended on 2026-11-24: nothing can be redeemed.",
            "Copy it again, and give it to `allthepoints login streamelements`.",
        ),
        (
            signin.Jwt(JwtState.EXPIRED),
            FAULT,
            "The StreamElements JWT ended: nothing can be redeemed.",
            "Copy it again, and give it to `allthepoints login streamelements`.",
        ),
        (
            signin.Jwt(JwtState.MALFORMED, text="this is not a JWT"),
            FAULT,
            "Nothing can be redeemed: this is not a JWT.",
            "Copy it again, and give it to `allthepoints login streamelements`.",
        ),
        (
            signin.Jwt(JwtState.REFUSED),
            FAULT,
            "StreamElements does not take the JWT: nothing can be redeemed.",
            "Copy it again, and give it to `allthepoints login streamelements`.",
        ),
    ],
)
def test_fc_31_jwt(seen: signin.Jwt, grade: Grade, text: str, cure: str) -> None:
    check(signin.jwt(seen, NOW), "jwt", grade, text, cure)
