"""Timeline: what happened in each quarter of a second, with the drops among it."""

import polars as pl

from loadtest.checks.kind import Check, Finding
from loadtest.checks.records import NS_A_S, TrialRecords
from loadtest.checks.throughput import with_latency
from loadtest.checks.usage import cpu_steps_s
from loadtest.ledger.record import Event

COLUMNS = (
    "t_s",
    "open_sockets",
    "sent",
    "received",
    "dropped",
    "latency_ms_p50",
    "latency_ms_max",
    "server_cpu_percent",
    "server_rss_mb",
    "generator_cpu_percent",
)
BUCKET_S = 0.25
CPU_DIGITS = 1
"""The kernel counts CPU time in ticks of 10 ms, 4 % of a bucket: more digits would be none of its own."""
_BUCKET_NS = round(BUCKET_S * NS_A_S)
_MB = 1_000_000


def check(trial: TrialRecords) -> Finding:
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
    counted = {"sent": trial.sent, "received": trial.received, "dropped": trial.client_events(Event.DROPPED)}
    for name, events in counted.items():
        rows = rows.join(events.group_by(bucket).agg(pl.len().alias(name)), on="bucket", how="left")
    latency = (
        with_latency(trial)
        .group_by(bucket)
        .agg(
            latency_ms_p50=pl.col("latency_ms").median(),
            latency_ms_max=pl.col("latency_ms").max(),
        )
    )
    rows = (
        rows.join(latency, on="bucket", how="left")
        .join(_open_sockets(trial, buckets, bucket), on="bucket", how="left")
        .join(_memory(trial, bucket), on="bucket", how="left")
        .with_columns(pl.col("sent", "received", "dropped").fill_null(0), t_s=pl.col("bucket") * BUCKET_S)
        .sort("bucket")
    )
    edges = [start_ns + number * _BUCKET_NS for number in range(first, last + 2)]
    rows = rows.with_columns(
        server_cpu_percent=_cpu_percent(trial, "server", edges),
        generator_cpu_percent=_cpu_percent(trial, "generator", edges),
    )
    return Finding(rows=rows.select(COLUMNS))


def _open_sockets(trial: TrialRecords, buckets: pl.DataFrame, bucket: pl.Expr) -> pl.DataFrame:
    """Return how many connections the generator held at the end of each bucket."""
    opened = trial.client_events(Event.OPENED).select(bucket, change=pl.lit(1))
    ended = trial.client_events(Event.DROPPED, Event.PEER_CLOSED, Event.CLOSED).unique("connection", keep="first")
    closed = ended.join(trial.client_events(Event.OPENED), on="connection", how="semi")  # some die while they open
    changes = pl.concat([opened, closed.select(bucket, change=pl.lit(-1))]).group_by("bucket").agg(pl.sum("change"))
    return (
        buckets.join(changes, on="bucket", how="left")
        .sort("bucket")
        .select("bucket", open_sockets=pl.col("change").fill_null(0).cum_sum())
    )


def _memory(trial: TrialRecords, bucket: pl.Expr) -> pl.DataFrame:
    server = trial.samples.filter(pl.col("role") == "server")
    return server.group_by(bucket).agg(server_rss_mb=pl.col("rss_bytes").max() / _MB)


def _cpu_percent(trial: TrialRecords, role: str, edges: list[int]) -> pl.Series:
    used = cpu_steps_s(trial, role, edges)
    return pl.Series([None if s is None else 100 * s / BUCKET_S for s in used], dtype=pl.Float64).round(CPU_DIGITS)


def _blank(trial: TrialRecords) -> pl.DataFrame:
    return pl.DataFrame()


KIND = Check(name="timeline", table="timeline", columns=COLUMNS, run=check, blank=_blank)
