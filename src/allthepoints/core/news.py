"""The kinds of news. What each is made of stands in `core.alerts`; the config knows the names, and loads no more."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The kinds of news, by their names in the config."""

    LIVE = "live"
    AFFORDABLE = "affordable"
    CHEAPER = "cheaper"
    BACK = "back"
    REDEEMED = "redeemed"
    FLAT = "flat"
    REFUSED = "refused"
    SIGN_IN_NEEDED = "sign_in_needed"
    JWT_EXPIRING = "jwt_expiring"
    TROUBLE = "trouble"
    DIGEST = "digest"
