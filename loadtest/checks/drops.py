"""Drops: the fate of every dropped connection, a row each."""

import polars as pl

from loadtest.checks.fates import fates
from loadtest.checks.kind import Check, Finding
from loadtest.checks.records import NS_A_S, TrialRecords

COLUMNS = (
    "drop",
    "connection",
    "t_s",
    "verdict",
    "cause",
    "noticed_ms",
    "detect_ms",
    "code",
    "returned",
    "raised",
    "ended_by",
    "ended_ms",
    "task_left",
    "group_left",
    "queue_left",
    "subscription_left",
    "presence_left",
)


def check(trial: TrialRecords) -> Finding:
    """Return one row for each dropped connection, by time; t_s 0 is where the window that counts starts."""
    start_ns = trial.window.start_ns if trial.window else None
    rows = fates(trial).with_columns(
        t_s=(pl.col("dropped_ns") - start_ns) / NS_A_S,
        returned=pl.when(pl.col("verdict") == "called").then(pl.col("returned_ns").is_not_null()),
    )
    return Finding(rows=rows.select(COLUMNS).with_columns(pl.col("returned", "^.*_left$").cast(pl.Int64)))


def _blank(trial: TrialRecords) -> pl.DataFrame:
    return pl.DataFrame()


KIND = Check(name="drops", table="drops", columns=COLUMNS, run=check, blank=_blank)
