"""What commands in other processes ask of the running service. They ask through the database: there is nothing else
that both can reach."""

from __future__ import annotations

from collections.abc import Callable

from allthepoints.base.clock import Clock
from allthepoints.base.errors import FaultError
from allthepoints.ports import Request, Storage
from allthepoints.service.recorder import Recorder, batch


class Requests:
    """Looks for requests and answers each once, also where the disk cannot be told that it was answered."""

    def __init__(self, storage: Storage, recorder: Recorder, clock: Clock, answer: Callable[[Request], None]) -> None:
        self._storage = storage
        self._recorder = recorder
        self._clock = clock
        self._answer = answer
        self._answered: set[int] = set()

    async def run(self, every: float) -> None:
        """Look every so many seconds, for ever."""
        while True:
            await self._clock.sleep(every)
            await self.look()

    async def look(self) -> None:
        """Answer what is new."""
        try:
            requests = await self._storage.requests()
        except FaultError:
            return  # the recorder meets the same fault, and tells of it
        new = [request for request in requests if request.id not in self._answered]
        self._answered = {request.id for request in requests}
        for request in new:
            self._answer(request)
        if new:
            await self._recorder.keep(batch(done=[request.id for request in new]))
