"""Disconnects: for each kind of drop, how many had disconnect() entered, when and with which code, and what was left.

It sums up `fates`: dropped = disconnect_called + missed + unknown, in every row. A connection that died inside the HTTP
upgrade, before any application ran for it, had nothing to be called: it counts as never reached and not as dropped.
"""

from collections.abc import Iterator

import polars as pl

from loadtest.checks.fates import CAUSES, fates
from loadtest.checks.kind import Check, Finding
from loadtest.checks.records import TrialRecords

_SCHEMA = pl.Schema(
    {
        "drop": pl.String(),
        "dropped": pl.Int64(),
        "disconnect_called": pl.Int64(),
        "missed": pl.Int64(),
        "unknown": pl.Int64(),
        "detect_ms_p50": pl.Float64(),
        "detect_ms_p99": pl.Float64(),
        "detect_ms_max": pl.Float64(),
        "codes": pl.String(),
        "groups_left": pl.Int64(),
        "tasks_left": pl.Int64(),
        "presence_left": pl.Int64(),
        "never_reached": pl.Int64(),
        "noticed": pl.Int64(),
        "returned": pl.Int64(),
        "raised": pl.Int64(),
        "queues_left": pl.Int64(),
        "subscriptions_left": pl.Int64(),
        "causes": pl.String(),
        "example": pl.String(),
    }
)
COLUMNS = tuple(_SCHEMA)


def check(trial: TrialRecords) -> Finding:
    """Return one row for each kind of drop that was planned; `example` is the id of a missed connection."""
    connections = fates(trial)
    rows = [_row(kind, connections.filter(pl.col("drop") == kind), trial) for kind in trial.drops]
    return Finding(rows=pl.DataFrame(rows, schema=_SCHEMA), unknown=tuple(_reasons(trial, connections)))


def _row(kind: str, connections: pl.DataFrame, trial: TrialRecords) -> dict[str, object]:
    dropped = connections.filter(pl.col("verdict") != "never reached")
    called = dropped.filter(pl.col("verdict") == "called")
    missed = dropped.filter(pl.col("verdict") == "missed")
    detect_ms = called.filter(pl.col("detect_ms") >= 0)["detect_ms"]  # below 0: the server had ended it before
    is_complete = bool(trial.after) and not trial.is_truncated
    return {
        "drop": kind,
        "dropped": dropped.height,
        "disconnect_called": called.height,
        "missed": missed.height,
        "unknown": dropped.height - called.height - missed.height,
        "detect_ms_p50": detect_ms.quantile(0.50, "nearest"),
        "detect_ms_p99": detect_ms.quantile(0.99, "nearest"),
        "detect_ms_max": detect_ms.max(),
        "codes": _counted(called["code"], " "),
        "groups_left": _how_many(dropped["group_left"]),
        "tasks_left": _how_many(dropped["task_left"]),
        "presence_left": _how_many(dropped["presence_left"]),
        "never_reached": connections.height - dropped.height,
        "noticed": dropped["noticed_ns"].count() if is_complete else None,
        "returned": dropped["returned_ns"].count() if is_complete else None,
        "raised": dropped["raised"].count() if is_complete else None,
        "queues_left": _how_many(dropped["queue_left"]),
        "subscriptions_left": _how_many(dropped["subscription_left"]),
        "causes": _counted(missed["cause"], "; "),
        "example": str(missed["connection"][0]) if missed.height else "",
    }


def _how_many(left: pl.Series) -> int | None:
    return None if left.null_count() else int(left.sum())


def _counted(values: pl.Series, separator: str) -> str:
    """Return "value:count", the most frequent first."""
    name = values.name
    counts = values.value_counts().sort(["count", name], descending=[True, False])
    return separator.join(f"{value}:{count}" for value, count in counts.iter_rows())


def _reasons(trial: TrialRecords, connections: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """Say why what is not known is not."""
    strangers = connections.filter(~pl.col("drop").is_in(list(trial.drops)).fill_null(False)).height
    if strangers:
        yield "dropped", f"{strangers} connections were dropped in a way that is not known or was not planned"
    general = list(_general_reasons(trial, connections))
    unknown = connections.filter(pl.col("verdict") == "unknown").height
    if unknown:
        yield "unknown", f"{unknown} dropped connections: " + "; ".join(general)
    for name, (column, part) in _LEFT.items():
        if connections[name].null_count():
            own = [f"process {held.pid}: {held.unknown[part]}" for held in trial.after if part in held.unknown]
            yield column, "; ".join([*own, *general]) or "the app does not tell"


def _general_reasons(trial: TrialRecords, connections: pl.DataFrame) -> Iterator[str]:
    if trial.is_truncated:
        yield "a ledger could not grow, so what is not in it may have happened"
    if trial.after_unknown or not trial.after:
        yield trial.after_unknown or "the residue was not read"
    unknown = connections.filter(pl.col("verdict") == "unknown")
    if never_seen := unknown["pid"].null_count():
        yield f"{never_seen} were let in by the server and are not in its ledger"
    if gone := sorted(set(unknown["pid"].drop_nulls()) - {residue.pid for residue in trial.after}):
        yield f"process {', '.join(map(str, gone))} did not live until the end, or did not answer"


_LEFT = {
    "group_left": ("groups_left", "groups"),
    "queue_left": ("queues_left", "queues"),
    "subscription_left": ("subscriptions_left", "subscriptions"),
    "presence_left": ("presence_left", "presence"),
    "task_left": ("tasks_left", "tasks"),
}
"""What a dropped connection can leave: the column that sums it up, and the part of the residue that tells."""


def _blank(trial: TrialRecords) -> pl.DataFrame:
    return pl.DataFrame({"drop": trial.drops}, schema={"drop": pl.String})


KIND = Check(name="disconnects", table="disconnects", columns=COLUMNS, run=check, blank=_blank, examples=("example",))

assert all(";" not in cause for cause in CAUSES), "causes are joined by ';'"
