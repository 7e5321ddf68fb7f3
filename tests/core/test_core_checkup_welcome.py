"""What the doctor says of the chat's welcome: what is seen, and the whole verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_findings import FAULT, OK, RESTS, RUNS, WARNING, check

from allthepoints.core import checkup_signin as signin
from allthepoints.core.checkup import Grade
from allthepoints.core.checkup_here import Running
from allthepoints.core.checkup_signin import ChatState

OF_SERVICE = signin.Chat(ChatState.LEFT_TO_SERVICE)


@pytest.mark.parametrize(
    ("seen", "service", "grade", "text", "cure"),
    [
        (
            signin.Chat(ChatState.WELCOMED, "me", 0.1004),
            RESTS,
            OK,
            "The chat welcomed me, in 100 ms. No room was entered.",
            "",
        ),
        (
            signin.Chat(ChatState.REFUSED, text="Login unsuccessful"),
            RESTS,
            FAULT,
            "The chat refuses the token: Login unsuccessful.",
            "Sign in with `allthepoints login`.",
        ),
        (
            signin.Chat(ChatState.LATE),
            RESTS,
            FAULT,
            "The chat took the connection, and gave no welcome in time.",
            "Look again in a minute. If it stays so, a firewall may read along.",
        ),
        (
            signin.Chat(ChatState.FAILED, text="closed"),
            RESTS,
            FAULT,
            "No welcome: closed.",
            "Look again in a minute: it may be an outage there.",
        ),
        (signin.Chat(ChatState.NOBODY), RESTS, WARNING, "Not tried: there is no token that Twitch takes now.", ""),
        (
            signin.Chat(ChatState.BUSY, logins=18),
            RUNS,
            WARNING,
            "Not tried: 18 of the 20 logins that Twitch allows in 10 s were just used.",
            "Look again in 10 s.",
        ),
        (
            OF_SERVICE,
            RUNS,
            WARNING,
            (
                "The service (process 12) has not told of its connections. No second login was made beside it (--chat "
                "makes one)."
            ),
            "`allthepoints status` tells what it waits for.",
        ),
        (
            replace(OF_SERVICE, connections=0),
            Running(0),
            WARNING,
            "The service has no connection to the chat now. No second login was made beside it (--chat makes one).",
            "`allthepoints status` tells what it waits for.",
        ),
        (
            replace(OF_SERVICE, connections=1),
            RUNS,
            OK,
            (
                "The service (process 12) is in the chat, over 1 connection. No second login was made beside it "
                "(--chat makes one)."
            ),
            "",
        ),
        (
            replace(OF_SERVICE, connections=2),
            Running(0),
            OK,
            "The service is in the chat, over 2 connections. No second login was made beside it (--chat makes one).",
            "",
        ),
    ],
)
def test_chat_welcome(seen: signin.Chat, service: Running, grade: Grade, text: str, cure: str) -> None:
    check(signin.chat(seen, service), "chat.welcome", grade, text, cure)
