"""Counting: the probe in production. It keeps no ledger; it counts what a team wants to see over months.

The same events that a ledger would get come here, one `CountedConnection` for each connection: what is recorded and
where is decided once, for both. A message costs what the wrapper costs and one look-up; what is counted happens a few
times a connection.
"""

import asyncio
from random import Random
from typing import Any, Final

from loadtest.ledger import Event
from loadtest.probe.exposure import Sampling
from loadtest.probe.handling import Handling
from loadtest.probe.metrics import NOBODY, Metrics, OfConsumer, exposition, metrics_of_process
from loadtest.probe.recording import Ledger
from loadtest.probe.stalls import watch_for_stalls
from loadtest.probe.watching import watch_consumers

A_SECOND: Final = 4.0
"""How often exposure is asked for, on average: in the minutes that a graph shows that is as sure as a bench's 40 a
second are in its seconds, and costs a tenth."""
_METHODS: Final = frozenset({"GET", "HEAD"})


class Counting:
    """Counts in this process, from its first connection to its end; a `Recording` and its session in one."""

    def __init__(self, route: str = "") -> None:
        """`route` is the path that shows the metrics; ValueError where it is none, ImportError without the library."""
        if route and not route.startswith("/"):
            raise ValueError(f"route {route!r} is no path; write it as '/metrics'")
        self._route = route
        self._metrics = metrics_of_process()
        self._sampling: Sampling | None = None
        self.open: dict[int, Handling] = {}
        """What each connection does whose application task has not ended."""

    @property
    def session(self) -> "Counting":
        """The one of this process."""
        return self

    def ledger_of(self, connection: int) -> Ledger:
        """Return what counts a connection, which is new."""
        return CountedConnection(self._metrics)

    async def start_once(self) -> None:
        """Watch consumers and the running loop from now on, unless that was begun."""
        if self._sampling is None:
            watch_consumers()
            loop = asyncio.get_running_loop()
            self._sampling = Sampling(loop, self.open, Random(), a_second=A_SECOND)
            watch_for_stalls(loop, CountedProcess(self._metrics))

    async def answered(self, scope: Any, send: Any) -> bool:
        """Show the metrics where that is asked for; False where the request is for the application."""
        if not self._route or scope["type"] != "http":
            return False
        if scope["path"] != self._route or scope["method"] not in _METHODS:
            return False
        content, body = exposition()
        headers = [(b"content-type", content.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
        return True


class CountedProcess:
    """Takes in what is recorded of the whole process: the stalls of its event loop."""

    def __init__(self, metrics: Metrics) -> None:
        """Count in these."""
        self._stall = metrics.stall

    def record(
        self, event: int, connection: int, code: int = 0, argument: int = 0, value: int = 0, time_ns: int = 0
    ) -> None:
        """Count a stall of `value` ns."""
        if event == Event.STALLED:
            self._stall.observe(value / 1e9)

    def record_text(self, event: int, connection: int, text: str) -> None:
        """Nothing of a process has a text."""


class CountedConnection:
    """Takes in what is recorded of one connection; what is counted of it is counted at once.

    It counts from being accepted on. Whether disconnect() was missed is known when the application's task ends.
    """

    __slots__ = ("_has_disconnect", "_has_sent_in_vain", "_is_accepted", "_is_told", "_metrics", "_of")

    def __init__(self, metrics: Metrics) -> None:
        """Count in these; nothing is known of the connection yet."""
        self._metrics = metrics
        self._of: OfConsumer = metrics.of(NOBODY)
        self._is_accepted = False
        self._has_disconnect = False
        """A consumer of Channels has taken it over, which is to be told of its end."""
        self._is_told = False
        """disconnect() was entered."""
        self._has_sent_in_vain = False

    def record(
        self, event: int, connection: int, code: int = 0, argument: int = 0, value: int = 0, time_ns: int = 0
    ) -> None:
        """Count what is to be counted of one event."""
        count = _COUNTED.get(event)
        if count is not None:
            count(self, code, value)

    def record_text(self, event: int, connection: int, text: str) -> None:
        """Count what is to be counted of an event with a text."""
        match event:
            case Event.CONSUMER if not self._has_disconnect and not self._is_accepted:
                self._has_disconnect = True
                self._of = self._metrics.of(text)
            case Event.SEND_RAISED:
                self._has_sent_in_vain = True
            case Event.DISCONNECT_RAISED:
                self._of.disconnect_raised.inc()
            case Event.TASK_ENDED if self._is_accepted:
                self._end(text)

    def _accepted(self, code: int, value: int) -> None:
        self._is_accepted = True
        self._of.opened.inc()
        self._of.connections.inc()

    def _told(self, code: int, value: int) -> None:
        self._is_told = True

    def _asked(self, is_in_midst: int, times: int) -> None:
        self._of.imagined.inc(times)
        if not is_in_midst:
            self._of.imagined_heard.inc(times)

    def _spared(self, code: int, times: int) -> None:
        self._of.imagined_heard.inc(times)

    def _end(self, error: str) -> None:
        self._of.connections.dec()
        self._of.ended.inc()
        if self._has_disconnect and not self._is_told:
            self._of.without_disconnect[self._cause(error)].inc()

    def _cause(self, error: str) -> str:
        if not error:
            return "returned"
        if error == "asyncio.exceptions.CancelledError":
            return "cancelled"
        return "send" if self._has_sent_in_vain else "raised"


_COUNTED: Final = {
    int(Event.ACCEPTED): CountedConnection._accepted,
    int(Event.DISCONNECT_ENTERED): CountedConnection._told,
    int(Event.ASKED): CountedConnection._asked,
    int(Event.SPARED): CountedConnection._spared,
}
"""By event; a message that comes in is none of these."""
