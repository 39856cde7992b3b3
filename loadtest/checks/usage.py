"""Usage: what the processes of a role used of the machine, from the samples taken while the trial ran."""

import polars as pl

from loadtest.checks.records import TrialRecords, Window

_MB = 1_000_000


def cpu_s(trial: TrialRecords, role: str, start_ns: int, end_ns: int) -> float | None:
    """Return the CPU seconds that a role's processes used between two moments, from the samples around them."""
    samples = trial.samples.filter(pl.col("role") == role).sort("time_ns")
    if samples.height < 2 or samples["time_ns"][0] > start_ns or samples["time_ns"][-1] < end_ns:
        return None
    at = pl.DataFrame({"time_ns": [start_ns, end_ns]}, schema={"time_ns": pl.Int64})
    both = pl.concat([samples.select("time_ns", pl.col("cpu_s").cast(pl.Float64)), at], how="diagonal").sort("time_ns")
    filled = both.with_columns(pl.col("cpu_s").interpolate_by("time_ns")).filter(pl.col("time_ns").is_in(at["time_ns"]))
    return float(filled["cpu_s"][-1] - filled["cpu_s"][0])


def largest_rss_mb(trial: TrialRecords, window: Window) -> float | None:
    """Return the most resident memory that the server had within the window, in MB (1,000,000 bytes)."""
    inside = pl.col("time_ns").is_between(window.start_ns, window.end_ns) & (pl.col("role") == "server")
    largest = trial.samples.filter(inside)["rss_bytes"].max()
    return float(largest) / _MB if isinstance(largest, int | float) else None
