"""A call that hangs holds up nobody's end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from allthepoints.base.threads import OneByOne, Unawaited


def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_default_executor(Unawaited())
    return loop


def test_results_and_errors_come_back() -> None:
    loop = _loop()
    try:
        assert loop.run_until_complete(loop.run_in_executor(None, divmod, 7, 2)) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            loop.run_until_complete(loop.run_in_executor(None, divmod, 7, 0))
    finally:
        loop.close()


def test_the_end_waits_for_no_call() -> None:
    """Else this test would never end: the call does so only after the loop is shut down."""
    let_go = threading.Event()
    loop = _loop()
    try:
        hanging = loop.run_in_executor(None, let_go.wait)
        loop.run_until_complete(loop.shutdown_default_executor())
        threads = [thread for thread in threading.enumerate() if thread.name == "unawaited"]
        assert all(thread.daemon for thread in threads), "nor does the interpreter"
        assert threads
        hanging.cancel()
    finally:
        loop.close()
        let_go.set()
        for thread in threads:
            thread.join()


def test_one_by_one_they_are_done_in_order_and_the_thread_ends() -> None:
    done: list[int] = []
    threads = OneByOne("turns")
    first = threads.submit(threading.current_thread)
    futures = [threads.submit(done.append, n) for n in range(50)]
    with pytest.raises(ZeroDivisionError):
        threads.submit(divmod, 7, 0).result(10)
    threads.shutdown()
    assert all(future.done() for future in futures)
    assert done == [*range(50)]
    assert not first.result().is_alive()


def test_one_by_one_the_interpreters_end_waits_for_none() -> None:
    let_go = threading.Event()
    threads = OneByOne("turns")
    hanging = threads.submit(let_go.wait)
    threads.shutdown(wait=False)
    thread = next(thread for thread in threading.enumerate() if thread.name == "turns")
    assert thread.daemon
    assert not hanging.done()
    let_go.set()
    thread.join()
