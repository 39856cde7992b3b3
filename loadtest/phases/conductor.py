"""Conductor: takes the generators of a test through its phases, all of them at the same time.

It knows no clock, no file and no process: it is told what has happened and what time it is, and answers with orders.
Each call returns the orders that every generator that is still there gets, in this order.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from loadtest.ledger import Phase
from loadtest.phases.messages import Happened, Order, Report, Task
from loadtest.phases.timing import Timing

_AWAITED: Final = {
    None: Happened.READY,
    Phase.RAMP: Happened.OPEN,
    Phase.RECOVER: Happened.BACK,
    Phase.DRAIN: Happened.QUIET,
    Phase.CLOSE: Happened.CLOSED,
}
"""What every generator has to report before the next phase begins; the other phases last as long as planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageTimes:
    """When in the steady window an outage begins and is healed, in seconds from its beginning."""

    begin_s: float
    heal_s: float | None = None
    """None: there is nothing to heal."""
    kills: int | None = None
    """The number of the generator that it ends, if it ends one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why the test cannot go on: what these generators did, and in which phase."""

    generators: tuple[int, ...]
    """Empty where it is not known which one it was."""
    why: Literal["ended", "stuck", "garbled"]
    """Ended too early, did not do in time what they had to, or sent something that is no report of theirs."""
    phase: Phase | None
    said: str = ""
    """What is wrong with what was sent."""


class Conductor:
    """One test. `start` it, then tell it what happens and, at `due_s` at the latest, the time."""

    def __init__(self, timing: Timing, generators: Collection[int], *, outage: OutageTimes | None = None) -> None:
        """Expect these generators to report that they are ready."""
        self._timing = timing
        self._there = set(generators)
        self._outage = outage
        self._outage_is: Literal["to come", "under way", "over"] = "to come"
        self._done: set[int] = set()
        self._held = 0
        self._began_s = 0.0
        self._has_let_go = False
        self.phase: Phase | None = None
        """The phase that was begun last; None before the ramp."""
        self.failure: Failure | None = None
        self.is_dropping = False

    @property
    def is_measured(self) -> bool:
        """Tell whether everything has ended but the connections that were dropped silently."""
        return self.phase is Phase.END or self.is_over

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more is to come: the generators are let go, or all are gone, or the test has failed."""
        return self._has_let_go or self.failure is not None or not self._there

    @property
    def due_s(self) -> float | None:
        """The time at which `tick` has something to do if nothing else happens before; None: nothing ever."""
        if self.is_over:
            return None
        dues = [due for due in (self._deadline_s(), self._outage_due_s()) if due is not None]
        return min(dues, default=None)

    def start(self, now_s: float) -> list[Order]:
        """Begin to wait for the generators."""
        self._began_s = now_s
        return []

    def told(self, report: Report, now_s: float) -> list[Order]:
        """Take a generator's report; one that is not awaited (any more) changes nothing."""
        if self.is_over or report.generator not in self._there:
            return []
        if report.happened is Happened.ENDED:
            return self._without(report.generator, now_s)
        if report.happened is not self._awaited() or report.generator in self._done:
            return []
        self._done.add(report.generator)
        self._held += report.held
        return self._next_phase(now_s) if self._done >= self._there else []

    def garbled(self, generator: int | None, said: str) -> None:
        """Take in that a generator sends what is no report: the test has failed. None: it is not known which one."""
        if not self.is_over:
            self._fail("garbled", set() if generator is None else {generator}, said)

    def tick(self, now_s: float) -> list[Order]:
        """Do what is due."""
        orders: list[Order] = []
        while (due_s := self.due_s) is not None and due_s <= now_s:
            if due_s == self._outage_due_s():
                orders += self._turn_outage()
            else:
                orders += self._deadline_passed(now_s)
        return orders

    def let_go(self) -> list[Order]:
        """Everything has been measured: nothing needs to be held any longer."""
        if self.is_over:
            return []
        self._has_let_go = True
        return [Order(task=Task.LET_GO)]

    def finish(self, now_s: float) -> list[Order]:
        """End the part that counts now, as if its time were over; nothing happens in any other part."""
        return self._next_phase(now_s) if self.phase is Phase.STEADY and not self.is_over else []

    def _awaited(self) -> Happened | None:
        return _AWAITED.get(self.phase) if not self.is_dropping else None

    def _deadline_s(self) -> float | None:
        lasts_s = self._lasts_s()
        return None if lasts_s is None else self._began_s + lasts_s

    def _lasts_s(self) -> float | None:
        """Return how long the phase may last; None: until somebody stops the test."""
        timing = self._timing
        match self.phase:
            case None:
                return timing.startup_s
            case Phase.RAMP:
                return None if self.is_dropping else timing.ramp_s
            case Phase.WARM_UP:
                return timing.warm_up_s
            case Phase.STEADY:
                return timing.steady_s
            case Phase.RECOVER:
                return timing.recover_s
            case Phase.DRAIN:
                return timing.drain_s
            case Phase.CLOSE:
                return timing.closing_s
            case Phase.END:
                return None

    def _deadline_passed(self, now_s: float) -> list[Order]:
        match self.phase:
            case None | Phase.CLOSE:
                self._fail("stuck", self._there - self._done)
                return []
            case _:
                return self._next_phase(now_s)

    def _without(self, generator: int, now_s: float) -> list[Order]:
        """Go on without a generator that was to be killed, or where nothing counts; else the test has failed."""
        killed = self._outage is not None and self._outage.kills == generator and self._outage_is != "to come"
        if not killed and self._timing.steady_s:
            self._fail("ended", {generator})
            return []
        self._there.discard(generator)
        self._done.discard(generator)
        if self._there and self._awaited() and self._done >= self._there:
            return self._next_phase(now_s)
        return []

    def _fail(self, why: Literal["ended", "stuck", "garbled"], generators: set[int], said: str = "") -> None:
        self.failure = Failure(generators=tuple(sorted(generators)), why=why, phase=self.phase, said=said)

    def _next_phase(self, now_s: float) -> list[Order]:
        was_quiet = self._done >= self._there
        self._done.clear()
        self._began_s = now_s
        match self.phase:
            case None:
                return self._begin(Phase.RAMP)
            case Phase.RAMP if not self._timing.steady_s:
                return self._drop()
            case Phase.RAMP:  # as many members are away when the steady window begins as when it ends
                return self._begin(Phase.WARM_UP) + self._drop()
            case Phase.WARM_UP:
                return self._begin(Phase.STEADY)
            case Phase.STEADY:
                self.is_dropping = False
                return [*self._last_turn_of_outage(), Order(task=Task.STOP_DROPPING), *self._begin(Phase.RECOVER)]
            case Phase.RECOVER:
                return self._begin(Phase.DRAIN)
            case Phase.DRAIN:
                return self._begin(Phase.CLOSE, value=int(was_quiet))
            case _:
                return self._end()

    def _begin(self, phase: Phase, value: int = 0) -> list[Order]:
        self.phase = phase
        return [Order(task=Task.BEGIN, phase=phase, value=value)]

    def _end(self) -> list[Order]:
        """Begin the last phase; what is held is let go of at once where it is not to be held any longer."""
        self.phase = Phase.END
        hold_s = self._timing.hold_s if self._held else 0.0
        begin = Order(task=Task.BEGIN, phase=Phase.END, hold_s=hold_s)
        return [begin] if hold_s else [begin, *self.let_go()]

    def _drop(self) -> list[Order]:
        self.is_dropping = True
        return [Order(task=Task.DROP)]

    def _outage_due_s(self) -> float | None:
        if self._outage is None or self.phase is not Phase.STEADY:
            return None
        match self._outage_is:
            case "to come":
                return self._began_s + self._outage.begin_s
            case "under way" if self._outage.heal_s is not None:
                return self._began_s + self._outage.heal_s
            case _:
                return None

    def _turn_outage(self) -> list[Order]:
        if self._outage_is == "to come":
            self._outage_is = "under way"
            return [Order(task=Task.BEGIN_OUTAGE)]
        self._outage_is = "over"
        return [Order(task=Task.HEAL_OUTAGE)]

    def _last_turn_of_outage(self) -> list[Order]:
        """Heal what was to be healed later than the steady window ends: what follows is measured without it."""
        if self._outage is None or self._outage.heal_s is None or self._outage_is != "under way":
            return []
        return self._turn_outage()
