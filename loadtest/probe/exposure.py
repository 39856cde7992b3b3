"""Exposure: how many of the open connections would miss their disconnect if their client went just now.

At random times, as single drops would come (Poisson), an imagined drop is set on each open connection: see `handling`.
A timer runs where the server's reads run, after all that was ready, and so meets a consumer in the same states as a
drop, however late the loop is. When it is late by several of these times, one question stands for them all.
"""

import asyncio
from collections.abc import Mapping
from random import Random

from loadtest.ledger import Event
from loadtest.probe.handling import Handling
from loadtest.probe.recording import NO_CONNECTION, recorder

A_SECOND = 50.0
"""How often it is asked, on average: some 150 times in a short trial, at some 20 µs for 100 connections."""
MOST = 500
"""Connections that are asked at a time, drawn at random where there are more: it must stay a matter of some 100 µs."""


class Sampling:
    """Asks for as long as the loop runs."""

    def __init__(self, loop: asyncio.AbstractEventLoop, handlings: Mapping[int, Handling], random: Random) -> None:
        """Start at once, in the loop's thread; `handlings` is the live map of all connections."""
        self._loop = loop
        self._handlings = handlings
        self._random = random
        self._ask_at(self._after(loop.time()))

    def _ask_at(self, due: float) -> None:
        self._loop.call_at(due, self._ask, due)

    def _after(self, due: float) -> float:
        return due + self._random.expovariate(A_SECOND)

    def _ask(self, due: float) -> None:
        times, now = 1, self._loop.time()
        while (due := self._after(due)) <= now:
            times += 1
        asked = self._some_open()
        for handling in asked:
            handling.imagined += times
        if asked:
            self._loop.call_soon(_judge, asked, times)
        self._ask_at(due)

    def _some_open(self) -> list[Handling]:
        found = [handling for handling in self._handlings.values() if handling.is_open and handling.is_dispatched]
        return found if len(found) <= MOST else self._random.sample(found, MOST)


def _judge(asked: list[Handling], times: int) -> None:
    in_midst = sum(handling.judge() for handling in asked)
    recorder().record(Event.EXPOSED, NO_CONNECTION, argument=in_midst * times, value=len(asked) * times)
