"""Figures: what the audit says of a trial, by name: sums of its tables' columns, and causes of what was missed."""

from collections.abc import Mapping

import polars as pl

from loadtest.checks import CheckResult, delivery, disconnects, residue, run_check, throughput
from loadtest.checks.dropped import CAUSES, dropped_connections
from loadtest.checks.records import TrialRecords
from loadtest.checks.residue.table import KIND, LEFT
from loadtest.figures.column import AnyColumn

Figures = Mapping[str, int | float | None]
"""By name; None: the audit says that it does not know."""

CALLED_THEN_RAISED = "disconnect() called, and a send raised"

_DISCONNECTS = (
    disconnects.table.DROPPED,
    disconnects.table.DISCONNECT_CALLED,
    disconnects.table.MISSED,
    disconnects.table.UNKNOWN,
    disconnects.table.NEVER_REACHED,
    disconnects.table.NOTICED,
    disconnects.table.RETURNED,
    disconnects.table.RAISED,
    disconnects.table.GROUPS_LEFT,
    disconnects.table.TASKS_LEFT,
    disconnects.table.PRESENCE_LEFT,
    disconnects.table.QUEUES_LEFT,
    disconnects.table.SUBSCRIPTIONS_LEFT,
)
_DELIVERY = (
    delivery.table.LOST,
    delivery.table.DUPLICATED,
    delivery.table.REORDERED,
    delivery.table.DEAF,
)
_THROUGHPUT = (throughput.table.LATENCY_MS_MAX, throughput.table.STALLED_MS)


def read_figures(trial: TrialRecords) -> Figures:
    """Run the audit on what a trial recorded."""
    dropped, delivered = run_check(disconnects.KIND, trial), run_check(delivery.KIND, trial)
    each = dropped_connections(trial)
    raised_in_send = each.filter((pl.col("verdict") == "called") & pl.col("send_raised").is_not_null())
    return {
        **_totals(dropped, _DISCONNECTS),
        **_causes(each),
        CALLED_THEN_RAISED: raised_in_send.height,
        **_totals(delivered, _DELIVERY),
        **_one_row(run_check(throughput.KIND, trial), _THROUGHPUT),
        **{left_figure(kind): left for kind, left in _left(run_check(residue.KIND, trial)).items()},
    }


def cause_figure(cause: str) -> str:
    """Name the figure of connections that were missed for this cause."""
    return f"missed: {cause}"


def left_figure(kind: str) -> str:
    """Name the figure of a kind of residue."""
    return f"left: {kind}"


def _causes(each: pl.DataFrame) -> Figures:
    """Every cause, also those of which there was none: a name that is no figure must not read as 0."""
    return {cause_figure(cause): each.filter(pl.col("cause") == cause).height for cause in CAUSES}


def _totals(result: CheckResult, columns: tuple[AnyColumn, ...]) -> Figures:
    return {column.name: _total(result.rows[column.name]) for column in columns}


def _total(column: pl.Series) -> int | None:
    return None if column.null_count() else int(column.sum())


def _one_row(result: CheckResult, columns: tuple[AnyColumn, ...]) -> Figures:
    return {column.name: result.rows[column.name][0] for column in columns}


def _left(result: CheckResult) -> dict[str, int | None]:
    return dict(result.rows.select(KIND.name, LEFT.name).iter_rows())
