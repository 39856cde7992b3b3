"""A session: what this process records at a stretch, with the connections that came in it.

A server that is started for a trial has one, from its start to its end. One that runs elsewhere has one for each trial,
and none between them. What belongs to a connection records into the ledger of its own session, also when that is over:
it then goes nowhere, and never into the next one, where another connection may have its number.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

from loadtest.ledger import Recorder
from loadtest.probe.busy import watch_busy
from loadtest.probe.exposure import Sampling
from loadtest.probe.handling import Handling
from loadtest.probe.recording import Ledger
from loadtest.probe.stalls import watch_for_stalls


class Session:
    """One recording of this process."""

    def __init__(self, folder: Path) -> None:
        """Open the ledger; raises OSError when it cannot be written."""
        self.folder = folder
        self.ledger = Recorder(folder, "server")
        self.open: dict[int, Handling] = {}
        """What each connection does whose application task has not ended."""
        self._stops: list[Callable[[], None]] = []

    def ledger_of(self, connection: int) -> Ledger:
        """Return what takes in what happens to a connection: the same for all of them."""
        return self.ledger

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch the event loop from now on, unless that was begun; to be called in its thread."""
        if not self._stops:
            sampling = Sampling(loop, self.open, Random())
            self._stops = [watch_for_stalls(loop, self.ledger), watch_busy(loop, self.ledger), sampling.stop]

    def end(self) -> None:
        """Watch and record no longer."""
        for stop in self._stops:
            stop()
        self.ledger.close()
