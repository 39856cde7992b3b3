"""The tables of a run as polars data frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType

import polars as pl

from loadtest.figures.column import AnyColumn
from loadtest.figures.counts import as_structs
from loadtest.figures.table import KEY, Table
from loadtest.report.columns import TABLES
from loadtest.report.errors import ReportError


class Tables(Mapping[Table, pl.DataFrame]):
    """A data frame for each table, with exactly its columns and types; those that are not given are empty.

    Columns may come in any order and whole numbers may stand for decimals; anything else raises ReportError.
    """

    __slots__ = ("_frames",)

    def __init__(self, frames: Mapping[str, pl.DataFrame]) -> None:
        """Take data frames by their tables' names."""
        _refuse_strangers(frames)
        self._frames = MappingProxyType(
            {table: _checked(frames[name], table) if name in frames else _empty(table)
             for name, table in TABLES.items()}
        )  # fmt: skip

    @classmethod
    def empty(cls) -> Tables:
        """Tables with all columns and no rows."""
        return cls({})

    @classmethod
    def from_rows(cls, rows: Mapping[str, Sequence[Mapping[str, object]]]) -> Tables:
        """Tables from plain rows by table name; a figure left out of a row is not known (null).

        Raises ReportError for a table or column there is none of, a key that is missing, or a value of a wrong type.
        """
        _refuse_strangers(rows)
        return cls({name: _frame_of(of_table, TABLES[name]) for name, of_table in rows.items()})

    def frame(self, name: str) -> pl.DataFrame:
        """The data frame of the table of that name, as a file or a person has it; KeyError if there is none."""
        return self[TABLES[name]]

    def extended(self, other: Tables) -> Tables:
        """These rows, then the other's; ReportError if one trial is in both."""
        return Tables({table.name: pl.concat([frame, other[table]]) for table, frame in self.items()})

    def __getitem__(self, table: Table) -> pl.DataFrame:
        return self._frames[table]

    def __iter__(self) -> Iterator[Table]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)


def _refuse_strangers(given: Mapping[str, object]) -> None:
    if strangers := sorted(given.keys() - TABLES.keys()):
        raise ReportError(f"there is no table {', '.join(strangers)}; the tables are {', '.join(TABLES)}")


@cache
def _empty(table: Table) -> pl.DataFrame:
    return pl.DataFrame(schema=_schema(table))


def _frame_of(rows: Iterable[Mapping[str, object]], table: Table) -> pl.DataFrame:
    rows = list(rows)
    known = {column.name for column in table.columns}
    if strangers := sorted({name for row in rows for name in row} - known):
        raise ReportError(f"table {table.name} has no column {', '.join(strangers)}")
    try:
        return pl.DataFrame(
            {column.name: [_held(row.get(column.name, column.default)) for row in rows] for column in table.columns},
            schema=_schema(table),
        )
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise ReportError(f"table {table.name} got a value of a wrong type: {error}") from error


def _held(value: object) -> object:
    """A value as a data frame holds it, which has no form of its own for counts."""
    return as_structs(value) if isinstance(value, Mapping) else value


def _checked(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The frame with the table's columns, order and types; ReportError where it cannot have them."""
    names = [column.name for column in table.columns]
    if sorted(frame.columns) != sorted(names):
        missing, extra = sorted(set(names) - set(frame.columns)), sorted(set(frame.columns) - set(names))
        raise ReportError(f"table {table.name}: missing columns {missing or 'none'}, unknown columns {extra or 'none'}")
    frame = frame.select(names)
    frame = frame.with_columns(_cast(frame[column.name], column, table) for column in table.columns)
    _refuse_bad_keys(frame, table)
    return frame


def _cast(found: pl.Series, column: AnyColumn, table: Table) -> pl.Series:
    name, dtype = column.name, column.polars
    if not dtype.is_float() and found.dtype.is_float():
        raise ReportError(f"table {table.name}, column {name}: {column.type_name} expected, decimals found")
    try:
        series = found if found.dtype == dtype else found.cast(dtype)
        return series.fill_nan(None) if dtype.is_float() else series  # NaN is a number nobody knows
    except pl.exceptions.PolarsError as error:
        raise ReportError(f"table {table.name}, column {name}: {column.type_name} expected ({error})") from error


def _refuse_bad_keys(frame: pl.DataFrame, table: Table) -> None:
    for column in KEY:
        if frame[column.name].null_count():
            raise ReportError(f"table {table.name}: key column {column.name} is empty in some row")
    if table.unique and (twice := frame.filter(frame.select(table.unique).is_duplicated())).height:
        row = ", ".join(str(value) for value in twice.select(table.unique).row(0))
        raise ReportError(f"table {table.name} has the row {row} twice; a trial may be saved only once")
    _refuse_unknown_kinds(frame, table)


def _refuse_unknown_kinds(frame: pl.DataFrame, table: Table) -> None:
    if table.kind is None:
        return
    known = {kind for column in table.figures for kind in column.qualifiers}
    if strangers := sorted(set(frame[table.kind.name].fill_null("").to_list()) - known):
        raise ReportError(f"table {table.name} has rows of {', '.join(map(repr, strangers))}, which nothing counts")


def _schema(table: Table) -> dict[str, pl.DataType]:
    return {column.name: column.polars for column in table.columns}
