"""What systemd is told by a service of `Type=notify`: a few words on a datagram socket (the protocol of sd_notify).

Theory. systemd names a socket in NOTIFY_SOCKET; each datagram holds lines `NAME=value`. It answers nothing, so nothing
can be waited for, and what cannot be sent now is kept and goes along with the next datagram: at most one value a name,
so that what is kept stays small. Where no systemd asks, or its socket is broken, all this does nothing; a program must
not suffer from who watches it.

`WATCHDOG=1` is due within WATCHDOG_USEC. It must be said by what the watchdog is for (here: the loop, with each turn),
never by a timer beside it, which would go on while the rest hangs.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)


class Manager:
    """The service manager that started us. `watchdog`: seconds within which `alive` is due; 0.0 where nobody looks."""

    def __init__(self, address: str = "", watchdog: float = 0.0) -> None:
        self.there = hasattr(socket, "AF_UNIX") and address[:1] in {"/", "@"} and len(address) > 1
        self.watchdog = watchdog if self.there else 0.0
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._unsaid: dict[str, str] = {}
        self._complained = False

    @classmethod
    def given(cls, environ: Mapping[str, str], pid: int) -> Manager:
        """The one that the environment names. `pid`: ours; a watchdog may be meant for another process."""
        return cls(environ.get("NOTIFY_SOCKET", ""), _watchdog(environ, pid))

    def ready(self, status: str = "") -> None:
        """The service stands; also the end of `reloading`."""
        for word in ("RELOADING", "MONOTONIC_USEC"):  # unsaid, and over
            self._unsaid.pop(word, None)
        self._say(READY="1", **_status(status))

    def status(self, text: str) -> None:
        """One sentence for `systemctl status`."""
        self._say(**_status(text))

    def alive(self) -> None:
        """A sign of life for the watchdog; also the moment for what could not be said before."""
        if self.watchdog:
            self._say(WATCHDOG="1")
        elif self._unsaid:
            self._say()

    def reloading(self, monotonic: float) -> None:
        """The config is read again; `ready` follows. `monotonic`: CLOCK_MONOTONIC in seconds."""
        self._say(RELOADING="1", MONOTONIC_USEC=str(int(monotonic * 1_000_000)))

    def stopping(self, status: str = "") -> None:
        """We are on our way out."""
        self._say(STOPPING="1", **_status(status))

    def _say(self, **words: str) -> None:
        if not self.there:
            return
        self._unsaid |= words
        data = "\n".join(f"{name}={value}" for name, value in self._unsaid.items()).encode("utf-8", "replace")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.setblocking(False)
                out.sendto(data, self._address)
        except OSError as error:
            if not self._complained:
                log.info("systemd does not hear us: %s", error.strerror or error)
            self._complained = True
        else:
            self._unsaid.clear()
            self._complained = False


def _status(text: str) -> dict[str, str]:
    return {"STATUS": " ".join(text.split())} if text else {}


def _watchdog(environ: Mapping[str, str], pid: int) -> float:
    usec, whose = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    ours = not whose or whose == str(pid)
    return int(usec) / 1_000_000 if ours and usec.isascii() and usec.isdecimal() else 0.0
