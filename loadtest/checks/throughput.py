"""Throughput: messages a second, latency from raw samples, what the processes used, and whether the trial is valid."""

import polars as pl

from loadtest.checks.kind import Check, Finding
from loadtest.checks.records import NS_A_MS, TrialRecords, Window
from loadtest.checks.stalls import stalls_ms
from loadtest.checks.unasked import ended_unasked
from loadtest.checks.usage import cpu_s, largest_rss_mb
from loadtest.checks.validity import invalid_because

COLUMNS = (
    "users",
    "sent",
    "received",
    "duration_s",
    "messages_per_s",
    "latency_ms_p50",
    "latency_ms_p90",
    "latency_ms_p99",
    "latency_ms_p999",
    "latency_ms_max",
    "server_cpu_s",
    "server_rss_mb",
    "generator_cpu_s",
    "stalls",
    "stalled_ms",
    "ended_unasked",
    "unasked_example",
    "valid",
)


def check(trial: TrialRecords) -> Finding:
    """Return one row for the window that counts."""
    window = trial.window
    if window is None:
        raise ValueError("the trial did not get through its phases")
    inside = pl.col("time_ns").is_between(window.start_ns, window.end_ns)
    received = trial.received.filter(inside).height
    latency = latencies_ms(trial, window)
    stalls = stalls_ms(trial, window)
    unasked = ended_unasked(trial)
    reasons = invalid_because(trial, window)
    row = {
        "users": trial.users,
        "sent": trial.sent.filter(inside).height,
        "received": received,
        "duration_s": window.duration_s,
        "messages_per_s": received / window.duration_s,
        "latency_ms_p50": latency.quantile(0.5, "nearest"),
        "latency_ms_p90": latency.quantile(0.9, "nearest"),
        "latency_ms_p99": latency.quantile(0.99, "nearest"),
        "latency_ms_p999": latency.quantile(0.999, "nearest"),
        "latency_ms_max": latency.max(),
        "server_cpu_s": cpu_s(trial, "server", window.start_ns, window.end_ns),
        "server_rss_mb": largest_rss_mb(trial, window),
        "generator_cpu_s": cpu_s(trial, "generator", window.start_ns, window.end_ns),
        "stalls": None if stalls is None else len(stalls),
        "stalled_ms": None if stalls is None else float(sum(stalls)),
        "ended_unasked": unasked.len(),
        "unasked_example": str(unasked[0]) if unasked.len() else "",
        "valid": "no" if reasons else "yes",
    }
    return Finding(rows=pl.DataFrame([row]), invalid=tuple(reasons))


def latencies_ms(trial: TrialRecords, window: Window) -> pl.Series:
    """Return the time from the planned sending to each arrival, in ms, of messages planned within the window.

    By the planned time and not by the arrival: what a stall delays past the window still counts.
    """
    return with_latency(trial).filter(pl.col("planned_ns").is_between(window.start_ns, window.end_ns))["latency_ms"]


def with_latency(trial: TrialRecords) -> pl.DataFrame:
    """Return each arrival with columns time_ns, planned_ns, latency_ms."""
    planned = trial.sent.select("value", planned_ns=pl.col("time_ns") - pl.col("argument").cast(pl.Int64) * 1000)
    return (
        trial.received.select("time_ns", "value")
        .join(planned, on="value")
        .select("time_ns", "planned_ns", latency_ms=(pl.col("time_ns") - pl.col("planned_ns")) / NS_A_MS)
    )


def _blank(trial: TrialRecords) -> pl.DataFrame:
    return pl.DataFrame({"users": [trial.users], "valid": ["no"]})


KIND = Check(
    name="throughput", table="throughput", columns=COLUMNS, run=check, blank=_blank, examples=("unasked_example",)
)
