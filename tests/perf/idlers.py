"""Memory of Locust's users with an idle connection each, whatever that connection is."""

from __future__ import annotations

from collections.abc import Callable

import gevent
from locust.env import Environment

from tests.perf.window import FIRST_IDLERS, PATIENCE_S, SETTLE_S, SPAWN_RATE, Task, resident_bytes


def memory_each(given: Task, environment: Environment, opened: Callable[[], int]) -> dict[str, float]:
    """Start the environment's users, few and then all; opened tells how many have their connection."""
    runner = environment.create_local_runner()
    for goal in (FIRST_IDLERS, given.connections):
        before = resident_bytes()
        runner.start(goal, spawn_rate=SPAWN_RATE)
        found = 0
        with gevent.Timeout(PATIENCE_S):
            while found < goal:
                gevent.sleep(0.05)
                found = opened()
        gevent.sleep(SETTLE_S)
    added = given.connections - FIRST_IDLERS
    return {"connections": found, "bytes_each": (resident_bytes() - before) / added}
