"""What no measurement can say: counts below 0, parts that are not their sum, drops that no table sums up."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from loadtest.checks.disconnects.table import DISCONNECT_CALLED, MISSED, NEVER_REACHED, UNKNOWN
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.checks.drops import TABLE as DROPS
from loadtest.checks.drops import VERDICT
from loadtest.figures.column import AnyColumn
from loadtest.figures.table import KEY_NAMES, Table
from loadtest.report.errors import ReportError
from loadtest.report.tables import Tables

_VERDICTS = {
    "called": DISCONNECT_CALLED, "missed": MISSED, "unknown": UNKNOWN, "never reached": NEVER_REACHED,
}  # fmt: skip


def refuse_unsound(tables: Tables, folder: Path) -> None:
    """Raise ReportError, which names all tables that say what cannot be, and of each what."""
    problems = [problem for table in tables for problem in _problems_of(tables[table], table)]
    problems += _problems_of_drops(tables)
    if problems:
        raise ReportError(
            f"{folder} is damaged: {'; '.join(problems)}; take the folder from a copy of it, or run the bench again"
        )


def _problems_of(frame: pl.DataFrame, table: Table) -> Iterator[str]:
    for column in table.columns:
        bad = frame[column.name].filter(frame.select(_is_impossible(column)).to_series())
        if bad.len():
            yield f"{table.file}, column {column.name}: {'empty' if bad[0] is None else repr(bad[0])}"
    if table.whole is not None:
        known = [table.whole.expr.is_not_null(), *(part.expr.is_not_null() for part in table.parts)]
        wrong = frame.filter(*known, table.whole.expr != pl.sum_horizontal(part.expr for part in table.parts))
        if wrong.height:
            parts = " + ".join(part.name for part in table.parts)
            yield f"{table.file}: {table.whole.name} is not {parts} in {wrong.height} of {frame.height} rows"


def _is_impossible(column: AnyColumn) -> pl.Expr:
    """Tell of each row whether the column says what it never can; what is empty is not known, which may be."""
    value, nowhere = column.expr, pl.lit(value=False)
    if column.values:
        return value.is_in(column.values).not_().fill_null(column.never_empty)
    is_negative = nowhere if column.may_be_negative else value < 0
    if column.dtype is int:
        return is_negative.fill_null(value=False)
    if column.dtype is float:
        is_endless = nowhere if column.beyond or column.may_be_never else value.is_infinite()
        return (is_negative | is_endless).fill_null(value=False)
    return pl.repeat(value=False, n=pl.len())


def _problems_of_drops(tables: Tables) -> Iterator[str]:
    """Compare what disconnects.csv counts with the single drops, where there are any."""
    if tables[DROPS].is_empty():
        return
    counted = tables[DISCONNECTS].select(*KEY_NAMES, *(column.expr for column in _VERDICTS.values()))
    drops = tables[DROPS].group_by(KEY_NAMES).agg(
        (VERDICT.expr == verdict).sum().cast(pl.Int64).alias(f"{column.name} of {DROPS.name}")
        for verdict, column in _VERDICTS.items()
    )  # fmt: skip
    both = counted.join(drops, on=KEY_NAMES, how="full", coalesce=True).fill_null(0)
    for column in _VERDICTS.values():
        wrong = both.filter(column.expr != pl.col(f"{column.name} of {DROPS.name}"))
        if wrong.height:
            yield f"{DISCONNECTS.file} and {DROPS.file} differ on how many were {column.name} ({wrong.height} rows)"
