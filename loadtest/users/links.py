"""Links: how the conductor's orders reach the users of this process, and their reports the conductor.

Alone, the conductor is in this process. Under the bench it is the bench, behind a Unix socket. With several processes
of Locust's own it is in the master, and Locust's messages carry orders and reports.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, Protocol, Self

import gevent
from gevent import socket
from gevent.event import Event

from loadtest.ledger import Phase
from loadtest.load import Job
from loadtest.load.fields import MOST_GENERATORS
from loadtest.phases import (
    Conductor,
    Failure,
    Happened,
    Order,
    Report,
    Task,
    Timing,
    read_order,
    read_report,
    write,
)
from loadtest.users.options import OptionsError
from loadtest.users.player import Player
from loadtest.users.session import Session

REPORT: Final = "loadtest report"
ORDER: Final = "loadtest order"
"""The types of Locust's messages that carry one line each."""
SEATING: Final = "loadtest_seating"
"""Where the master's Seating stands among the parsed options, which Locust gives to each worker with a test's start."""
LOST_CHECK_S: Final = 1.0
"""How often the master looks for workers that are gone; Locust itself takes some seconds to miss one."""

BROKEN_OFF: Final = 4
"""Exit code of Locust where a generator was lost in the midst of what counts."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """This process's place among the generators of a test, and how many users all of them have (0: not known)."""

    generator: int = 1
    generators: int = 1
    users: int = 0


class Link(Protocol):
    """What connects the users of this process with a conductor."""

    def seat(self) -> Seat:
        """Return this process's place in the test that begins; raises OptionsError when it has none."""

    def begin(self, session: Session) -> None:
        """Have the session's part played from now on, until the session is closed."""


class _Clock:
    """Drives a conductor that is in this process."""

    def __init__(
        self, conductor: Conductor, give: Callable[[Iterable[Order]], None], fail: Callable[[Failure], None]
    ) -> None:
        self._conductor = conductor
        self._give = give
        self._fail = fail
        self._changed = Event()
        self._give(conductor.start(monotonic()))
        self._greenlet = gevent.spawn(self._run)

    def told(self, report: Report) -> None:
        self._give(self._conductor.told(report, monotonic()))
        self._changed.set()

    def stop(self) -> None:
        self._greenlet.kill(block=False)

    def _run(self) -> None:
        while not self._conductor.is_over:
            due_s = self._conductor.due_s
            self._changed.wait(None if due_s is None else max(0.0, due_s - monotonic()))
            self._changed.clear()
            self._give(self._conductor.tick(monotonic()))
        if self._conductor.failure is not None:
            self._fail(self._conductor.failure)


class AloneLink:
    """One process of Locust, without a bench: the conductor is here."""

    def seat(self) -> Seat:
        """Return the only place there is."""
        return Seat()

    def begin(self, session: Session) -> None:
        """Conduct the session."""
        seat = self.seat()
        player = Player(session, lambda happened, held: clock.told(_report(seat, happened, held)), _quit(session))

        def give(orders: Iterable[Order]) -> None:
            for order in orders:
                player.obey(order)

        conductor = Conductor(Timing.of(session.load), {seat.generator})
        clock = _Clock(conductor, give, lambda failure: _break_off(session.environment, failure))
        session.at_end(clock.stop)
        clock.told(_report(seat, Happened.READY))


class BenchLink:
    """A generator of the bench: orders and reports are lines on the bench's socket."""

    def __init__(self, job: Job) -> None:
        """Connect, report that this generator is ready, and wait for the first order; OSError without a bench."""
        self._seat = Seat(generator=job.generator, generators=job.generators)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(job.conductor)
        self._lines = self._socket.makefile("rb")
        self._tell(Happened.READY, 0)
        self._first = self._lines.readline()

    def seat(self) -> Seat:
        """Return the place that the job names."""
        return self._seat

    def begin(self, session: Session) -> None:
        """Play the session's part, and end it when the bench is gone."""
        end = _quit(session)
        player = Player(session, self._tell, end)

        def listen() -> None:
            line = self._first
            while line:
                player.obey(read_order(line))
                line = self._lines.readline()
            end()

        gevent.spawn(listen)

    def _tell(self, happened: Happened, held: int) -> None:
        self._socket.sendall(write(_report(self._seat, happened, held)))


class WorkerLink:
    """A worker of Locust's: the conductor is in the master."""

    def __init__(self, environment: Any) -> None:
        """Listen to the master's orders."""
        self._environment = environment
        self._player: Player | None = None
        environment.runner.register_message(ORDER, self._ordered)

    def seat(self) -> Seat:
        """Return the place that the master has given to this worker."""
        return Seating.among(vars(self._environment.parsed_options)).seat_of(self._environment.runner.client_id)

    def begin(self, session: Session) -> None:
        """Play the session's part as the master orders."""
        seat = self.seat()

        def tell(happened: Happened, held: int = 0) -> None:
            line = write(_report(seat, happened, held)).decode()
            self._environment.runner.send_message(REPORT, line)

        self._player = Player(session, tell, end=lambda: None)  # the master ends the test
        session.at_end(self._leave)
        tell(Happened.READY)

    def _ordered(self, *, msg: Any, **_: Any) -> None:
        if self._player is not None:
            self._player.obey(read_order(msg.data.encode()))

    def _leave(self) -> None:
        self._player = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seating:
    """Which worker is which generator, by the ids that Locust gives them."""

    numbers: dict[str, int]
    users: int

    @classmethod
    def of(cls, runner: Any) -> Self:
        """Number the workers that are there now from 1, in the order in which they joined."""
        there = runner.clients.ready + runner.clients.running + runner.clients.spawning
        joined = sorted(there, key=lambda worker: runner.get_worker_index(worker.id))
        if len(joined) > MOST_GENERATORS:
            raise OptionsError(f"there are {len(joined)} workers; use {MOST_GENERATORS} at most")
        numbers = {worker.id: number for number, worker in enumerate(joined, 1)}
        return cls(numbers=numbers, users=runner.target_user_count)

    @classmethod
    def among(cls, options: dict[str, Any]) -> Self:
        """Return what the master has put among the options."""
        return cls(**options.get(SEATING, {"numbers": {}, "users": 0}))

    def seat_of(self, worker: str) -> Seat:
        """Return a worker's place; raises OptionsError when it has none."""
        number = self.numbers.get(worker)
        if number is None:
            raise OptionsError("this worker joined after the test had begun; stop the test and start it again")
        return Seat(generator=number, generators=len(self.numbers), users=self.users)


class MasterConducting:
    """Locust's master: it has no users, and conducts those of its workers."""

    def __init__(self, environment: Any) -> None:
        """Listen to the workers' reports."""
        self._environment = environment
        self._numbers: dict[str, int] = {}
        self._clock: _Clock | None = None
        self._looking: gevent.Greenlet | None = None
        environment.runner.register_message(REPORT, self._reported)

    def begin(self, job: Job) -> None:
        """Conduct the test that begins; raises OptionsError when there are too many workers."""
        runner = self._environment.runner
        seating = Seating.of(runner)
        self._numbers = seating.numbers
        # Locust sends all parsed options that are not its own to the workers, before their test starts
        setattr(self._environment.parsed_options, SEATING, {"numbers": seating.numbers, "users": seating.users})
        conductor = Conductor(Timing.of(job), set(self._numbers.values()))
        self._clock = _Clock(conductor, self._give, lambda failure: _break_off(self._environment, failure))
        self._looking = gevent.spawn(self._look_for_the_lost, conductor)

    def end(self) -> None:
        """Conduct no more."""
        if self._clock is not None and self._looking is not None:
            self._clock.stop()
            self._looking.kill(block=False)
        self._clock = self._looking = None

    def _give(self, orders: Iterable[Order]) -> None:
        for order in orders:
            if order.task is Task.LET_GO:
                gevent.spawn(self._environment.runner.quit)
            elif order.phase is Phase.STEADY:
                self._environment.stats.reset_all()
            self._environment.runner.send_message(ORDER, write(order).decode())

    def _reported(self, *, msg: Any, **_: Any) -> None:
        if self._clock is not None and msg.node_id in self._numbers:
            self._clock.told(read_report(msg.data.encode()))

    def _look_for_the_lost(self, conductor: Conductor) -> None:
        while not conductor.is_over and self._clock is not None:
            gevent.sleep(LOST_CHECK_S)
            clients = self._environment.runner.clients
            missing = {client.id for client in clients.missing}
            for worker, number in self._numbers.items():
                if worker not in clients or worker in missing:
                    self._clock.told(Report(generator=number, happened=Happened.ENDED))


def _report(seat: Seat, happened: Happened, held: int = 0) -> Report:
    return Report(generator=seat.generator, happened=happened, held=held)


def _break_off(environment: Any, failure: Failure) -> None:
    """End a test that cannot go on."""
    numbers = ", ".join(map(str, failure.generators))
    what = "ended too early" if failure.why == "ended" else "did not get any further"
    log.error("the test was broken off: generator %s %s", numbers, what)
    environment.process_exit_code = BROKEN_OFF
    gevent.spawn(environment.runner.quit)


def _quit(session: Session) -> Callable[[], None]:
    def end() -> None:
        session.environment.runner.quit()

    return end
