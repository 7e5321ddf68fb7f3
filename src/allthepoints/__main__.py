"""`python -m allthepoints`, and what the installed command calls."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    from allthepoints.base.secret import keep_from_core_dumps
    from allthepoints.cli.app import main as run

    keep_from_core_dumps()

    sys.exit(run())


if __name__ == "__main__":
    main()
