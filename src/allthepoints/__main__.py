"""`python -m allthepoints`, and what the installed command calls."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    if sys.argv[1:2] == ["run"]:  # what is loaded next takes a moment; behind other options `cli.app` does it
        from allthepoints.base.early import leave_at_once

        leave_at_once()
    from allthepoints.base.secret import keep_from_core_dumps
    from allthepoints.cli.app import main as run

    keep_from_core_dumps()

    sys.exit(run())


if __name__ == "__main__":
    main()
