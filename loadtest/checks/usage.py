"""Usage: what the processes of a role used of the machine, from the samples taken while the trial ran."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from loadtest.checks.records import TrialRecords, Window

_MB = 1_000_000


def cpu_s(trial: TrialRecords, role: str, start_ns: int, end_ns: int) -> float | None:
    """Return the CPU seconds that a role's processes used between two moments; None when one was not sampled."""
    return cpu_steps_s(trial, role, [start_ns, end_ns])[0]


def cpu_steps_s(trial: TrialRecords, role: str, moments_ns: Sequence[int]) -> list[float | None]:
    """Return the CPU seconds that a role's processes used from each moment to the next; the moments ascend.

    Straight lines are drawn between the samples; None for a step that is not between two of them.
    """
    return steps(trial.samples.filter(pl.col("role") == role), "cpu_s", moments_ns)


def waited_s(trial: TrialRecords, role: str, window: Window) -> float | None:
    """Return how long the threads of a role were ready to run and had no CPU, in s, summed over them."""
    return grown(trial.samples.filter(pl.col("role") == role), "wait_s", window)


def involuntary_switches(trial: TrialRecords, role: str, window: Window) -> int | None:
    """Return how often a CPU was taken from a thread of a role that could have gone on."""
    switches = grown(trial.samples.filter(pl.col("role") == role), "involuntary", window)
    return None if switches is None else round(switches)


def grown(samples: pl.DataFrame | None, column: str, window: Window) -> float | None:
    """Return by how much a column of samples that only grows did so in the window; None when that is not known."""
    return None if samples is None else steps(samples, column, [window.start_ns, window.end_ns])[0]


def steps(samples: pl.DataFrame, column: str, moments_ns: Sequence[int]) -> list[float | None]:
    """Return by how much a column grew from each moment to the next, as `cpu_steps_s` does."""
    known = samples.drop_nulls(column).sort("time_ns") if column in samples.columns else samples.clear()
    if known.is_empty():
        return [None] * (len(moments_ns) - 1)
    time_ns, value = known["time_ns"].to_numpy(), known[column].to_numpy()
    since_first = np.array([moment - int(time_ns[0]) for moment in moments_ns])  # small enough for exact floats
    at = np.interp(since_first, time_ns - time_ns[0], value, left=np.nan, right=np.nan)
    return [None if np.isnan(step) else float(step) for step in np.diff(at)]


def largest_rss_mb(trial: TrialRecords, window: Window) -> float | None:
    """Return the most resident memory that the server had within the window, in MB (1,000,000 bytes)."""
    inside = pl.col("time_ns").is_between(window.start_ns, window.end_ns) & (pl.col("role") == "server")
    largest = trial.samples.filter(inside)["rss_bytes"].max()
    return float(largest) / _MB if isinstance(largest, int | float) else None
