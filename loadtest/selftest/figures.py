"""Figures: what the audit says of a trial, by name: sums of its tables' columns, and causes of what was missed."""

from collections import Counter
from collections.abc import Mapping

import polars as pl

from loadtest.checks import delivery, disconnects, residue, throughput
from loadtest.checks.fates import fates
from loadtest.checks.kind import Finding, run_check
from loadtest.checks.records import TrialRecords

Figures = Mapping[str, int | float | None]
"""By name; None: the audit says that it does not know."""

CALLED_THEN_RAISED = "disconnect() called, and a send raised"

_DISCONNECTS = (
    "dropped",
    "disconnect_called",
    "missed",
    "unknown",
    "never_reached",
    "noticed",
    "returned",
    "raised",
    "groups_left",
    "tasks_left",
    "presence_left",
    "queues_left",
)
_DELIVERY = ("lost", "duplicated", "reordered", "deaf")
_THROUGHPUT = ("latency_ms_max", "stalled_ms")


def read_figures(trial: TrialRecords) -> Figures:
    """Run the audit on what a trial recorded."""
    dropped, delivered = run_check(disconnects.KIND, trial).rows, run_check(delivery.KIND, trial).rows
    each = fates(trial)
    raised_in_send = each.filter((pl.col("verdict") == "called") & pl.col("send_raised").is_not_null())
    return {
        **{name: _total(dropped[name]) for name in _DISCONNECTS},
        **{cause_figure(cause): count for cause, count in Counter(each["cause"].drop_nulls()).items()},
        CALLED_THEN_RAISED: raised_in_send.height,
        **{name: _total(delivered[name]) for name in _DELIVERY},
        **_one_row(run_check(throughput.KIND, trial), _THROUGHPUT),
        **{left_figure(kind): left for kind, left in _left(run_check(residue.KIND, trial)).items()},
    }


def cause_figure(cause: str) -> str:
    """Name the figure of connections that were missed for this cause."""
    return f"missed: {cause}"


def left_figure(kind: str) -> str:
    """Name the figure of a kind of residue."""
    return f"left: {kind}"


def _total(column: pl.Series) -> int | None:
    return None if column.null_count() else int(column.sum())


def _one_row(finding: Finding, names: tuple[str, ...]) -> Figures:
    return {name: finding.rows[name][0] for name in names}


def _left(finding: Finding) -> dict[str, int | None]:
    return dict(finding.rows.select("kind", "left").iter_rows())
