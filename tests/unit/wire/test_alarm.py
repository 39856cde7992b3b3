"""The alarm that wakes sleeping greenlets: in order, never early, nobody who has gone, and in each process its own."""

from __future__ import annotations

import subprocess
import sys
from time import monotonic_ns

import gevent
import pytest

from loadtest.wire import alarm, sleep
from loadtest.wire.alarm import alarm_of_this_hub

MS = 0.001
FORKING = """
import os, gevent, gevent.os
from loadtest.wire import sleep
sleep(0.001)
child = gevent.fork()
gevent.joinall([gevent.spawn(sleep, 0.005) for _ in range(3)], raise_error=True)
if child:
    gevent.os.waitpid(child, 0)  # gevent may have reaped it already
    sleep(0.001)
    print("both woke")
else:
    os._exit(0)
"""


def test_sleep_when_several_sleep_then_they_wake_in_the_order_of_their_times() -> None:
    woken: list[int] = []

    def sleeper(milliseconds: int) -> None:
        sleep(milliseconds * MS)
        woken.append(milliseconds)

    gevent.joinall([gevent.spawn(sleeper, milliseconds) for milliseconds in (7, 1, 5, 3, 1)])
    assert woken == [1, 1, 3, 5, 7]


def test_sleep_when_it_returns_then_its_time_has_come() -> None:
    for milliseconds in (0.05, 0.3, 1.0, 2.5):
        started_ns = monotonic_ns()
        sleep(milliseconds * MS)
        assert monotonic_ns() - started_ns >= milliseconds * 1e6


def test_sleep_when_who_comes_later_sleeps_less_then_it_wakes_first() -> None:
    long = gevent.spawn(sleep, 60)
    gevent.sleep(0)
    sleep(1 * MS)
    assert not long.dead
    long.kill()


def test_sleep_when_a_sleeper_is_killed_then_the_others_wake() -> None:
    gone, other = gevent.spawn(sleep, 2 * MS), gevent.spawn(sleep, 3 * MS)
    gevent.sleep(0)
    gone.kill()
    other.join()
    assert other.successful()


def test_sleep_when_all_have_woken_then_the_hub_has_nothing_to_wait_for() -> None:
    program = "import gevent; from loadtest.wire import sleep; sleep(0.001); print(gevent.get_hub().join(timeout=60))"
    assert _printed(program) == "True"


def test_sleep_when_the_process_has_forked_then_both_wake() -> None:
    assert _printed(FORKING) == "both woke"


def test_sleep_when_the_kernel_has_no_such_timer_then_it_sleeps_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm, "_create", None)
    assert alarm_of_this_hub() is None
    started_ns = monotonic_ns()
    sleep(1 * MS)
    assert monotonic_ns() - started_ns >= 1e6


def _printed(program: str) -> str:
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert run.stderr == ""
    return run.stdout.strip()
