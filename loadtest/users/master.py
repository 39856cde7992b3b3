"""Locust's master: it has no users of its own, and conducts those of its workers."""

from collections.abc import Iterable
from typing import Any, Final

import gevent

from loadtest.ledger import Phase
from loadtest.load import Job
from loadtest.phases import Conductor, Happened, LineError, Order, Report, Task, read_report, write
from loadtest.users.clock import Clock
from loadtest.users.links import ending, timing_of
from loadtest.users.seating import Seating
from loadtest.users.worker import ORDER, REPORT

LOST_CHECK_S: Final = 1.0
"""How often the master looks for workers that are gone; Locust itself takes some seconds to miss one."""


class MasterConducting:
    """Conducts the tests of a master."""

    def __init__(self, environment: Any) -> None:
        """Listen to the workers' reports."""
        self._environment = environment
        self._numbers: dict[str, int] = {}
        self._clock: Clock | None = None
        self._looking: gevent.Greenlet | None = None
        environment.runner.register_message(REPORT, self._reported)

    def begin(self, job: Job) -> None:
        """Conduct the test that begins; raises OptionsError when there are too many workers."""
        runner = self._environment.runner
        seating = Seating.of(runner)
        self._numbers = seating.numbers
        seating.put_among(self._environment.parsed_options)
        conductor = Conductor(timing_of(self._environment, job), set(self._numbers.values()))
        self._clock = Clock(conductor, self._give, self._environment)
        self._looking = gevent.spawn(self._look_for_the_lost, self._clock)

    def end(self) -> None:
        """Conduct no more."""
        if self._clock is not None and self._looking is not None:
            self._clock.stop()
            self._looking.kill(block=False)
        self._clock = self._looking = None

    def _give(self, orders: Iterable[Order]) -> None:
        for order in orders:
            if order.task is Task.LET_GO:
                gevent.spawn(ending(self._environment))
            elif order.phase is Phase.STEADY:
                self._environment.stats.reset_all()
            self._environment.runner.send_message(ORDER, write(order).decode())

    def _reported(self, *, msg: Any, **_: Any) -> None:
        number = self._numbers.get(msg.node_id)
        if self._clock is None or number is None:
            return
        try:
            report = read_report(msg.data.encode())
            if report.generator != number:
                raise LineError(f"a report of generator {report.generator}")
        except LineError as error:
            self._clock.garbled(number, str(error))
        else:
            self._clock.told(report)

    def _look_for_the_lost(self, clock: Clock) -> None:
        while True:
            gevent.sleep(LOST_CHECK_S)
            clients = self._environment.runner.clients
            missing = {client.id for client in clients.missing}
            for worker, number in self._numbers.items():
                if worker not in clients or worker in missing:
                    clock.told(Report(generator=number, happened=Happened.ENDED))
