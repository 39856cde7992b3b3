"""What a check is: a pure function from a trial's records to rows of one table."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from loadtest.checks.records import TrialRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Rows for one table, without the columns that name the trial, and why some figures in them are not known."""

    rows: pl.DataFrame
    unknown: tuple[tuple[str, str], ...] = ()
    """(column, why)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check: the table and the columns that it fills, and the function that does it."""

    name: str
    table: str
    columns: tuple[str, ...]
    run: Callable[[TrialRecords], Finding]


def run_check(check: Check, trial: TrialRecords) -> Finding:
    """Run a check; one that fails makes its columns unknown, never good."""
    try:
        return check.run(trial)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the figures are not known
        why = f"the check {check.name!r} failed: {type(error).__name__}: {error}"
        empty = pl.DataFrame({column: [None] for column in check.columns})
        return Finding(rows=empty, unknown=tuple((column, why) for column in check.columns))
