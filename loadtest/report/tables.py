"""The tables of a run as polars data frames, and their CSV files."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from loadtest.report.columns import KEY_NAMES, TABLES, Dtype, Table
from loadtest.report.errors import ReportError

_POLARS: Mapping[Dtype, type[pl.DataType]] = {"str": pl.String, "int": pl.Int64, "float": pl.Float64}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """One data frame a CSV file, each with exactly the columns and types of `columns.TABLES`.

    Columns may come in any order and whole numbers may stand for decimals; anything else raises ReportError.
    """

    throughput: pl.DataFrame
    disconnects: pl.DataFrame
    drops: pl.DataFrame
    delivery: pl.DataFrame
    residue: pl.DataFrame
    timeline: pl.DataFrame
    unknown: pl.DataFrame

    def __post_init__(self) -> None:
        for name, table in TABLES.items():
            object.__setattr__(self, name, _checked(self.frame(name), table))

    @classmethod
    def empty(cls) -> Tables:
        """Tables with all columns and no rows."""
        return cls.from_rows({})

    @classmethod
    def from_rows(cls, rows: Mapping[str, Sequence[Mapping[str, object]]]) -> Tables:
        """Tables from plain rows by table name; a figure left out of a row is not known (null).

        Raises ReportError for a table or column there is none of, a key that is missing, or a value of a wrong type.
        """
        if strangers := sorted(rows.keys() - TABLES.keys()):
            raise ReportError(f"there is no table {', '.join(strangers)}; the tables are {', '.join(TABLES)}")
        return cls(**{name: _frame_of(rows.get(name, ()), table) for name, table in TABLES.items()})

    def frame(self, name: str) -> pl.DataFrame:
        """The data frame of the table of that name."""
        frame: pl.DataFrame = getattr(self, name)
        return frame

    def extended(self, other: Tables) -> Tables:
        """These rows, then the other's; ReportError if one trial is in both."""
        return Tables(**{name: pl.concat([self.frame(name), other.frame(name)]) for name in TABLES})


def write_csv(tables: Tables, folder: Path) -> None:
    """Write each table's CSV file; a reader sees a file's old state or its new one, never half of it.

    Raises ReportError if the folder cannot be written (missing, read-only, disk full).
    """
    for name, table in reversed(list(TABLES.items())):  # throughput.csv last: a trial with a row in it is saved
        write_text(folder / table.file, tables.frame(name).write_csv())


def write_compressed(tables: Tables, folder: Path) -> None:
    """Write each table as `<table>.csv.gz`; the same tables give the same bytes. ReportError as of `write_csv`."""
    for name, table in reversed(list(TABLES.items())):
        write_bytes(_compressed(folder / table.file), _gzip(tables.frame(name).write_csv().encode()))


def write_text(path: Path, text: str) -> None:
    """Write a file under a temporary name and rename it into place; ReportError if that fails."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file under a temporary name and rename it into place; ReportError if that fails."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ReportError(f"could not write {path}: {error.strerror or error}; free the disk or pass --out") from error


def read_tables(folder: Path) -> Tables:
    """The tables of a results folder, plain or compressed; ReportError names each file that is missing or wrong."""
    missing = [table.file for table in TABLES.values() if not _is_there(folder, table)]
    if missing:
        raise ReportError(f"{folder} is no complete results folder: {', '.join(missing)} missing; pass a run's folder")
    return Tables(**{name: _read(folder / table.file, table) for name, table in TABLES.items()})


def has_tables(folder: Path) -> bool:
    """Whether there is any table in a folder; a run has none before its first trial is saved."""
    return any(_is_there(folder, table) for table in TABLES.values())


def _is_there(folder: Path, table: Table) -> bool:
    return (folder / table.file).is_file() or _compressed(folder / table.file).is_file()


def _compressed(path: Path) -> Path:
    return path.with_name(f"{path.name}.gz")


def _gzip(data: bytes) -> bytes:
    """Compress with neither a time nor a name inside, nor what differs between versions of Python."""
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as file:
        file.write(data)
    return packed.getvalue()


def _read(path: Path, table: Table) -> pl.DataFrame:
    """One CSV file, first as text so that a wrong value is named by its column, then by its types."""
    path = path if path.is_file() else _compressed(path)
    try:
        data = path.read_bytes() if path.suffix != ".gz" else gzip.decompress(path.read_bytes())
        frame = pl.read_csv(data, infer_schema=False, encoding="utf8")
        return _checked(_with_newer_columns(frame, table), table)
    except (pl.exceptions.PolarsError, OSError, EOFError, zlib.error, ReportError) as error:
        raise ReportError(
            f"could not read {path}: {error}; it may have been edited, or be of another version"
        ) from error


def _with_newer_columns(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The frame with the columns that an older run does not have yet: what they tell of is not known."""
    newer = [column.name for column in table.columns if column.since > 1 and column.name not in frame.columns]
    return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in newer)


def _frame_of(rows: Iterable[Mapping[str, object]], table: Table) -> pl.DataFrame:
    rows = list(rows)
    known = {column.name for column in table.columns}
    if strangers := sorted({name for row in rows for name in row} - known):
        raise ReportError(f"table {table.name} has no column {', '.join(strangers)}")
    try:
        return pl.DataFrame(
            {column.name: [row.get(column.name) for row in rows] for column in table.columns}, schema=_schema(table)
        )
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise ReportError(f"table {table.name} got a value of a wrong type: {error}") from error


def _checked(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The frame with the table's columns, order and types; ReportError where it cannot have them."""
    names = [column.name for column in table.columns]
    if sorted(frame.columns) != sorted(names):
        missing, extra = sorted(set(names) - set(frame.columns)), sorted(set(frame.columns) - set(names))
        raise ReportError(f"table {table.name}: missing columns {missing or 'none'}, unknown columns {extra or 'none'}")
    frame = frame.select(names)
    frame = frame.with_columns(_cast(frame, name, dtype, table) for name, dtype in _schema(table).items())
    _refuse_bad_keys(frame, table)
    return frame


def _cast(frame: pl.DataFrame, name: str, dtype: type[pl.DataType], table: Table) -> pl.Series:
    if dtype is not pl.Float64 and frame.schema[name].is_float():
        raise ReportError(f"table {table.name}, column {name}: {dtype.__name__} expected, decimals found")
    try:
        series = frame[name].cast(dtype)
        return series.fill_nan(None) if dtype is pl.Float64 else series  # NaN is a number nobody knows
    except pl.exceptions.PolarsError as error:
        raise ReportError(f"table {table.name}, column {name}: {dtype.__name__} expected ({error})") from error


def _refuse_bad_keys(frame: pl.DataFrame, table: Table) -> None:
    for name in KEY_NAMES:
        if frame[name].null_count():
            raise ReportError(f"table {table.name}: key column {name} is empty in some row")
    if table.unique and (twice := frame.filter(frame.select(table.unique).is_duplicated())).height:
        row = ", ".join(str(value) for value in twice.select(table.unique).row(0))
        raise ReportError(f"table {table.name} has the row {row} twice; a trial may be saved only once")


def _schema(table: Table) -> dict[str, type[pl.DataType]]:
    return {column.name: _POLARS[column.dtype] for column in table.columns}
