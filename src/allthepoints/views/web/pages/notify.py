"""Notifications in the settings: of what you are told, when not, and whether it gets through."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from allthepoints.config.edit import Value
from allthepoints.config.kinds import quote
from allthepoints.config.settings import Settings
from allthepoints.core.alerts import DEFAULTS
from allthepoints.core.news import Kind
from allthepoints.views.web.board import Board
from allthepoints.views.web.pages.kit import Doing, fragment
from allthepoints.views.web.parts import Fragment

WORDS: dict[Kind, str] = {
    Kind.LIVE: "a channel goes live",
    Kind.AFFORDABLE: "a wish is within reach",
    Kind.CHEAPER: "a wish costs less",
    Kind.BACK: "a wish is back in the store",
    Kind.REDEEMED: "something was redeemed, or not",
    Kind.FLAT: "a chat pays nothing, or pays again",
    Kind.REFUSED: "a chat is closed to you",
    Kind.SIGN_IN_NEEDED: "a sign-in at Twitch is needed",
    Kind.JWT_EXPIRING: "the StreamElements sign-in ends",
    Kind.TROUBLE: "something is wrong, or right again",
    Kind.DIGEST: "the day's digest",
}
"""When you are told."""

TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z")


def state(settings: Settings) -> dict[str, Any]:
    """What the section shows."""
    chosen = frozenset(map(Kind, settings.notify.events)) or DEFAULTS
    begin, _, end = settings.notify.quiet_hours.partition("-")
    return {
        "notify": len(settings.notify.urls),
        "kinds": [(kind.value, word, kind in chosen) for kind, word in WORDS.items()],
        "quiet": (begin, end),
        "digest": settings.notify.digest,
    }


async def change(board: Board, form: Mapping[str, str]) -> Fragment:
    """Write it into the config: `event` (several), `quiet_from`, `quiet_to`, `digest`. Raises ValueError."""
    begin, end, digest = (form.get(key, "").strip()[:5] for key in ("quiet_from", "quiet_to", "digest"))
    for text in filter(None, (begin, end, digest)):
        if not TIME.match(text):
            raise ValueError(f"{text} is no time of day. Write it like 23:00.")
    if bool(begin) is not bool(end):
        raise ValueError("Quiet hours have a beginning and an end.")
    if begin and begin == end:
        raise ValueError("Quiet hours that end when they begin are none. Leave both empty for that.")
    written = await board.edit(
        [
            Value("notify", "events", f"[{', '.join(map(quote, _events(form)))}]"),
            Value("notify", "quiet_hours", quote(f"{begin}-{end}" if begin else "")),
            Value("notify", "digest", quote(digest)),
        ]
    )
    return fragment(board, "parts/said.html", said="Written into your config." if written else "It was so already.")


def _events(form: Mapping[str, str]) -> list[str]:
    """As the config has them: none for the usual ones. Raises ValueError."""
    chosen = {word for word in form.get("event", "").split("\n") if word}
    if not chosen:
        raise ValueError("Choose at least one. To be told nothing at all, take the addresses out of the config.")
    if not chosen <= {kind.value for kind in Kind}:
        raise ValueError("This form is damaged. Open it again.")
    return [] if chosen == DEFAULTS else [kind.value for kind in Kind if kind.value in chosen]


async def try_out(board: Board, _form: Mapping[str, str]) -> Fragment:
    """Send a test message to each place."""
    return fragment(board, "parts/tried.html", tried=await board.try_notify())


ACTIONS = {"/notify": Doing(change), "/notify/test": Doing(try_out)}
