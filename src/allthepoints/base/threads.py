"""Threads for calls that may hang (a resolver that nobody answers, a database that somebody holds locked), and for
which the end of the program does not wait.

asyncio gives such calls to its default executor, and that one is joined when the loop closes and once more when the
interpreter ends, as every thread of the standard library's executors is: a name that takes 20 s not to be found would
hold up a stop for as long.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Thread
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Unawaited(ThreadPoolExecutor):
    """Each call has a daemon thread of its own. A loop takes only a ThreadPoolExecutor as its default."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        Thread(target=_work, args=(future, lambda: fn(*args, **kwargs)), name="unawaited", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Whatever still hangs, hangs alone."""


class OneByOne(Executor):
    """One daemon thread, which does the calls in the order in which they came."""

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        self._calls.put(lambda: _work(future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 -- the parent's
        """Let the thread go once it has done what it was given. No call may follow."""
        self._calls.put(None)
        if wait:
            self._thread.join()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def _work(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
