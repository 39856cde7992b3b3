"""Clock: drives a conductor that is in this process, and ends Locust when the test cannot go on."""

import logging
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, Final

import gevent
from gevent.event import Event as Signal

from loadtest.phases import Conductor, Failure, Order, Report

BROKEN_OFF: Final = 4
"""Exit code of Locust where a generator was lost in the midst of what counts."""

log = logging.getLogger(__name__)


class Clock:
    """Tells a conductor what happens and what time it is, and gives its orders to `give`."""

    def __init__(self, conductor: Conductor, give: Callable[[Iterable[Order]], None], environment: Any) -> None:
        """Start the conductor; its test is that of Locust's `environment`."""
        self._conductor = conductor
        self._give = give
        self._environment = environment
        self._changed = Signal()
        self._give(conductor.start(monotonic()))
        self._greenlet = gevent.spawn(self._run)

    def told(self, report: Report) -> None:
        """Take a generator's report."""
        self._give(self._conductor.told(report, monotonic()))
        self._changed.set()

    def garbled(self, generator: int, said: str) -> None:
        """Take in that a generator sends what is no report."""
        self._conductor.garbled(generator, said)
        self._changed.set()

    def stop(self) -> None:
        """Conduct no more."""
        self._greenlet.kill(block=False)

    def _run(self) -> None:
        while not self._conductor.is_over:
            due_s = self._conductor.due_s
            self._changed.wait(None if due_s is None else max(0.0, due_s - monotonic()))
            self._changed.clear()
            self._give(self._conductor.tick(monotonic()))
        if self._conductor.failure is not None:
            _break_off(self._environment, self._conductor.failure)


def _break_off(environment: Any, failure: Failure) -> None:
    """End a test that cannot go on."""
    numbers = ", ".join(map(str, failure.generators))
    whats = {"ended": "ended too early", "stuck": "did not get any further", "garbled": f"sent {failure.said}"}
    log.error("the test was broken off: generator %s %s", numbers, whats[failure.why])
    environment.process_exit_code = BROKEN_OFF
    gevent.spawn(environment.runner.quit)
