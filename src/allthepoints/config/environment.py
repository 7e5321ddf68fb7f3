"""The secrets that a machine without a person gives in its environment. Empty is absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from allthepoints.base.secret import Secret

PREFIX = "ALLTHEPOINTS_"


@dataclass(frozen=True, slots=True)
class Environment:
    """Tokens stand without `oauth:`."""

    twitch_token: Secret | None = None
    twitch_refresh_token: Secret | None = None
    twitch_client_secret: Secret | None = None
    streamelements_jwt: Secret | None = None


def read_environment(environ: Mapping[str, str]) -> Environment:
    """The secrets in `environ`."""
    token = _secret(environ, "TWITCH_TOKEN")
    return Environment(
        twitch_token=Secret(token.reveal().removeprefix("oauth:")) if token else None,
        twitch_refresh_token=_secret(environ, "TWITCH_REFRESH_TOKEN"),
        twitch_client_secret=_secret(environ, "TWITCH_CLIENT_SECRET"),
        streamelements_jwt=_secret(environ, "STREAMELEMENTS_JWT"),
    )


def _secret(environ: Mapping[str, str], name: str) -> Secret | None:
    text = environ.get(PREFIX + name, "").strip()
    return Secret(text) if text else None
