"""Heartbeat: notes how late this generator's hub comes round. What was due meanwhile was sent and read as late.

The hub is late when a greenlet keeps it, when the process is stopped or blocked, and when there is no processor for it.
How much of it was the last is noted too: that is the machine's doing, and not the generator's.
"""

from collections.abc import Callable
from time import monotonic_ns
from typing import Any, Final

from gevent import get_hub

from loadtest.ledger import Event
from loadtest.ledger.starved import starved_ns_of_this_thread

BEAT_S: Final = 0.01
"""100 a second cost some 0.1 % of a core, and time what holds the hub up to within this much."""
LATE_S: Final = 0.005
"""Half a beat: what is later is recorded. A hub that serves many connections takes some ms a turn."""
_NS = 1_000_000_000
_NS_A_US = 1000
_NO_CONNECTION = 0


class Heartbeat:
    """Beats on the hub of the thread that makes it, until `stop`."""

    def __init__(self, record: Callable[..., None]) -> None:
        """Start; `record` is that of a ledger."""
        self._record = record
        self._starved_ns = starved_ns_of_this_thread()
        self._last_ns = monotonic_ns()
        self._starved_by_last_ns = self._starved_ns()
        self._timer: Any = get_hub().loop.timer(BEAT_S, BEAT_S, ref=False)
        self._timer.start(self._beat)

    def stop(self) -> None:
        """Beat no more."""
        self._timer.stop()
        self._timer.close()

    def _beat(self) -> None:
        now_ns, starved_ns = monotonic_ns(), self._starved_ns()
        late_ns = now_ns - self._last_ns - round(BEAT_S * _NS)
        if late_ns >= LATE_S * _NS:
            starved_us = min(starved_ns - self._starved_by_last_ns, late_ns) // _NS_A_US
            self._record(Event.HELD_UP, _NO_CONNECTION, argument=starved_us, value=late_ns, time_ns=now_ns)
        self._last_ns, self._starved_by_last_ns = now_ns, starved_ns
