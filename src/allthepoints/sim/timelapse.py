"""An event loop whose time is simulated: a day of real protocol over real sockets in seconds.

Theory. Programs on asyncio know time by the loop's `time()` and wait by its timers. Both sides of the sandbox run on
one such loop. While anything can be done (a callback is ready, a socket is readable, a thread is at work) simulated
time stands still; when nothing can, it jumps to the next timer. So no deadline ever fires because the machine is slow,
and the two sides see exact times. `speed` caps the jumps: simulated seconds for each real second at most; a busy
machine only makes the whole take longer.

What the kernel has in flight between two loopback sockets of this process is invisible to the loop. Loopback delivers
within the sending call, nearly always; the short `GRACE` before a jump covers the rest.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, TypeVar

from allthepoints.base.clock import Stopwatch

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

T = TypeVar("T")

GRACE = 0.0001
"""Real seconds to look for bytes in flight before time jumps."""

SMALL = 0.1
"""Simulated seconds: shorter jumps do no harm even when bytes are in flight, and need no grace."""

THREAD_WAIT = 1.0
"""Real seconds between looks while only threads are at work; their results wake the loop at once anyway."""


class TimelapseLoop(asyncio.SelectorEventLoop):
    """`speed` None: as fast as the machine can."""

    def __init__(self, speed: float | None = None) -> None:
        self._now = 0.0
        self._speed = speed
        self._watch = Stopwatch()
        self._jobs = 0
        super().__init__(_PatientSelector(self))

    def time(self) -> float:
        return self._now

    def run_in_executor(  # type: ignore[override]  # the parent's stub has a narrower TypeVarTuple form
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """As the parent's; time stands still until the thread has answered."""
        self._jobs += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._job_done)
        return future

    def ready(self, inner: selectors.BaseSelector) -> list[tuple[selectors.SelectorKey, int]]:
        """What became ready meanwhile."""
        return inner.select(0)

    def idle(self, inner: selectors.BaseSelector, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Nothing is ready: wait for threads, or let time go on by at most `timeout`; answer what became ready."""
        if timeout is None or self._jobs:
            return inner.select(None if timeout is None and not self._jobs else THREAD_WAIT)
        ahead = 0.0
        if self._speed is not None:
            ahead = (self._now + timeout) / self._speed - self._watch.elapsed()
        before = self._watch.elapsed()
        ready = inner.select(max(ahead, GRACE if timeout > SMALL else 0.0))
        if not ready:
            self._now += timeout
        elif self._speed is not None:
            self._now += min(timeout, (self._watch.elapsed() - before) * self._speed)
        return ready

    def _job_done(self, _: object) -> None:
        self._jobs -= 1


class AloneLoop(TimelapseLoop):
    """For a program that is alone with itself: it has no sockets, so nobody looks at any; and what it gives to threads
    is done at once. A day then costs what its callbacks cost."""

    def run_in_executor(  # type: ignore[override]  # as above
        self, _executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def ready(self, _inner: selectors.BaseSelector) -> list[tuple[selectors.SelectorKey, int]]:
        return []

    def idle(self, inner: selectors.BaseSelector, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().idle(inner, timeout)
        self._now += timeout
        return []


class _PatientSelector(selectors.BaseSelector):
    """The real selector, which asks the loop what to do when nothing is ready."""

    def __init__(self, loop: TimelapseLoop) -> None:
        self._loop = loop
        self._inner = selectors.SelectSelector()  # waits for microseconds; epoll and poll round up to milliseconds

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._loop.ready(self._inner)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        return self._loop.idle(self._inner, timeout)

    def register(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def close(self) -> None:
        self._inner.close()

    def get_key(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        return self._inner.get_key(fileobj)

    def get_map(self) -> Mapping[FileDescriptorLike, selectors.SelectorKey]:
        return self._inner.get_map()
