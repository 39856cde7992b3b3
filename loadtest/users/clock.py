"""Clock: drives a conductor that is in this process, and ends Locust when the test cannot go on."""

import logging
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, Final
from weakref import WeakKeyDictionary

import gevent
from gevent.event import Event as Signal

from loadtest.ledger import Phase
from loadtest.phases import Conductor, Failure, Order, Report, Task
from loadtest.users.links import ending
from loadtest.users.stages import Stage, stage_of

BROKEN_OFF: Final = 4
"""Exit code of Locust where a generator was lost in the midst of what counts."""

log = logging.getLogger(__name__)
_clocks: "WeakKeyDictionary[Any, Clock]" = WeakKeyDictionary()


def clock_of(environment: Any) -> "Clock | None":
    """Return the clock of the running test of Locust's `environment`, where the conductor is in this process."""
    return _clocks.get(environment)


class Clock:
    """Tells a conductor what happens and what time it is, and gives its orders to `give`."""

    def __init__(self, conductor: Conductor, give: Callable[[Iterable[Order]], None], environment: Any) -> None:
        """Start the conductor; its test is that of Locust's `environment`."""
        self._conductor = conductor
        self._give = give
        self._environment = environment
        self._changed = Signal()
        self._stage = stage_of(environment)
        self._pass_on(conductor.start(monotonic()))
        self._greenlet = gevent.spawn(self._run)
        _clocks[environment] = self

    def told(self, report: Report) -> None:
        """Take a generator's report."""
        self._pass_on(self._conductor.told(report, monotonic()))
        self._changed.set()

    def garbled(self, generator: int, said: str) -> None:
        """Take in that a generator sends what is no report."""
        self._conductor.garbled(generator, said)
        self._changed.set()

    def finish(self) -> bool:
        """End the part that counts now; tell whether it was under way."""
        orders = self._conductor.finish(monotonic())
        self._pass_on(orders)
        self._changed.set()
        return bool(orders)

    @property
    def counts(self) -> bool:
        """Tell whether the test is in the part that counts."""
        return self._conductor.phase is Phase.STEADY and not self._conductor.is_over

    def drop_now(self, kind: str, share: float) -> bool:
        """Have that share of the members dropped at once; False, and nothing happens, where it would not count."""
        counts = self.counts
        if counts:
            self._give([Order(task=Task.DROP_NOW, name=kind, value=round(share * 1000))])
        return counts

    @property
    def is_ending(self) -> bool:
        """Tell whether the part that counts is over, and the test is not."""
        phase = self._conductor.phase
        return phase is not None and phase > Phase.STEADY

    def stop(self) -> None:
        """Conduct no more."""
        _clocks.pop(self._environment, None)
        self._greenlet.kill(block=False)

    def _pass_on(self, orders: Iterable[Order]) -> None:
        if self._stage is not None and self._conductor.is_measured and self._conductor.failure is None:
            stage, self._stage = self._stage, None
            gevent.spawn(self._have_audited, stage)  # before an order that ends the test: it is told first
        self._give(orders)

    def _have_audited(self, stage: Stage) -> None:
        stage.measured()
        self._give(self._conductor.let_go())
        self._changed.set()

    def _run(self) -> None:
        while not self._conductor.is_over:
            due_s = self._conductor.due_s
            self._changed.wait(None if due_s is None else max(0.0, due_s - monotonic()))
            self._changed.clear()
            self._pass_on(self._conductor.tick(monotonic()))
        if self._conductor.failure is not None:
            _break_off(self._environment, self._conductor.failure)


def _break_off(environment: Any, failure: Failure) -> None:
    """End a test that cannot go on."""
    numbers = ", ".join(map(str, failure.generators))
    whats = {"ended": "ended too early", "stuck": "did not get any further", "garbled": f"sent {failure.said}"}
    log.error("the test was broken off: generator %s %s", numbers, whats[failure.why])
    environment.process_exit_code = BROKEN_OFF
    gevent.spawn(ending(environment))
