"""What a check is: a pure function from a trial's records to rows of one table."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from loadtest.checks.records import TrialRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Rows for one table, without the columns that name the trial, and what must be said of them."""

    rows: pl.DataFrame
    unknown: tuple[tuple[str, str], ...] = ()
    """(column, why it is not known)"""
    invalid: tuple[str, ...] = ()
    """Why the trial's figures are no statement on the server; empty when they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check: the table and the columns that it fills, and the function that does it.

    `blank` gives the rows that stand there, with every figure unknown, when the check itself fails.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    run: Callable[[TrialRecords], Finding]
    blank: Callable[[TrialRecords], pl.DataFrame]
    examples: tuple[str, ...] = ()
    """Those of the columns that name a connection by its id, as text; "" where there is none."""


def run_check(check: Check, trial: TrialRecords) -> Finding:
    """Run a check; one that fails makes its columns unknown, never good."""
    try:
        return check.run(trial)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the figures are not known
        why = f"the check {check.name!r} failed: {type(error).__name__}: {error}"
        blank = check.blank(trial)
        known = {column.name for column in blank if not column.null_count()}
        return Finding(
            rows=blank,
            unknown=tuple((column, why) for column in check.columns if column not in known),
            invalid=(why,) if "valid" in check.columns else (),  # nobody else can say that the trial is valid
        )
