"""What a check is: a pure function from a trial's records to rows of its table, and all that is said of that table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from loadtest.checks.records import TrialRecords
from loadtest.figures.column import AnyColumn, Column
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding
from loadtest.figures.printed import Printed
from loadtest.figures.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """Rows for a check's table, without the columns that name the trial, and what must be said of them."""

    rows: pl.DataFrame
    unknown: tuple[tuple[AnyColumn, str], ...] = ()
    """Columns with figures that are not known, and why they are not."""
    invalid: tuple[str, ...] = ()
    """Why the trial is not valid, so that its figures tell nothing about the server; empty when it is valid."""


Blank = Callable[[TrialRecords], pl.DataFrame]
Says = Callable[[Evidence], Iterator[Finding]]


def no_rows(trial: TrialRecords) -> pl.DataFrame:
    """Return no rows: the `blank` of a table that may have any number of them."""
    return pl.DataFrame()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check owns its table: it fills it, and says how it is printed and what is found in it."""

    table: Table
    run: Callable[[TrialRecords], CheckResult]
    blank: Blank | None = None
    """Gives the rows that stand there, with every figure unknown, when the check itself fails; None: one empty row."""
    examples: tuple[Column[str], ...] = ()
    """Columns that name a connection by its id, as text; "" where there is none."""
    printed: Printed | None = None
    also_printed: tuple[Printed, ...] = ()
    """Other ways in which its table is printed."""
    says: Says | None = None
    decides_validity: bool = False
    """A trial is valid only where this check says so."""

    @property
    def name(self) -> str:
        """The check's name, that of its table."""
        return self.table.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that its rows have."""
        return tuple(self.table.schema)

    def blank_rows(self, trial: TrialRecords) -> pl.DataFrame:
        """Return the rows of a trial of which nothing is known."""
        if self.blank is not None:
            return self.blank(trial)
        return self.table.frame([dict.fromkeys(self.table.figures)])


def run_check(check: Check, trial: TrialRecords) -> CheckResult:
    """Run a check; one that fails makes its columns unknown, never good."""
    try:
        return check.run(trial)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the figures are not known
        why = f"the check {check.name!r} failed: {type(error).__name__}: {error}"
        blank = check.blank_rows(trial)
        known = {column.name for column in blank if not column.null_count()}
        return CheckResult(
            rows=blank,
            unknown=tuple((column, why) for column in check.table.figures if column.name not in known),
            invalid=(why,) if check.decides_validity else (),
        )
