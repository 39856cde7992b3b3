"""Drops: what became of every dropped connection, a row each."""

from functools import partial

import polars as pl

from loadtest.checks.dropped import dropped_connections
from loadtest.checks.kind import Check, CheckResult, no_rows
from loadtest.checks.records import NS_A_MS, NS_A_S, TrialRecords
from loadtest.dimensions import DROP
from loadtest.figures.column import Column
from loadtest.figures.table import Table

_column = partial(Column, table="drops")
_flag = partial(_column, dtype=int)
_since_drop = partial(_column, unit="ms", dtype=float, better="lower")

CONNECTION = _column(name="connection", dtype=int, meaning="its id, as in the ledgers")
T_S = _column(
    name="t_s",
    unit="s",
    dtype=float,
    meaning="when it was dropped, from the start of the steady window",
    may_be_negative=True,
)
AGE_S = _column(
    name="age_s", unit="s", dtype=float, meaning="how long it had been open when it was dropped; empty: never", since=5
)
VERDICT = _column(
    name="verdict",
    dtype=str,
    meaning='"called", "missed", "never reached" (no application ever ran for it) or "unknown"',
    values=("called", "missed", "never reached", "unknown"),
)
CAUSE = _column(name="cause", dtype=str, meaning="why disconnect() was missed")
NOTICED_MS = _since_drop(name="noticed_ms", meaning="from the drop until the server handed out a disconnect", since=3)
DETECT_MS = _since_drop(name="detect_ms", meaning="from the drop to disconnect() entered")
WATCHED_MS = _column(
    name="watched_ms",
    unit="ms",
    dtype=float,
    meaning="from the drop until settling ended: so long was disconnect() waited for",
    since=5,
)
CODE = _column(name="code", dtype=int, meaning="the code disconnect() got")
RETURNED = _flag(name="returned", meaning="1: disconnect() returned; 0: it had not by the end of settling", since=3)
RAISED = _column(name="raised", dtype=str, meaning="the exception that disconnect() raised")
ENDED_BY = _column(name="ended_by", dtype=str, meaning="the exception that ended its task; empty if none did")
ENDED_MS = _since_drop(name="ended_ms", meaning="from the drop to the end of its task", since=3)
TASK_LEFT = _flag(name="task_left", meaning="1: its task still ran after settling")
GROUP_LEFT = _flag(name="group_left", meaning="1: it was still in a group after settling")
QUEUE_LEFT = _flag(name="queue_left", meaning="1: messages were still queued for it after settling")
SUBSCRIPTION_LEFT = _flag(name="subscription_left", meaning="1: the layer was still subscribed to its channel", since=3)
PRESENCE_LEFT = _flag(name="presence_left", meaning="1: the database still showed it as online after settling")

TABLE = Table(
    name="drops",
    meaning="The audit of every single dropped connection; disconnects.csv sums it up.",
    row="one dropped connection",
    has_row_a_trial=False,
    figures=(
        CONNECTION,
        T_S,
        AGE_S,
        VERDICT,
        CAUSE,
        NOTICED_MS,
        DETECT_MS,
        WATCHED_MS,
        CODE,
        RETURNED,
        RAISED,
        ENDED_BY,
        ENDED_MS,
        TASK_LEFT,
        GROUP_LEFT,
        QUEUE_LEFT,
        SUBSCRIPTION_LEFT,
        PRESENCE_LEFT,
    ),
    refines=(DROP,),
)


def check(trial: TrialRecords) -> CheckResult:
    """Return one row for each dropped connection, by time; t_s 0 is where the window that counts starts."""
    start_ns = trial.window.start_ns if trial.window else None
    rows = dropped_connections(trial).with_columns(
        ((pl.col("dropped_ns") - start_ns) / NS_A_S).alias(T_S.name),
        ((pl.lit(trial.settled_ns, pl.Int64) - pl.col("dropped_ns")) / NS_A_MS).alias(WATCHED_MS.name),
        pl.when(pl.col("verdict") == "called").then(pl.col("returned_ns").is_not_null()).alias(RETURNED.name),
    )
    return CheckResult(rows=rows.select(TABLE.schema.names()).cast(TABLE.schema))


KIND = Check(table=TABLE, run=check, blank=no_rows)
