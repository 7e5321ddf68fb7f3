"""Apprise as it is, loaded once: some of what it loads itself is deprecated, which is not our test's."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator

import pytest
from post_office import PostOffice, post_office


@pytest.fixture(scope="session", autouse=True)
def _apprise() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import apprise

        apprise.Apprise.instantiate("json://127.0.0.1")


@pytest.fixture
async def office(anyio_backend: object) -> AsyncIterator[PostOffice]:
    async with post_office() as one:
        yield one
