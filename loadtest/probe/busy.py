"""Busy time: how long the event loop, and the thread that sync consumers share, have been at work so far.

The loop is at work whenever it does not wait in its selector for something to happen. A loop that has no such selector
(uvloop's) is at work as long as its thread uses a processor: a handler that sleeps in it does not show there.
The thread is at work from taking up a call to its end, so one that sleeps or waits for the loop counts as busy.
"""

import asyncio
import time
from collections.abc import Callable
from time import monotonic_ns
from typing import Any

from asgiref.sync import SyncToAsync

from loadtest.ledger import Event, Recorder
from loadtest.ledger.record import BusyBy
from loadtest.probe.recording import NO_CONNECTION

RECORD_S = 0.1
"""Between two records of each; the reader draws straight lines between them, and a window is of seconds."""

Stop = Callable[[], None]
"""Ends it."""
BusyNs = Callable[[], int]
"""Tells the time at work so far, in ns; it never falls."""


def watch_busy(loop: asyncio.AbstractEventLoop, ledger: Recorder) -> Stop:
    """Record both until the returned function is called, or as long as the loop runs; to be called in its thread."""
    loop_busy_ns, by = _of_loop(loop)
    thread_busy_ns = _of_sync_thread()
    due: asyncio.TimerHandle | None = None

    def tick() -> None:
        nonlocal due
        ledger.record(Event.LOOP_BUSY, NO_CONNECTION, code=by, value=loop_busy_ns())
        if thread_busy_ns is not None:
            ledger.record(Event.SYNC_THREAD_BUSY, NO_CONNECTION, value=thread_busy_ns())
        due = loop.call_later(RECORD_S, tick)

    def stop() -> None:
        if due is not None:
            due.cancel()
        _stop_timing(getattr(loop, "_selector", None), "select")
        _stop_timing(getattr(SyncToAsync, "single_thread_executor", None), "submit")

    tick()
    return stop


def _stop_timing(timed: Any, method: str) -> None:
    """Give an object the method of its class again."""
    if hasattr(timed, "__dict__"):
        vars(timed).pop(method, None)


def _of_loop(loop: asyncio.AbstractEventLoop) -> tuple[BusyNs, BusyBy]:
    selector = getattr(loop, "_selector", None)
    if hasattr(selector, "select"):
        return _not_in_select(selector), BusyBy.SELECT
    return time.thread_time_ns, BusyBy.CPU


def _not_in_select(selector: Any) -> BusyNs:
    select = selector.select
    began_ns = monotonic_ns()
    waited_ns = 0

    def timed(timeout: float | None = None) -> Any:
        nonlocal waited_ns
        if timeout is not None and timeout <= 0:
            return select(timeout)  # it has work, and only looks whether there is more
        since_ns = monotonic_ns()
        try:
            return select(timeout)
        finally:
            waited_ns += monotonic_ns() - since_ns

    selector.select = timed
    return lambda: monotonic_ns() - began_ns - waited_ns


def _of_sync_thread() -> BusyNs | None:
    """Time each call that is handed to the thread; None where asgiref keeps it in another place than it does now."""
    executor = getattr(SyncToAsync, "single_thread_executor", None)
    if executor is None:
        return None
    submit = executor.submit
    at_work: tuple[int, int] = (0, 0)
    """In calls that have ended, and since when in one, 0 for none: replaced as one, because another thread reads it."""

    def timed(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        nonlocal at_work
        ended_ns, since_ns = at_work[0], monotonic_ns()
        at_work = ended_ns, since_ns
        try:
            return function(*arguments, **named)
        finally:
            at_work = ended_ns + monotonic_ns() - since_ns, 0

    def submit_timed(function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        return submit(timed, function, *arguments, **named)

    def busy_ns() -> int:
        ended_ns, since_ns = at_work
        return ended_ns + (monotonic_ns() - since_ns if since_ns else 0)

    executor.submit = submit_timed
    return busy_ns
