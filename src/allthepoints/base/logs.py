"""The log file: rotated, bounded in total, UTF-8 whatever the machine's own encoding is."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

LOG_BYTES = 1_000_000
LOG_FILES = 3
"""The logs together take at most LOG_BYTES * (LOG_FILES + 1)."""


def log_to(path: Path, verbose: bool) -> None:
    """Send the log to a file that is rotated and bounded. Uncaught tracebacks go there too, never secrets."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8", errors="backslashreplace"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    for chatty in ("httpx2", "httpcore2", "watchfiles", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
