"""Stalls: how often and for how long a server's event loop served nobody, from what its probe noted.

A stall that had not ended when the window did counts as far as it lies in it. Of a process that never went on, frozen
or hung for good, nothing notes a stall: it is told by its silence, for as long as it runs the loop notes ten times a
second how busy it is.
"""

from collections.abc import Iterator

import polars as pl

from loadtest.checks.records import NS_A_MS, TrialRecords, Window
from loadtest.ledger.record import Event

SILENT_MS = 300.0
"""Three notes that did not come: so long a loop that serves somebody is never silent."""


def stalls_ms(trial: TrialRecords, window: Window) -> list[float] | None:
    """Return how long each stall was within the window, until the generator closed, in ms; None when no probe told."""
    if trial.server.is_empty():
        return None
    noted = trial.server_events(Event.STALLED)
    spans = zip(noted["time_ns"].to_list(), noted["value"].to_list(), strict=True)
    within = [
        (min(ended_ns, window.closing_ns) - max(ended_ns - lasted_ns, window.start_ns)) / NS_A_MS
        for ended_ns, lasted_ns in spans
    ]
    return [*(length_ms for length_ms in within if length_ms > 0), *_silences_ms(trial, window)]


def stood_still_ms(trial: TrialRecords, window: Window) -> float | None:
    """Return for how long a process had served nobody when the window ended, and then served nobody any more, in ms.

    0.0 where all of them went on; None when no probe told.
    """
    return None if trial.server.is_empty() else max(_silences_ms(trial, window), default=0.0)


def _silences_ms(trial: TrialRecords, window: Window) -> Iterator[float]:
    """Yield for each process that never went on how long it was silent; none where the bench itself ended some."""
    if trial.has_outage:
        return
    notes = trial.server_events(Event.LOOP_BUSY).group_by("pid").agg(pl.col("time_ns").max())
    for last_ns in notes["time_ns"]:
        silent_ms = (window.closing_ns - max(last_ns, window.start_ns)) / NS_A_MS
        if silent_ms > SILENT_MS:
            yield silent_ms
