"""What every test may use."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


SIGNALS = [number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None))]


def pytest_configure() -> None:
    """Where the tests run under `nohup`, whatever they start would pass a hangup over."""
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) is signal.SIG_IGN:
        signal.signal(hangup, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files with the longest tests begin: where several processes share the work, none is left with one of them
    when the others have ended."""
    longest: dict[Path, float] = {}
    for item in items:
        own = item.get_closest_marker("timeout")
        longest[item.path] = max(longest.get(item.path, 0.0), own.args[0] if own else 0.0)
    items.sort(key=lambda item: -longest[item.path])


@pytest.fixture(autouse=True)
def _signals_mean_what_they_did() -> Generator[None]:
    """`run` takes signals for itself, in this process too when it is called from a test; a process that is started
    later would inherit that a hangup is passed over."""
    before = [(number, signal.getsignal(number)) for number in SIGNALS]
    yield
    for number, handler in before:
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What was captured may hold lone surrogates: texts that mean harm. A worker that reports them would die of it.
    And where all that tests need is installed, a skipped test is one that failed."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"In CI nothing is skipped: {report.longreprtext}"
    report.sections = [(name, text.encode("utf-8", "replace").decode()) for name, text in report.sections]
    return report
