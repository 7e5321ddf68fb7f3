"""The real command and its sandbox are started as in tests/whole."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "whole"))
