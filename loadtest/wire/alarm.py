"""An alarm: wakes greenlets at their times to within some 0.1 ms, by one timer of the kernel for all of them.

libev's own timers wait in epoll, which counts whole milliseconds: 0.6 ms late in the middle, 1.1 ms at p90. What is
sent late is charged to the server, for latency counts from the planned time. A timerfd (timerfd_create(2)) has no such
grid: 0.05 ms late in the middle.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from time import CLOCK_MONOTONIC, monotonic_ns
from typing import Any, Final

from gevent import get_hub

READABLE: Final = 1  # libev's EV_READ
ABSOLUTE: Final = 1  # TFD_TIMER_ABSTIME
APART_NS: Final = 200_000
"""It rings at most 5,000 times a second, for a ring costs as much as a message: many senders are woken together then,
0.1 ms late in the middle. Where there are few, none is late by it."""
GONE: Final = -1
NEVER_NS: Final = 2**62
"""146 years after the start of the machine."""
_NS: Final = 1_000_000_000

Waiting = list[Any]
"""When; a number, so that equals need not be compared further; and whom to call, None when nobody waits any more."""


class _Specification(ctypes.Structure):
    """struct itimerspec: the interval, which stays 0, and the time; each in seconds and nanoseconds."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("s", ctypes.c_long),
        ("ns", ctypes.c_long),
    )


class Alarm:
    """The alarm of one hub."""

    def __init__(self, loop: Any) -> None:
        """Make the kernel's timer; OSError where it cannot."""
        self._fd = _create(CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "could not make a timer of the kernel; raise the limit of open files")
        self._specification = _Specification()
        self._by_reference = ctypes.byref(self._specification)
        self._waiting: list[Waiting] = []
        self._numbers = count()
        self._set_for_ns = NEVER_NS
        self._rung_ns = 0
        self._watcher = loop.io(self._fd, READABLE, ref=False)
        self._watcher.start(self._ring)

    def at(self, due_ns: int, wake: Callable[[Waiting], object]) -> Waiting:
        """Call `wake` on the hub at that time, CLOCK_MONOTONIC, with what this returns and `cancel` takes.

        `wake` must not raise, as a greenlet's `switch` does not: gevent would stop the alarm.
        """
        waiting = [due_ns, next(self._numbers), wake]
        if not self._waiting:
            self._watcher.ref = True  # or the hub would think that nothing is left to wait for
        heappush(self._waiting, waiting)
        if due_ns < self._set_for_ns:
            self._set(due_ns)
        return waiting

    def cancel(self, waiting: Waiting) -> None:
        """Call nobody."""
        waiting[2] = None

    def let_go(self) -> None:
        """Ring no more."""
        self._watcher.stop()
        os.close(self._fd)
        self._fd = GONE

    def _ring(self) -> None:
        """Call all who are due, also those who become due meanwhile."""
        waiting = self._waiting
        self._rung_ns = monotonic_ns()
        self._set_for_ns = 0  # it is set again below, for whoever is the first then
        while waiting and (waiting[0][0] <= monotonic_ns() or waiting[0][2] is None):
            due = heappop(waiting)
            if due[2] is not None:
                due[2](due)
        self._set(waiting[0][0] if waiting else NEVER_NS)
        self._watcher.ref = bool(waiting)

    def _set(self, due_ns: int) -> None:
        """Have it ring then, though not too soon after the last ring. This also ends the ring: nothing is read."""
        due_ns = max(due_ns, self._rung_ns + APART_NS)
        if due_ns == self._set_for_ns or self._fd == GONE:  # a greenlet that it has woken may have forked
            return
        self._set_for_ns = due_ns
        self._specification.s, self._specification.ns = divmod(due_ns, _NS)
        if _set_time(self._fd, ABSOLUTE, self._by_reference, None):
            raise OSError(ctypes.get_errno(), "could not set a timer of the kernel")


def alarm_of_this_hub() -> Alarm | None:
    """Return the alarm of this thread's hub; None where the kernel has no such timers."""
    if _create is None:
        return None
    hub = get_hub()
    alarm = _alarms.get(hub)
    if alarm is None:
        alarm = _alarms[hub] = Alarm(hub.loop)
    return alarm


def _forget_all() -> None:
    """Let go of what a parent process uses too: it is one timer in both."""
    for alarm in _alarms.values():
        alarm.let_go()
    _alarms.clear()


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_create: Any = getattr(_libc, "timerfd_create", None)
_set_time: Any = getattr(_libc, "timerfd_settime", None)
_alarms: dict[Any, Alarm] = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
