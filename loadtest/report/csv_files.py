"""The CSV files of a run's tables: written, compressed, and read again, also those of older versions."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections import Counter
from pathlib import Path

import polars as pl

from loadtest.figures import counts
from loadtest.figures.column import AnyColumn
from loadtest.figures.table import Table
from loadtest.report.columns import TABLES
from loadtest.report.errors import ReportError
from loadtest.report.tables import Tables


def write_csv(tables: Tables, folder: Path) -> None:
    """Write each table's CSV file; a reader sees a file's old state or its new one, never half of it.

    Raises ReportError if the folder cannot be written (missing, read-only, disk full).
    """
    for table in _in_writing_order():
        write_text(folder / table.file, _csv(tables, table))


def write_compressed(tables: Tables, folder: Path) -> None:
    """Write each table as `<table>.csv.gz`; the same tables give the same bytes. ReportError as of `write_csv`."""
    for table in _in_writing_order():
        write_bytes(_compressed(folder / table.file), _gzip(_csv(tables, table).encode()))


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
    missing = [table.file for table in TABLES.values() if not _is_there(folder, table) and table.since == 1]
    if missing and (folder / "capacity.csv").is_file():
        raise ReportError(f"{folder} is a capacity run, which only `report` can read; pass the folder of a bench")
    if missing:
        raise ReportError(f"{folder} is no complete results folder: {', '.join(missing)} missing; pass a run's folder")
    there = {name: table for name, table in TABLES.items() if _is_there(folder, table)}
    return Tables({name: _read(folder / table.file, table) for name, table in there.items()})


def has_tables(folder: Path) -> bool:
    """Whether there is any table in a folder; a run has none before its first trial is saved."""
    return any(_is_there(folder, table) for table in TABLES.values())


def _in_writing_order() -> list[Table]:
    """The first table last: a trial with a row in throughput.csv is saved as a whole."""
    return list(TABLES.values())[::-1]


def _csv(tables: Tables, table: Table) -> str:
    return tables[table].with_columns(counts.written(column.name) for column in _counting(table)).write_csv()


def _counting(table: Table) -> list[AnyColumn]:
    return [column for column in table.columns if column.dtype is Counter]


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
        frame = _with_newer_columns(_with_newer_names(frame, table), table)
        return Tables({table.name: _with_counts(frame, table)})[table]
    except (pl.exceptions.PolarsError, OSError, EOFError, zlib.error, ValueError, ReportError) as error:
        raise ReportError(
            f"could not read {path}: {error}; it may have been edited, or be of another version"
        ) from error


def _with_newer_names(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The frame with the names that its columns and its kinds have today."""
    newer = {old: column.name for column in table.columns for old in column.formerly if old in frame.columns}
    frame = frame.rename(newer)
    return frame.with_columns(table.kind.expr.replace(table.kinds_formerly)) if table.kind else frame


def _with_newer_columns(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The frame with the columns that an older run does not have yet: not known, or the value that all had then."""
    newer = [column for column in table.columns if column.since > 1 and column.name not in frame.columns]
    return frame.with_columns(pl.lit(column.default).cast(pl.String).alias(column.name) for column in newer)


def _with_counts(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    there = [column for column in _counting(table) if column.name in frame.columns]
    return frame.with_columns(
        pl.Series(column.name, [counts.read(text) for text in frame[column.name]], dtype=column.polars)
        for column in there
    )
