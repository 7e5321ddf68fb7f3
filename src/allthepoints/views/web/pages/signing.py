"""Signing in at Twitch from the page: a code is shown, and typed in at Twitch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from allthepoints.views.web.board import Board
from allthepoints.views.web.pages.kit import Doing, View, fragment
from allthepoints.views.web.parts import Fragment
from allthepoints.views.web.signing import SigningState


def state(board: Board) -> dict[str, Any]:
    """How it stands; None: nobody can sign in from here."""
    signing = board.sign_in()
    return {"signing": None if signing is None else signing.state}


async def show(board: Board, _request: Request) -> Mapping[str, Any]:
    """Asked again and again while it goes on."""
    return state(board)


async def start(board: Board, _form: Mapping[str, str]) -> Fragment:
    """Ask Twitch for a code."""
    signing = board.sign_in()
    if signing is None:
        raise ValueError("Nobody can sign in from this page.")
    signing.start()
    return fragment(board, "parts/signing.html", signing=_begun(signing.state))


def _begun(found: SigningState) -> SigningState:
    """What stands there until the task has run."""
    return SigningState("asking") if found.stage in ("idle", "failed", "done") else found


PAGE = View("/sign-in", "signing.html", show)
ACTIONS = {"/sign-in": Doing(start)}
