"""Whole conversations from tests/wire, played line by line and byte by byte. The format stands in its README."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import pytest

from allthepoints.base.secret import Secret
from allthepoints.irc import events
from allthepoints.irc.session import Session, SessionOptions

WIRE = Path(__file__).parents[1] / "wire"
NAMES = {name: value for name, value in vars(events).items() if not name.startswith("_")}


class Play:
    """One transcript against one session."""

    def __init__(self, step: int) -> None:
        self._step = step
        self._now = 100.0
        self._options: dict[str, object] = {}
        self._session: Session | None = None
        self._sent: deque[str] = deque()
        self._told: deque[events.SessionEvent] = deque()

    def line(self, text: str) -> None:
        mark, _, rest = text.partition(" ")
        if mark == "with":
            name, *values = rest.split()
            self._options[name] = tuple(values) if name == "caps" else True
        elif mark == ">>":
            self._collect()
            assert self._sent.popleft() == rest
        elif mark == "==":
            assert self._told.popleft() == eval(rest, NAMES)
        elif mark == "<<":
            self._nothing_left()
            self._receive(rest.encode() + b"\r\n")
        elif mark == "do":
            self._nothing_left()
            self._do(*rest.split())

    def end(self) -> None:
        self._nothing_left()

    @property
    def session(self) -> Session:
        if self._session is None:
            self._session = Session("me", Secret("T0"), self._now, SessionOptions(**self._options))  # type: ignore[arg-type]
            self._session.connected(self._now)
        return self._session

    def _receive(self, data: bytes) -> None:
        for start in range(0, len(data), self._step or len(data)):
            self._told += self.session.receive(data[start : start + (self._step or len(data))], self._now)

    def _do(self, what: str, *args: str) -> None:
        if what == "wait":
            self._now += float(args[0])
            self._told += self.session.tick(self._now)
        elif what == "eof":
            self._told += self.session.receive_eof(self._now)
        elif what == "quit":
            self.session.quit(self._now)
        else:
            getattr(self.session, what)(args, self._now)

    def _collect(self) -> None:
        sent = self.session.outgoing().decode()
        assert not sent or sent.endswith("\r\n")
        self._sent += sent.split("\r\n")[:-1]

    def _nothing_left(self) -> None:
        self._collect()
        assert not self._sent
        assert not self._told


@pytest.mark.parametrize("step", [0, 1, 7], ids=["whole", "byte by byte", "by seven"])
@pytest.mark.parametrize("path", sorted(WIRE.glob("chat-*.txt")), ids=lambda path: path.stem)
def test_transcript(path: Path, step: int) -> None:
    play = Play(step)
    for number, text in enumerate(path.read_text().splitlines(), 1):
        try:
            play.line(text)
        except (AssertionError, IndexError) as error:
            raise AssertionError(f"{path.name}:{number}: {text}: {error}") from error
    play.end()
