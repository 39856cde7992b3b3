"""An outage in a trial: brought about and healed in its steady window, and healed at the trial's end in any case."""

import signal
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from loadtest.bench.conductor import Conducting
from loadtest.outages import Outage, Subject
from loadtest.phases import Order, OutageTimes, Task
from loadtest.stack.process import Process


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """Processes of ours: the powers of an outage over a server, or over a generator that does not end by it."""

    processes: tuple[Process, ...]

    def signal(self, number: signal.Signals) -> None:
        """Send it to all of them, and to what they started."""
        for process in self.processes:
            process.signal(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingGenerator:
    """A generator that ends by the outage, and before that records which connections end with it."""

    conducting: Conducting
    generator: int
    outage: str

    def signal(self, number: signal.Signals) -> None:
        """Have it send the signal to itself."""
        self.conducting.send(self.generator, Order(task=Task.DIE, name=self.outage, value=number))


class Injected:
    """An outage and what fails by it; `with` heals it, however the trial ends. Without an outage nothing happens."""

    def __init__(self, outage: Outage | None, subject: Subject | None) -> None:
        """Nothing fails yet."""
        self._outage = outage
        self._subject = subject
        self.has_begun = False
        self.is_under_way = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.heal()

    @property
    def state(self) -> tuple[bool, bool]:
        """What changes whenever it is begun or healed."""
        return self.has_begun, self.is_under_way

    @property
    def stops_broker(self) -> bool:
        """Tell whether the broker cannot answer now, and is not to."""
        return self.is_under_way and self._outage is not None and self._outage.of == "broker"

    def carry_out(self, order: Order) -> None:
        """Begin or heal, as the conductor orders."""
        if order.task is Task.BEGIN_OUTAGE:
            self.begin()
        else:
            self.heal()

    def begin(self) -> None:
        """Bring the outage about."""
        if self._outage is not None and self._subject is not None:
            self.has_begun = self.is_under_way = True  # before it has: Ctrl-C may come between the two
            self._outage.begin(self._subject)

    def heal(self) -> None:
        """End the outage, if it has begun and has not been healed."""
        if self._outage is not None and self._subject is not None and self.is_under_way:
            self._outage.heal(self._subject)
            self.is_under_way = False


def times_of(outage: Outage | None, steady_s: float, *, kills: int | None) -> OutageTimes | None:
    """Return when an outage begins and ends in a steady window of that length, and which generator it ends: `kills`."""
    if outage is None:
        return None
    heal_s = outage.heals_s(steady_s) if outage.heals_s else None
    return OutageTimes(begin_s=outage.begins_s(steady_s), heal_s=heal_s, kills=kills if outage.ends_process else None)
