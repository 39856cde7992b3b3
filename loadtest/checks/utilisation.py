"""Utilisation: how busy what the messages have to pass was, as shares of the window; the largest gives way first."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from loadtest.checks.records import NS_A_S, TrialRecords, Window
from loadtest.checks.usage import cpu_s
from loadtest.ledger.record import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Utilisation:
    """Shares of the window, 0 to 1; of several server processes the busiest one's. None: not known."""

    loop: float | None
    """Of the event loop."""
    sync_thread: float | None
    """Of the thread that the sync consumers of a process share."""
    broker: float | None
    """Its CPU time as a share of one core: Valkey and Redis run commands in one thread."""

    @property
    def largest(self) -> float | None:
        """Return the largest of those that are known; None where the event loop's is not."""
        if self.loop is None:
            return None
        return max(share for share in (self.loop, self.sync_thread, self.broker) if share is not None)


def utilisation_of(trial: TrialRecords, window: Window) -> Utilisation:
    """Return the busy shares in the window; unknown where no probe told, or where it began to later."""
    broker_s = cpu_s(trial, "broker", window.start_ns, window.end_ns)
    return Utilisation(
        loop=max(_shares(trial.server_events(Event.LOOP_BUSY), window), default=None),
        sync_thread=max(_shares(trial.server_events(Event.SYNC_THREAD_BUSY), window), default=None),
        broker=None if broker_s is None else broker_s / window.duration_s,
    )


def _shares(busy: pl.DataFrame, window: Window) -> Iterator[float]:
    """Yield the share of each process that told of the whole window, drawing straight lines between its records."""
    for _, told in busy.group_by("pid"):
        origin_ns, edges_ns = window.start_ns, np.array([0, window.end_ns - window.start_ns])  # small: exact as floats
        time_ns = told["time_ns"].to_numpy() - origin_ns
        at_edges_ns = np.interp(edges_ns, time_ns, told["value"].to_numpy(), left=np.nan, right=np.nan)
        share = float(np.diff(at_edges_ns)[0]) / NS_A_S / window.duration_s
        if not np.isnan(share):
            yield min(share, 1.0)  # a tick late by some ns may say a trifle more
