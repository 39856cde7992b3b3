"""Player: does in one generator what the conductor orders, and reports what has come of it."""

import os
from collections.abc import Callable
from time import monotonic

import gevent
from gevent.pool import Pool

from loadtest.ledger import Phase
from loadtest.phases import Happened, Order, Task
from loadtest.users.churn import Dropping
from loadtest.users.pinging import pinging
from loadtest.users.pushing import Pushing
from loadtest.users.session import Session

QUIET_S = 0.25
"""Nothing arrived for this long, and as long as a handler works, after the last message: all under way has arrived."""
STALLED_S = 2.0
"""The same where the last message of a member has not come back: it may be lost, or the server busy with something."""
_POLL_S = 0.02


class Player:
    """One generator's part in a test. No order waits for anything: what takes time happens beside it."""

    def __init__(self, session: Session, report: Callable[[Happened, int], None], end: Callable[[], None]) -> None:
        """Report by `report` (what, and how many connections are held); `end` ends the test when it is over."""
        self._session = session
        self._report = report
        self._end = end
        self._dropping = Dropping(session)
        self._pushing = Pushing(session) if session.load.push else None
        self._pinging = pinging(session) if session.load.ping_message else None
        self._phase: Phase | None = None
        session.at_end(self._stop)

    def obey(self, order: Order) -> None:
        """Do what an order says."""
        match order.task:
            case Task.BEGIN:
                assert order.phase is not None, "a phase begins"
                self._begin(order.phase, order.value)
                if order.hold_s:
                    self._hold(order.hold_s)
            case Task.DROP:
                self._dropping.start()
            case Task.STOP_DROPPING:
                self._dropping.stop()
            case Task.DROP_NOW:
                self._dropping.drop_now(order.name, order.value / 1000)
            case Task.LET_GO:
                gevent.spawn(self._end)
            case Task.DIE:
                self._die(order.name, order.value)
            case Task.BEGIN_OUTAGE | Task.HEAL_OUTAGE:
                pass  # not for generators

    def _begin(self, phase: Phase, value: int) -> None:
        session = self._session
        self._phase = phase
        if phase is Phase.STEADY:
            session.forget_warm_up()
        session.mark(phase, value=value)
        match phase:
            case Phase.RAMP:
                self._start_what_is_beside_members()
                self._report_when(self._all_open, Happened.OPEN)
            case Phase.RECOVER:
                session.record_unsent(self._pushing.overdue_s() if self._pushing else ())
                self._report_when(self._all_back, Happened.BACK)
            case Phase.DRAIN:
                session.may_send = False
                self._report_when(_Silence(session, self._pushing).is_long_enough, Happened.QUIET)
            case Phase.CLOSE:
                gevent.spawn(self._close)
            case Phase.WARM_UP | Phase.STEADY | Phase.END:
                pass

    def _start_what_is_beside_members(self) -> None:
        if self._pushing is not None:
            self._pushing.start()
        if self._pinging is not None:
            self._pinging.start()

    def _report_when(self, condition: Callable[[], bool], happened: Happened) -> None:
        """Report once as soon as the condition holds, unless another phase begins before."""
        phase = self._phase

        def watch() -> None:
            while self._phase is phase and not condition():
                gevent.sleep(_POLL_S)
            if self._phase is phase:
                self._report(happened, 0)

        gevent.spawn(watch)

    def _all_open(self) -> bool:
        return self._session.is_complete and all(member.is_open for member in self._session.members)

    def _all_back(self) -> bool:
        return not self._session.extras and all(member.is_open for member in self._session.members)

    def _close(self) -> None:
        Pool().map(lambda member: member.end(), self._session.members)
        self._report(Happened.CLOSED, len(self._session.held))

    def _hold(self, hold_s: float) -> None:
        """End by ourselves after that time: whoever conducts may hang."""
        gevent.spawn_later(hold_s, self._end_if_it_goes_on)

    def _end_if_it_goes_on(self) -> None:
        if self._phase is not None:  # another test may be running by now
            self._end()

    def _die(self, name: str, signal: int) -> None:
        """End this process, and with it every connection; the ledger outlives it."""
        for member in self._session.members:
            if member.is_open:
                member.record_drop(name)
        os.kill(os.getpid(), signal)

    def _stop(self) -> None:
        self._dropping.stop()
        if self._pushing is not None:
            self._pushing.end()
        if self._pinging is not None:
            self._pinging.stop()
        self._phase = None


class _Silence:
    """How long nothing has arrived."""

    def __init__(self, session: Session, pushing: Pushing | None) -> None:
        self._session = session
        self._pushing = pushing
        self._seen = session.counted
        self._since = monotonic()

    def is_long_enough(self) -> bool:
        """Tell whether all that was under way must have arrived."""
        if self._session.counted != self._seen:
            self._seen, self._since = self._session.counted, monotonic()
        if self._pushing is not None and not self._pushing.is_idle:
            return False
        is_answered = all(member.is_answered for member in self._session.members)
        quiet_s = (QUIET_S if is_answered else STALLED_S) + self._session.longest_work_s
        return monotonic() - self._since >= quiet_s
