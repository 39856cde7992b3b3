"""The bench conducts: a Unix socket on which generators report and get their orders, a line of JSON each."""

import contextlib
import selectors
import socket
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from loadtest.ledger import Phase
from loadtest.phases import (
    LONGEST_LINE,
    Conductor,
    Failure,
    Happened,
    LineError,
    Order,
    OutageTimes,
    Report,
    Task,
    Timing,
    read_report,
    write,
)
from loadtest.stack.errors import EnvironmentFailed

SOCKET: Final = "conductor.sock"
_READ_BYTES: Final = 4096
"""A report has some 60 bytes, and a generator sends one a phase."""
_FOR_THE_BENCH: Final = frozenset({Task.BEGIN_OUTAGE, Task.HEAL_OUTAGE})


@dataclass(slots=True, kw_only=True, eq=False)
class _Caller:
    """A connection to a generator; its number is known from its first report on."""

    socket: socket.socket
    number: int | None = None
    unread: bytearray = field(default_factory=bytearray)


class Conducting:
    """Conducts the generators of one trial; `with` opens the socket, whose path must be short, and closes it.

    Entering raises EnvironmentFailed when the socket cannot be opened.
    """

    def __init__(
        self, address: Path, timing: Timing, generators: Collection[int], *, outage: OutageTimes | None = None
    ) -> None:
        """Nothing is open yet, and no generator needs to be there."""
        self._address = address
        self._generators = frozenset(generators)
        self._conductor = Conductor(timing, generators, outage=outage)
        self._callers: dict[int, _Caller] = {}
        self._opened = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opened:
            try:
                self._selector = opened.enter_context(selectors.DefaultSelector())
                self._server = opened.enter_context(socket.socket(socket.AF_UNIX))
                self._server.bind(str(self._address))
                self._server.listen()
                self._selector.register(self._server, selectors.EVENT_READ)
            except OSError as error:
                raise EnvironmentFailed(f"cannot listen to the generators at {self._address}: {error}") from error
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]  # a socket, each of them
        self._opened.close()

    @property
    def is_measured(self) -> bool:
        """Tell whether only what was dropped silently is left, or the trial cannot go on."""
        return self._conductor.is_measured

    @property
    def phase(self) -> Phase | None:
        """The phase that was begun last; None before the first."""
        return self._conductor.phase

    @property
    def failure(self) -> Failure | None:
        """Why the trial cannot go on; None while it can."""
        return self._conductor.failure

    def start(self) -> None:
        """Begin as soon as all generators are ready."""
        self._give(self._conductor.start(time.monotonic()))

    def turn(self, wait_s: float) -> list[Order]:
        """Wait for a report or for what is due, `wait_s` at most; pass orders on, and return those for the bench."""
        due_s = self._conductor.due_s
        until_due_s = wait_s if due_s is None else min(wait_s, max(0.0, due_s - time.monotonic()))
        orders = [order for report in self._reports(until_due_s) for order in self._told(report)]
        orders += self._conductor.tick(time.monotonic())
        return self._give(orders)

    def ended(self, generator: int) -> list[Order]:
        """Take in that a generator's process is gone."""
        return self._give(self._told(Report(generator=generator, happened=Happened.ENDED)))

    def let_go(self) -> None:
        """Have the generators let go of what they hold, and end."""
        self._give(self._conductor.let_go())

    def send(self, generator: int, order: Order) -> None:
        """Give an order to one generator; nothing happens when it is gone."""
        caller = self._callers.get(generator)
        if caller is not None:
            with contextlib.suppress(OSError):  # its end is noticed where its reports are read
                caller.socket.sendall(write(order))

    def _told(self, report: Report) -> list[Order]:
        return self._conductor.told(report, time.monotonic())

    def _give(self, orders: Iterable[Order]) -> list[Order]:
        """Send to every generator what is for them; return the rest."""
        own: list[Order] = []
        for order in orders:
            if order.task in _FOR_THE_BENCH:
                own.append(order)
            else:
                for generator in self._callers:
                    self.send(generator, order)
        return own

    def _reports(self, wait_s: float) -> list[Report]:
        reports: list[Report] = []
        for key, _ in self._selector.select(wait_s):
            if key.data is None:
                connection, _ = self._server.accept()
                self._selector.register(connection, selectors.EVENT_READ, _Caller(socket=connection))
            else:
                reports += self._heard(key.data)
        return reports

    def _heard(self, caller: _Caller) -> list[Report]:
        """Return what a generator has reported since the last time; its end is a report too."""
        try:
            data = caller.socket.recv(_READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self._hang_up(caller)
            return [] if caller.number is None else [Report(generator=caller.number, happened=Happened.ENDED)]
        caller.unread += data
        *lines, rest = bytes(caller.unread).split(b"\n")
        caller.unread = bytearray(rest)
        try:
            reports = [self._identified(read_report(line), caller) for line in lines]
            if len(rest) > LONGEST_LINE:
                raise LineError(f"a line of more than {LONGEST_LINE:,} bytes, which begins with {rest[:60]!r}")
        except LineError as error:
            self._hang_up(caller)
            self._conductor.garbled(caller.number, str(error))
            return []
        return reports

    def _identified(self, report: Report, caller: _Caller) -> Report:
        """Take in who calls; raises LineError where that is no generator of the trial, or is another one."""
        number = report.generator
        if number not in self._generators:
            raise LineError(f"a report of generator {number}, and this trial has none of that number")
        if self._callers.setdefault(number, caller) is not caller or caller.number not in (None, number):
            raise LineError(f"a report of generator {number} from a process that is not this one")
        caller.number = number
        return report

    def _hang_up(self, caller: _Caller) -> None:
        self._selector.unregister(caller.socket)
        caller.socket.close()
