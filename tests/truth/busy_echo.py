"""Echo, from a generator that is kept busy: greenlets of the same process compute for half of the time."""

from time import perf_counter
from typing import Any

import gevent
from locust import events

from locustfiles.echo import EchoUser

__all__ = ["EchoUser"]

COMPUTING_S = 0.002
PAUSE_S = 0.002


@events.test_start.add_listener
def keep_busy(environment: Any, **_: Any) -> None:
    """Compute from the test's beginning to its end."""
    gevent.spawn(_compute)


def _compute() -> None:
    while True:
        until = perf_counter() + COMPUTING_S
        while perf_counter() < until:
            pass
        gevent.sleep(PAUSE_S)
