"""`completion`: what a shell asks while you type, and (by `grammar.py` and `shells.py`) the script with which it asks.

The scripts know all commands, so that a key press starts no program, but for names of channels. Those must be quick.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from allthepoints.base.errors import AllThePointsError
from allthepoints.cli import globals as g
from allthepoints.cli import output
from allthepoints.cli.here import Here

NAMES = g.Flag("--names", "names", "Print the names of the channels that are known: what the scripts complete with.")
FLAGS = (NAMES,)

FULL = "allthepoints.cli.grammar:completion"
"""The command where it is more than its flags."""


def fast(where: Here, _: AbstractSet[g.Flag]) -> None:
    """The names of the channels that are known."""
    from allthepoints.storage.read import Reader

    try:
        names = [channel.login for channel in Reader(where.data.database).channels()]
    except AllThePointsError:  # in the middle of a line nobody wants to read of it
        names = []
    for name in names:
        output.say(name)
