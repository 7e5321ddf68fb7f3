"""The words that go out: in JSON, in the database, in requests. What once went out keeps its word."""

from __future__ import annotations

import pkgutil
from enum import StrEnum
from importlib import import_module

import pytest

from allthepoints import core, irc
from allthepoints.core.checkup import NAMES

ODD = {
    ("Why", "NEEDS_EMAIL"): "needs_verified_email",
    ("Why", "NEEDS_PHONE"): "needs_verified_phone",
    ("Why", "OTHER"): "refused",
    ("JoinError", "NEEDS_EMAIL"): "needs_verified_email",
    ("JoinError", "NEEDS_PHONE"): "needs_verified_phone",
    ("JoinError", "OTHER"): "refused",
    ("Lost", "CONNECT"): "could_not_connect",
    ("Lost", "TLS"): "tls_failed",
    ("Lost", "DEADLINE"): "no_welcome_in_time",
    ("Lost", "CLOSED"): "closed_by_server",
    ("Lost", "SILENT"): "no_answer_to_ping",
    ("Lost", "OVERFLOW"): "line_without_end",
    ("Lost", "LOGIN"): "login_refused",
    ("Lost", "OURS"): "closed_by_us",
    ("End", "DEADLINE"): "no_welcome_in_time",
    ("End", "SILENT"): "no_answer_to_ping",
    ("End", "OVERFLOW"): "line_without_end",
    ("End", "LOGIN"): "login_refused",
    ("End", "CLOSED"): "closed_by_server",
    ("Reason", "NOT_ENOUGH"): "not_enough_points",
    ("Reason", "NO_MESSAGE"): "takes_no_message",
    ("Within", "NOT_ENOUGH"): "not_enough_points",
    ("Away", "NO"): "-",
}
"""Words that are not their names in small letters."""

SENTENCES = {"allthepoints.core.checkup_net.Why", "allthepoints.irc.states.Cause"}
"""For people's eyes alone."""


def enums() -> list[type[StrEnum]]:
    modules = [
        import_module(f"{floor.__name__}.{one.name}")
        for floor in (core, irc)
        for one in pkgutil.iter_modules(floor.__path__)
    ]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    own = {value for value in found if issubclass(value, StrEnum) and value is not StrEnum}
    return sorted(
        (one for one in own if f"{one.__module__}.{one.__name__}" not in SENTENCES),
        key=lambda one: (one.__name__, one.__module__),
    )


@pytest.mark.parametrize("words", enums(), ids=lambda words: f"{words.__module__}.{words.__name__}")
def test_a_word_is_its_name_in_small_letters_or_known(words: type[StrEnum]) -> None:
    for member in words:
        assert member.value == ODD.get((words.__name__, member.name), member.name.lower())


def test_the_checks_of_the_doctor_keep_their_names_and_their_order() -> None:
    ways = ("names", "tcp", "tls")
    assert list(NAMES) == [
        *("config", "data_dir", "secret_files", "database", "disk", "service", "dashboard", "proxy", "clock"),
        *(f"chat.{step}" for step in (*ways, "welcome")),
        *(f"{name}.{step}" for name in ("helix", "oauth", "streamelements") for step in (*ways, "http")),
        *("token", "scopes", "jwt"),
    ]
