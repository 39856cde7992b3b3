"""Validity: whether the generator was the limit; then the trial's figures tell nothing about the server.

On one machine client and server share the cores: a saturated generator falsifies latency and delivery both ways.
"""

import polars as pl

from loadtest.checks.records import NS_A_S, TrialRecords, Window
from loadtest.checks.usage import cpu_s
from loadtest.ledger.record import Event, Phase

GENERATOR_CPU_LIMIT = 0.85
"""Share of one core from which a single-threaded generator queues its own work."""
GENERATOR_LAG_LIMIT_MS = 100
"""What a server's event loop may be late by before it counts as stalled, and far more than what is healthy,
some milliseconds. A generator that handles arrivals so late sends and answers pings as late."""
LAG_QUANTILE = 0.99
"""One pause of a machine, a collection of garbage say, is no saturation; one message in a hundred is."""
_US_A_MS = 1000


def invalid_because(trial: TrialRecords, window: Window) -> list[str]:
    """Return why the trial is not valid; empty when it is."""
    return [
        *_generator_was_busy(trial, window),
        *_generator_was_late(trial, window),
        *_not_all_users_opened(trial, window),
        *_ledger_was_cut(trial),
    ]


def _generator_was_busy(trial: TrialRecords, window: Window) -> list[str]:
    used_s = cpu_s(trial, "generator", window.start_ns, window.end_ns)
    if used_s is None:
        return ["the generator's CPU time is not known"]
    share = used_s / window.duration_s
    if share < GENERATOR_CPU_LIMIT:
        return []
    return [
        f"the generator was busy {share:.0%} of the time and may have been the limit; use fewer users or a lower rate"
    ]


def _generator_was_late(trial: TrialRecords, window: Window) -> list[str]:
    """Compare the time between a message's arrival in the kernel and its handling, which latency does not contain."""
    received = (pl.col("event") == int(Event.RECEIVED)) & pl.col("time_ns").is_between(window.start_ns, window.end_ns)
    # Not by way of trial.received, whose other columns cost a large trial some 60 MB at its peak
    lag_us = trial.client.select("event", "time_ns", "argument").filter(received)["argument"]
    late_us = lag_us.quantile(LAG_QUANTILE, "nearest")
    if late_us is None or late_us <= GENERATOR_LAG_LIMIT_MS * _US_A_MS:
        return []
    return [
        f"the generator handled one message in a hundred {late_us / _US_A_MS:,.0f} ms or more after it had arrived "
        f"(limit {GENERATOR_LAG_LIMIT_MS} ms), so it sent late too and may have been the limit; use fewer users or a "
        "lower rate"
    ]


def _not_all_users_opened(trial: TrialRecords, window: Window) -> list[str]:
    members = (
        trial.client_events(Event.OPENING)
        .join(trial.client_events(Event.OPENED).select("connection", opened_ns="time_ns"), on="connection")
        .filter(pl.col("opened_ns") <= window.start_ns)["value"]
        .n_unique()
    )
    if members >= trial.users:
        return []
    marks = trial.client_events(Event.PHASE).filter(pl.col("code") == int(Phase.RAMP))["time_ns"]
    waited_s = (window.start_ns - marks[0]) / NS_A_S if len(marks) else 0.0
    return [f"only {members} of {trial.users} users had a connection {waited_s:.0f} s after the start"]


def _ledger_was_cut(trial: TrialRecords) -> list[str]:
    return ["a ledger could not grow: the disk is full"] if trial.is_truncated else []
