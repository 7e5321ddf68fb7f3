"""Signing in at Twitch from the page: the code, and what became of it. One at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from allthepoints.base.clock import Clock
from allthepoints.base.errors import AllThePointsError
from allthepoints.base.types import Login
from allthepoints.service.supervise import Tasks

Show = Callable[[str, str, float], None]
"""Is told the code, the address at which it is typed in (one that may be opened:
`OAuth` sees to it), and for how many seconds it is good."""

SignInByCode = Callable[[Show], Awaitable[Login]]
"""Asks Twitch for a code, shows it, waits until the person has confirmed it, and keeps the sign-in. Answers whose.

Raises AllThePointsError.
"""


@dataclass(frozen=True, slots=True)
class SigningState:
    """`stage`: "idle", "asking" (for a code), "waiting" (for the person), "done" or "failed"."""

    stage: str = "idle"
    code: str = ""
    uri: str = ""
    ends_at: float = 0.0
    login: Login | None = None
    error: str = ""


class Signing:
    """`moved` is called whenever `state` changed."""

    def __init__(self, sign_in: SignInByCode, clock: Clock, moved: Callable[[], None]) -> None:
        self.state = SigningState()
        self._sign_in = sign_in
        self._clock = clock
        self._moved = moved
        self._tasks = Tasks()

    def start(self) -> None:
        """Ask for a code; nothing where that is under way."""
        if not len(self._tasks):
            self._move(SigningState("asking"))
            self._tasks.start("sign in from the dashboard", self._run())

    async def aclose(self) -> None:
        """Give it up."""
        await self._tasks.cancel()

    async def _run(self) -> None:
        try:
            login = await self._sign_in(self._show)
        except AllThePointsError as error:
            self._move(SigningState("failed", error=str(error)))
        except Exception:
            self._move(SigningState("failed", error="Something went wrong here. It is in the log file."))
            raise
        else:
            self._move(SigningState("done", login=login))

    def _show(self, code: str, uri: str, seconds: float) -> None:
        safe = uri if uri.startswith(("https://", "http://")) else ""
        self._move(SigningState("waiting", code, safe, self._clock.now() + seconds))

    def _move(self, state: SigningState) -> None:
        self.state = state
        self._moved()
