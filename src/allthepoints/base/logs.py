"""The log: one handler through which everything goes. It cuts secrets, counts what repeats, and stops nobody.

What is a warning or worse is told once and then counted (`repeats.py`); secrets are cut by their form (`redact.py`),
for whoever listens; lines go to a bounded file on a thread of its own (`logfile.py`), in UTF-8, with times in UTC.
"""

from __future__ import annotations

import contextlib
import logging
import re
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from allthepoints.base.logfile import LOG_BYTES, BoundedFile, Writer
from allthepoints.base.redact import cut
from allthepoints.base.repeats import More, Repeats
from allthepoints.base.steering import harmless

LONGEST = 20_000
"""Characters of one record."""

WHAT = 200
"""Characters by which something that repeats is recognised by people."""

CHATTY = ("httpx2", "httpcore2", "watchfiles", "asyncio")
"""Libraries whose details are noise, or hold headers."""


def log_to(path: Path, verbose: bool | Sequence[str] = False, most: int = LOG_BYTES) -> Log:
    """Send the log to a file that is rotated and bounded. Raises OSError where it cannot be made.

    `verbose`: details of everything, or of the loggers of these names. `most`: bytes of one file.
    """
    file = BoundedFile(path, most)
    file.open()
    log = Log(file)
    root = logging.getLogger()
    root.addHandler(log)
    root.setLevel(logging.DEBUG if verbose is True else logging.INFO)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    for name in [] if isinstance(verbose, bool) else verbose:
        log.detail(name)
    return log


class Log(logging.Handler):
    """The root's handler. Use it as a context, or `close` it."""

    def __init__(self, file: BoundedFile) -> None:
        super().__init__()
        self._repeats = Repeats()
        self._beside: list[logging.Handler] = []
        self._detailed: list[logging.Logger] = []
        self._closed = False
        self._writer = Writer(file, self._file_failed)

    def listen(self, handler: logging.Handler) -> None:
        """From now on it hears what goes to the file: records of which the message is all there is."""
        self._beside.append(handler)

    def detail(self, name: str) -> None:
        """Take details of this logger too, until it is closed."""
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)
        self._detailed.append(logger)

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it, or count it. Raises nothing: whoever logs has other things to do."""
        try:
            self._take(record)
        except Exception as error:
            with contextlib.suppress(Exception):
                self._writer.put(f"{_time(record.created)} ERROR log: a line was lost ({type(error).__name__})")

    def close(self) -> None:
        """Tell the counts that are left, and write what waits. May be called again."""
        if self._closed:
            return
        self._closed = True
        logging.getLogger().removeHandler(self)
        for logger in self._detailed:
            logger.setLevel(logging.NOTSET)
        for more in self._repeats.rest(0.0):
            self._count(more)
        self._writer.close()
        super().close()

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self, record: logging.LogRecord) -> None:
        at, message = record.created, clean(_message(record))
        for more in self._repeats.due(at):
            self._count(more)
        if record.levelno >= logging.WARNING:
            before = self._repeats.take(key_of(record, message), f"{record.name}: {_what(record, message)}", at)
            if before is None:
                return
            for more in before:
                self._count(more)
        self._tell(record, message, _trace(record))

    def _count(self, more: More) -> None:
        level, _, _ = more.key.partition("|")
        times = f"{more.count} more {'time' if more.count == 1 else 'times'} since {_time(more.since)}"
        name, _, what = more.what.partition(": ")
        told = logging.LogRecord(name, int(level), "", 0, f"… {times}: {what}", None, None)
        told.created = more.until
        self._tell(told, told.getMessage(), "")

    def _tell(self, record: logging.LogRecord, message: str, trace: str) -> None:
        self._writer.put(f"{_time(record.created)} {record.levelname} {record.name}: {message}{trace}")
        plain = logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, message, None, None)
        for handler in self._beside:
            if record.levelno >= handler.level:
                with contextlib.suppress(Exception):
                    handler.handle(plain)

    def _file_failed(self, error: OSError) -> None:
        text = f"the log file cannot be written ({error.strerror or error}); everything else goes on"
        record = logging.LogRecord(__name__, logging.WARNING, "", 0, text, None, None)
        for handler in self._beside:
            with contextlib.suppress(Exception):
                handler.handle(record)


def key_of(record: logging.LogRecord, message: str) -> str:
    """The same for the same trouble: its level, who tells it and where it came from. Numbers make no difference."""
    error = record.exc_info[1] if record.exc_info else None
    where = ""
    if error is not None:
        last = traceback.extract_tb(error.__traceback__)[-1:]
        where = "|".join([type(error).__qualname__, *(f"{frame.filename}:{frame.lineno}" for frame in last)])
        message = f"{record.msg}|{_first_line(error)}"
    return f"{record.levelno}|{record.name}|{where}|{re.sub(r'[0-9]+', '#', message)[:1000]}"


def clean(text: str) -> str:
    """Fit for a line: no secrets, nothing that steers a terminal, and whatever follows a line's end is set in."""
    return harmless(cut(text[:LONGEST])).rstrip("\n").replace("\n", "\n  ")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # arguments that do not fit: whatever was meant, this was said
        return f"{record.msg}"


def _what(record: logging.LogRecord, message: str) -> str:
    error = record.exc_info[1] if record.exc_info else None
    told = message.partition("\n")[0] if error is None else f"{message} ({clean(_first_line(error))})"
    return told if len(told) <= WHAT else told[: WHAT - 1] + "…"


def _first_line(error: BaseException) -> str:
    text = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _trace(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    whole = "".join(traceback.format_exception(record.exc_info[1]))
    if len(whole) > LONGEST:
        whole = f"{whole[: LONGEST // 2]}\n…\n{whole[-LONGEST // 2 :]}"
    return "\n  " + clean(whole)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
