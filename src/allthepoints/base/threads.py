"""Threads for calls that may hang (a resolver that nobody answers), and for which the end of the program does not wait.

asyncio gives such calls to its default executor, and that one is joined when the loop closes and once more when the
interpreter ends: a name that takes 20 s not to be found would hold up a stop for as long.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
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


def _work(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
