"""Lateness: how long after its planned time each message was sent."""

import polars as pl

from loadtest.checks.records import NS_A_MS, NS_A_US, TrialRecords, Window
from loadtest.ledger.record import Event

_SHARE = 0.99

PLANNED_NS = pl.col("time_ns") - pl.col("argument").cast(pl.Int64) * NS_A_US
"""When a message was to be sent, from its record."""


def late_ms(trial: TrialRecords, window: Window, *, only_free: bool = False) -> float | None:
    """Return p99 of the time from the planned to the real sending, in ms, of messages planned or sent in the window.

    `only_free`: without those whose sender awaited an answer or a connection at the planned time, which is the server's
    doing. None where no message was sent.
    """
    event = pl.col("event") == int(Event.SENT)
    in_window = [when.is_between(window.start_ns, window.end_ns) for when in (pl.col("time_ns"), PLANNED_NS)]
    counts = event & pl.any_horizontal(in_window)
    if only_free:
        counts &= pl.col("code") == 0
    late_us = trial.client.select("event", "time_ns", "argument", "code").filter(counts)["argument"]
    late = late_us.quantile(_SHARE, "nearest")
    return None if late is None else late * NS_A_US / NS_A_MS
