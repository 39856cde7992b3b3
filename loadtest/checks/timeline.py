"""Timeline: what happened in each quarter of a second, with the drops among it."""

from functools import partial

import polars as pl

from loadtest.checks.kind import Check, CheckResult, no_rows
from loadtest.checks.records import NS_A_S, TrialRecords
from loadtest.checks.throughput.audit import with_latency
from loadtest.checks.usage import cpu_steps_s
from loadtest.figures.column import Column
from loadtest.figures.table import Table
from loadtest.ledger.record import Event

_column = partial(Column, table="timeline")

T_S = _column(
    name="t_s",
    unit="s",
    dtype=float,
    meaning="start of the step, from the start of the steady window (negative: warm-up)",
    may_be_negative=True,
)
OPEN_SOCKETS = _column(name="open_sockets", unit="connections", dtype=int, meaning="WebSockets open at the clients")
SENT = _column(name="sent", unit="messages", dtype=int, meaning="messages sent in the step")
RECEIVED = _column(name="received", unit="messages", dtype=int, meaning="messages received in the step")
DROPPED = _column(name="dropped", unit="connections", dtype=int, meaning="connections dropped in the step")
LATENCY_MS_P50 = _column(
    name="latency_ms_p50", unit="ms", dtype=float, meaning="median latency of the step's messages", better="lower"
)
LATENCY_MS_MAX = _column(
    name="latency_ms_max", unit="ms", dtype=float, meaning="latency of the step's slowest message", better="lower"
)
SERVER_CPU_PERCENT = _column(
    name="server_cpu_percent", unit="%", dtype=float, meaning="CPU of all server processes; 100 is one core"
)
SERVER_RSS_MB = _column(name="server_rss_mb", unit="MB", dtype=float, meaning="resident memory of all server processes")
GENERATOR_CPU_PERCENT = _column(
    name="generator_cpu_percent", unit="%", dtype=float, meaning="CPU of the load generator; 100 is one core"
)

TABLE = Table(
    name="timeline",
    meaning="Each trial in steps of a quarter of a second.",
    row="one step of one trial",
    has_row_a_trial=False,
    figures=(
        T_S,
        OPEN_SOCKETS,
        SENT,
        RECEIVED,
        DROPPED,
        LATENCY_MS_P50,
        LATENCY_MS_MAX,
        SERVER_CPU_PERCENT,
        SERVER_RSS_MB,
        GENERATOR_CPU_PERCENT,
    ),
)

BUCKET_S = 0.25
CPU_DIGITS = 1
"""The kernel counts CPU time in ticks of 10 ms, 4 % of a bucket: more digits would be none of its own."""
_BUCKET_NS = round(BUCKET_S * NS_A_S)
_MB = 1_000_000


def check(trial: TrialRecords) -> CheckResult:
    """Return one row a bucket from the first connection to the end; t_s 0 is where the window that counts starts."""
    window = trial.window
    if window is None:
        raise ValueError("the trial did not get through its phases")
    start_ns = window.start_ns
    first = (trial.client["time_ns"][0] - start_ns) // _BUCKET_NS
    last = (window.closing_ns - start_ns) // _BUCKET_NS
    buckets = pl.DataFrame({"bucket": range(first, last + 1)}, schema={"bucket": pl.Int64})
    bucket = (pl.col("time_ns") - start_ns).floordiv(_BUCKET_NS).alias("bucket")
    rows = buckets
    counted = {SENT: trial.sent, RECEIVED: trial.received, DROPPED: trial.client_events(Event.DROPPED)}
    for column, events in counted.items():
        rows = rows.join(events.group_by(bucket).agg(pl.len().alias(column.name)), on="bucket", how="left")
    latency = (
        with_latency(trial)
        .group_by(bucket)
        .agg(
            pl.col("latency_ms").median().alias(LATENCY_MS_P50.name),
            pl.col("latency_ms").max().alias(LATENCY_MS_MAX.name),
        )
    )
    rows = (
        rows.join(latency, on="bucket", how="left")
        .join(_open_sockets(trial, buckets, bucket), on="bucket", how="left")
        .join(_memory(trial, bucket), on="bucket", how="left")
        .with_columns(*(column.expr.fill_null(0) for column in counted), (pl.col("bucket") * BUCKET_S).alias(T_S.name))
        .sort("bucket")
    )
    edges = [start_ns + number * _BUCKET_NS for number in range(first, last + 2)]
    rows = rows.with_columns(
        _cpu_percent(trial, "server", edges).alias(SERVER_CPU_PERCENT.name),
        _cpu_percent(trial, "generator", edges).alias(GENERATOR_CPU_PERCENT.name),
    )
    return CheckResult(rows=rows.select(TABLE.schema.names()))


def _open_sockets(trial: TrialRecords, buckets: pl.DataFrame, bucket: pl.Expr) -> pl.DataFrame:
    """Return how many connections the generator held at the end of each bucket."""
    opened = trial.client_events(Event.OPENED).select(bucket, change=pl.lit(1))
    ended = trial.client_events(Event.DROPPED, Event.PEER_CLOSED, Event.CLOSED).unique("connection", keep="first")
    closed = ended.join(trial.client_events(Event.OPENED), on="connection", how="semi")  # some die while they open
    changes = pl.concat([opened, closed.select(bucket, change=pl.lit(-1))]).group_by("bucket").agg(pl.sum("change"))
    return (
        buckets.join(changes, on="bucket", how="left")
        .sort("bucket")
        .select("bucket", pl.col("change").fill_null(0).cum_sum().alias(OPEN_SOCKETS.name))
    )


def _memory(trial: TrialRecords, bucket: pl.Expr) -> pl.DataFrame:
    server = trial.samples.filter(pl.col("role") == "server")
    return server.group_by(bucket).agg((pl.col("rss_bytes").max() / _MB).alias(SERVER_RSS_MB.name))


def _cpu_percent(trial: TrialRecords, role: str, edges: list[int]) -> pl.Series:
    used = cpu_steps_s(trial, role, edges)
    return pl.Series([None if s is None else 100 * s / BUCKET_S for s in used], dtype=pl.Float64).round(CPU_DIGITS)


KIND = Check(table=TABLE, run=check, blank=no_rows)
