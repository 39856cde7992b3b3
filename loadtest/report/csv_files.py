"""The CSV files of a run's tables: written, compressed, and read again, also those of older versions."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import polars as pl

from loadtest.figures import counts
from loadtest.figures.column import AnyColumn
from loadtest.figures.table import Table
from loadtest.report.columns import TABLES
from loadtest.report.errors import ReportError
from loadtest.report.tables import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """What a run's manifest says of the file of a table, so that it is noticed when the file is damaged."""

    rows: int
    sha256: str
    """Of its content, that of a compressed file when it is unpacked; hexadecimal."""

    @classmethod
    def of(cls, content: bytes, *, rows: int) -> Self:
        """Describe a file by its content."""
        return cls(rows=rows, sha256=hashlib.sha256(content).hexdigest())


def write_csv(tables: Tables, folder: Path) -> dict[str, TableFile]:
    """Write each table's CSV file; a reader sees a file's old state or its new one, never half of it.

    Returns what was written, by the tables' names. Raises ReportError if the folder cannot be written (missing,
    read-only, disk full).
    """
    return _write(tables, lambda table, data: write_bytes(folder / table.file, data))


def write_compressed(tables: Tables, folder: Path) -> dict[str, TableFile]:
    """Write each table as `<table>.csv.gz`; the same tables give the same bytes. All else is as of `write_csv`."""
    return _write(tables, lambda table, data: write_bytes(_compressed(folder / table.file), _gzip(data)))


def _write(tables: Tables, write: Callable[[Table, bytes], None]) -> dict[str, TableFile]:
    written = {}
    for table in _in_writing_order():
        data = _csv(tables, table).encode()
        write(table, data)
        written[table.name] = TableFile.of(data, rows=tables[table].height)
    return written


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


def refuse_damaged(folder: Path, files: Mapping[str, TableFile]) -> None:
    """Raise ReportError, which names all files of tables that are not as they were written."""
    damaged = [
        f"{name}.csv ({file.rows} rows were written)"
        for name, file in files.items()
        if _digest(folder / f"{name}.csv") != file.sha256
    ]
    if damaged:
        raise ReportError(
            f"{folder}: not as the bench has written it: {', '.join(damaged)}; take the folder from a copy of it, or "
            "run the bench again"
        )


def _digest(path: Path) -> str:
    """Return the digest of a table's file, or "" where it cannot be read."""
    try:
        return hashlib.sha256(_content(path)).hexdigest()
    except (OSError, EOFError, zlib.error):
        return ""


def _content(path: Path) -> bytes:
    """Return the content of a table's file, plain or compressed."""
    return path.read_bytes() if path.is_file() else gzip.decompress(_compressed(path).read_bytes())


def has_tables(folder: Path) -> bool:
    """Whether there is any table in a folder; a run has none before its first trial is saved."""
    return any(_is_there(folder, table) for table in TABLES.values())


def _in_writing_order() -> list[Table]:
    """The first table last: a trial with a row in throughput.csv is saved as a whole."""
    return list(TABLES.values())[::-1]


def _csv(tables: Tables, table: Table) -> str:
    frame = tables[table].with_columns(counts.written(column.name) for column in _counting(table))
    return harmless(frame).write_csv()


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
    try:
        frame = as_it_was(pl.read_csv(_content(path), infer_schema=False, encoding="utf8"))
        frame = _with_newer_columns(_with_newer_names(frame, table), table)
        return Tables({table.name: _with_counts(frame, table)})[table]
    except (pl.exceptions.PolarsError, OSError, EOFError, zlib.error, ValueError, ReportError) as error:
        file = path if path.is_file() else _compressed(path)
        raise ReportError(
            f"could not read {file}: {error}; it may have been edited, or be of another version"
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


def harmless(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with a ' before each text that a spreadsheet would take for a formula: it begins with = + - @.

    So does a text that begins with that ' and would be taken for such a one when it is read.
    """
    return frame.with_columns(pl.col(pl.String).str.replace(_LIKE_A_FORMULA, "'$0"))


def as_it_was(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame of texts without what `harmless` put before them."""
    return frame.with_columns(pl.col(pl.String).str.replace(_MADE_HARMLESS, "$1"))


_LIKE_A_FORMULA: Final = r"^'*[=+\-@\t\r]"
_MADE_HARMLESS: Final = r"^'('*[=+\-@\t\r])"
"""OWASP, CSV injection: also a tab and a carriage return, behind which a spreadsheet looks for a formula."""
