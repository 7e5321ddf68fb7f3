"""How a test tells the seconds of what it did to the network: `bench/network.py` records them."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str, str, float], None]
"""The fixture `tell`: what was done, what is measured (one of these), and the seconds."""

OUT = "until it is found out"
BACK = "until all rooms are back"
IN = "until in all rooms, while it lasts"
