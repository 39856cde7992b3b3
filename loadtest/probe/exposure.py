"""Exposure: which connections would miss their disconnect if their client went just now.

At random times, as single drops would come (Poisson), an imagined drop is set on open connections: see `handling`.
A timer runs where the server's reads run, after all that was ready. asyncio tells the server of a FIN or RST that was
read one turn of the loop later (connection_lost), and the question too is put then. So it meets a consumer in the
states that a drop meets, however late the loop is. When it is late by several of these times, one question stands for
them all. Its record has the time that was due, for a client that drops knows of no other.

Each connection's answer is a record of its own: some of those asked may have been dropped already, which the server
has not noticed and only the client's ledger tells.
"""

import asyncio
from collections.abc import Mapping
from random import Random
from time import monotonic_ns

from loadtest.ledger import Event
from loadtest.probe.handling import Handling

A_SECOND = 40.0
"""How often it is asked, on average: some 120 times in a short trial."""
MOST = 20
"""Connections that are asked at a time, drawn at random where there are more.

What they do at one moment is much alike, so more of them tell little, and each costs the server microseconds."""

_NS = 1_000_000_000
_ASKED = int(Event.ASKED)  # a plain number packs twice as fast


class Sampling:
    """Asks for as long as the loop runs, or until it is stopped."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        handlings: Mapping[int, Handling],
        random: Random,
        *,
        a_second: float = A_SECOND,
    ) -> None:
        """Start at once, in the loop's thread; `handlings` is the live map of all connections.

        Each answer goes into the ledger of its connection; `a_second` is how often it is asked, on average.
        """
        self._loop = loop
        self._handlings = handlings
        self._random = random
        self._a_second = a_second
        self._ask_at(self._after(loop.time()))

    def stop(self) -> None:
        """Ask no more."""
        self._due.cancel()

    def _ask_at(self, due: float) -> None:
        self._due = self._loop.call_at(due, self._ask, due)

    def _after(self, due: float) -> float:
        return due + self._random.expovariate(self._a_second)

    def _ask(self, due: float) -> None:
        now, dues = self._loop.time(), [due]
        while (due := self._after(due)) <= now:
            dues.append(due)
        self._ask_at(due)
        late_ns = round((now - dues[len(dues) // 2]) * _NS)  # by the middle one of them
        self._loop.call_soon(self._imagine, len(dues), monotonic_ns() - late_ns)

    def _imagine(self, times: int, asked_ns: int) -> None:
        asked = self._some_open()
        for handling in asked:
            handling.imagined += times
        self._loop.call_soon(self._judge, asked, times, asked_ns)

    def _some_open(self) -> list[Handling]:
        drawn = list(self._handlings.values())
        if len(drawn) > MOST:
            drawn = self._random.sample(drawn, MOST)
        return [handling for handling in drawn if handling.is_open and handling.is_dispatched]

    def _judge(self, asked: list[Handling], times: int, asked_ns: int) -> None:
        for handling in asked:
            handling.ledger.record(_ASKED, handling.connection, int(handling.judge(asked_ns)), 0, times, asked_ns)
