"""How a command ends: one enum, and the one place where an error becomes an exit code."""

from __future__ import annotations

from enum import IntEnum

from allthepoints.base.errors import AllThePointsError, Declined, FaultError, Refused, SignInNeeded, Unknown, UsageError


class Exit(IntEnum):
    """Exit codes; they are part of the outside contract. INTERRUPTED is the shell's own for Ctrl-C."""

    OK = 0
    FAULT = 1
    USAGE = 2
    REFUSED = 3
    UNKNOWN = 4
    INTERRUPTED = 130


def code_of(error: AllThePointsError) -> Exit:
    """The exit code of an error of ours."""
    match error:
        case UsageError():
            return Exit.USAGE
        case SignInNeeded() | Refused() | Declined():
            return Exit.REFUSED
        case Unknown():
            return Exit.UNKNOWN
        case FaultError():
            return Exit.FAULT
        case _:
            return Exit.FAULT
