"""Disconnects: for each kind of drop, how many had disconnect() entered, when and with which code, and what was left.

It sums up `dropped_connections`: dropped = disconnect_called + missed + unknown, in every row. A connection that died
inside the HTTP upgrade, before any application ran for it, had nothing to be called: it counts as never reached and not
as dropped.
"""

from collections.abc import Iterator
from math import inf

import polars as pl

from loadtest.checks.disconnects import table
from loadtest.checks.dropped import dropped_connections
from loadtest.checks.exposure import exposure_of
from loadtest.checks.kind import CheckResult
from loadtest.checks.records import NS_A_MS, TrialRecords
from loadtest.dimensions import DROP
from loadtest.figures.column import AnyColumn
from loadtest.figures.counts import counts_of
from loadtest.figures.table import Row
from loadtest.stats.share import share_of


def check(trial: TrialRecords) -> CheckResult:
    """Return one row for each kind of drop that was planned; `example` is the id of a missed connection."""
    connections = dropped_connections(trial)
    exposure = exposure_of(trial, trial.window) if trial.window else None
    row_of = _row_of_clients if trial.unprobed else _row
    rows = [
        {**row_of(kind, connections.filter(pl.col("drop") == kind), trial), table.EXPOSURE: exposure}
        for kind in trial.drops
    ]
    return CheckResult(rows=table.TABLE.frame(rows), unknown=tuple(_reasons(trial, connections)))


def blank(trial: TrialRecords) -> pl.DataFrame:
    """Return a row for each kind of drop that was planned, with no figures."""
    return table.TABLE.frame([{DROP: kind, **dict.fromkeys(table.TABLE.figures)} for kind in trial.drops])


def _row_of_clients(kind: str, connections: pl.DataFrame, trial: TrialRecords) -> Row:
    """Return what the clients alone can tell: what became of a drop is not known, and is not 0."""
    nothing: Row = dict.fromkeys(table.TABLE.figures)
    return {**nothing, DROP: kind, table.DROPPED: connections.height, table.UNKNOWN: connections.height}


def _row(kind: str, connections: pl.DataFrame, trial: TrialRecords) -> Row:
    dropped = connections.filter(pl.col("verdict") != "never reached")
    called = dropped.filter(pl.col("verdict") == "called")
    missed = dropped.filter(pl.col("verdict") == "missed")
    return {
        DROP: kind,
        table.DROPPED: dropped.height,
        table.DISCONNECT_CALLED: called.height,
        table.MISSED: missed.height,
        table.UNKNOWN: dropped.height - called.height - missed.height,
        **_share(missed.height, missed.height + called.height),
        **_detection(called, missed.height),
        table.DETECT_ERROR_MS: trial.clock_bound_ns / NS_A_MS,
        table.NEVER_REACHED: connections.height - dropped.height,
        **_steps(dropped, is_complete=_is_complete(trial)),
        **{column: _how_many(dropped[name]) for name, (column, _) in _LEFT.items()},
        table.CAUSES: counts_of(missed["cause"]),
        table.EXAMPLE: str(missed["connection"][0]) if missed.height else "",
    }


def _share(missed: int, known: int) -> Row:
    interval = share_of([missed], [known]).interval if known else None
    return {
        table.MISSED_SHARE: interval and interval.estimate,
        table.MISSED_SHARE_LOW: interval and interval.low,
        table.MISSED_SHARE_HIGH: interval and interval.high,
    }


def _detection(called: pl.DataFrame, missed: int) -> Row:
    """Of those that were missed the time is infinite: they are not left out."""
    detect_ms = called.filter(pl.col("detect_ms") >= 0)["detect_ms"]  # below 0: the server had ended it before
    times = pl.concat([detect_ms, pl.Series([inf] * missed, dtype=pl.Float64)])
    has_p99 = len(times) >= table.LEAST_FOR_P99
    return {
        table.DETECT_MS_P50: times.quantile(0.50, "nearest") if called.height else None,
        table.DETECT_MS_P99: times.quantile(0.99, "nearest") if called.height and has_p99 else None,
        table.DETECT_MS_MAX: detect_ms.max(),
        table.CODES: counts_of(called["code"]),
    }


_STEPS = {table.NOTICED: "noticed_ns", table.RETURNED: "returned_ns", table.RAISED: "raised"}


def _is_complete(trial: TrialRecords) -> bool:
    """Tell whether the ledgers hold all that happened: else what is not in them may have happened."""
    return bool(trial.after) and not trial.is_truncated


def _steps(dropped: pl.DataFrame, *, is_complete: bool) -> Row:
    """How far each came."""
    return {column: dropped[name].count() if is_complete else None for column, name in _STEPS.items()}


def _how_many(left: pl.Series) -> int | None:
    return None if left.null_count() else int(left.sum())


def _reasons(trial: TrialRecords, connections: pl.DataFrame) -> Iterator[tuple[AnyColumn, str]]:
    """Say why what is not known is not."""
    strangers = connections.filter(~pl.col("drop").is_in(list(trial.drops)).fill_null(False)).height
    if strangers:
        yield table.DROPPED, f"{strangers} connections were dropped in a way that is not known or was not planned"
    if trial.unprobed:
        known = (table.DROPPED, table.UNKNOWN)
        yield from ((column, trial.unprobed) for column in table.TABLE.figures if column not in known and trial.drops)
        if connections.height:
            yield table.UNKNOWN, f"{connections.height} dropped connections: {trial.unprobed}"
        return
    general = list(_general_reasons(trial, connections))
    unknown = connections.filter(pl.col("verdict") == "unknown").height
    if unknown:
        yield table.UNKNOWN, f"{unknown} dropped connections: " + "; ".join(general)
    if not _is_complete(trial):
        yield from ((column, "; ".join(general)) for column in _STEPS if trial.drops)
    for name, (column, part) in _LEFT.items():
        if connections[name].null_count():
            own = [f"process {held.pid}: {held.unknown[part]}" for held in trial.after if part in held.unknown]
            yield column, "; ".join([*own, *general]) or _why_untold(trial, part)


def _general_reasons(trial: TrialRecords, connections: pl.DataFrame) -> Iterator[str]:
    if trial.is_truncated:
        yield "a ledger could not grow, so what is not in it may have happened"
    if trial.after_unknown or not trial.after:
        yield trial.after_unknown or "the residue was not read"
    unknown = connections.filter(pl.col("verdict") == "unknown")
    if never_seen := unknown["pid"].null_count():
        yield f"{never_seen} were let in by the server and are not in its ledger"
    told = {residue.pid for residue in trial.after}
    if told and (gone := sorted(set(unknown["pid"].drop_nulls()) - told)):
        yield f"process {', '.join(map(str, gone))} did not live until the end, or did not answer"


def _why_untold(trial: TrialRecords, part: str) -> str:
    if part == "presence" and any(residue.presence is not None for residue in trial.after):
        return "the app tells how many are left, and not of which connections"
    return "the app does not tell"


_LEFT = {
    "group_left": (table.GROUPS_LEFT, "groups"),
    "queue_left": (table.QUEUES_LEFT, "queues"),
    "subscription_left": (table.SUBSCRIPTIONS_LEFT, "subscriptions"),
    "presence_left": (table.PRESENCE_LEFT, "presence"),
    "task_left": (table.TASKS_LEFT, "tasks"),
}
"""What a dropped connection can leave: the column that sums it up, and the part of the residue that tells."""
