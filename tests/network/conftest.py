"""The real command and its sandbox are started as in tests/whole."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from network_seconds import Tell

sys.path.append(str(Path(__file__).resolve().parent.parent / "whole"))


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Not by `record_property`: it warns, which is an error here, whenever a report in the newer form is written."""
    told = request.node.user_properties
    return lambda cut, what, seconds: told.append((f"{cut}: {what}", seconds))
