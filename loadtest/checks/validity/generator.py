"""The gates of the generator: whether it was the limit, so that it sent and read later than it should have."""

import polars as pl

from loadtest.checks.records import TrialRecords, Window
from loadtest.checks.usage import cpu_s
from loadtest.ledger.record import Event

GENERATOR_CPU_LIMIT = 0.85
"""Share of one core from which a single-threaded generator queues its own work."""
GENERATOR_LAG_LIMIT_MS = 100
"""What a server's event loop may be late by before it counts as stalled, and far more than what is healthy,
some milliseconds. A generator that handles arrivals so late sends and answers pings as late."""
LAG_QUANTILE = 0.99
"""One pause of a machine, a collection of garbage say, is no saturation; one message in a hundred is."""
_US_A_MS = 1000


def generator_was_busy(trial: TrialRecords, window: Window) -> str | None:
    """Return why the trial is not valid where the generator used most of its core, or where that is not known.

    Where nobody was there to sample it, what its ledger says of its hub and its lag has to do.
    """
    if trial.unsampled:
        return None
    used_s = cpu_s(trial, "generator", window.start_ns, window.end_ns)
    if used_s is None:
        return "the generator's CPU time is not known"
    share = used_s / window.duration_s
    if share < GENERATOR_CPU_LIMIT:
        return None
    return (
        f"the generator was busy {share:.0%} of the time and may have been the limit; use fewer users or a lower rate"
    )


def generator_was_late(trial: TrialRecords, window: Window) -> str | None:
    """Compare the time between a message's arrival in the kernel and its handling, which latency does not contain."""
    received = (pl.col("event") == int(Event.RECEIVED)) & pl.col("time_ns").is_between(window.start_ns, window.end_ns)
    # Not by way of trial.received, whose other columns cost a large trial some 60 MB at its peak
    lag_us = trial.client.select("event", "time_ns", "argument").filter(received)["argument"]
    late_us = lag_us.quantile(LAG_QUANTILE, "nearest")
    if late_us is None or late_us <= GENERATOR_LAG_LIMIT_MS * _US_A_MS:
        return None
    return (
        f"the generator handled one message in a hundred {late_us / _US_A_MS:,.0f} ms or more after it had arrived "
        f"(limit {GENERATOR_LAG_LIMIT_MS} ms), so it sent late too and may have been the limit; use fewer users or a "
        "lower rate"
    )
