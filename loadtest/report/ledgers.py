"""The ledgers that a results folder holds: two files a trial, or in a kept run one file with its examples' records."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from loadtest.ledger.reader import SCHEMA
from loadtest.ledger.record import Event
from loadtest.report.errors import ReportError

KEPT = "examples.parquet"
"""Of a kept run: the ledgers' columns and `trial` and `side`; a file for each trial would be mostly its own frame."""

_SIDES = ("client", "server")
_UNREADABLE = (pl.exceptions.PolarsError, OSError)
_LEVEL = 19  # zstd's; written once, read seldom


def trials_with_ledgers(run_folder: Path) -> list[str]:
    """The trials of which there are records, as their folders below trials/ are named; ReportError if there are none.

    Of a kept run these are the trials that have an example.
    """
    whole = {str(path.parent.relative_to(run_folder / "trials")) for path in run_folder.glob("trials/*/*/*.parquet")}
    if whole:
        return sorted(whole)
    if is_kept(run_folder):
        try:
            return sorted(_scan_file(run_folder / KEPT).select("trial").unique().collect()["trial"])
        except _UNREADABLE as error:
            raise ReportError(f"could not read {run_folder / KEPT}: {_first_line(error)}; it is damaged") from None
    raise ReportError(f"{run_folder} keeps no ledgers (trials/*/*/client.parquet): nothing to tell a story from")


def is_kept(run_folder: Path) -> bool:
    """Whether the folder has the records of its examples only."""
    return (run_folder / KEPT).exists()


def read_connection(run_folder: Path, trial: str, connection: int) -> pl.DataFrame:
    """All records of one connection of a trial by time, with their `side`; an empty frame if there are none.

    Raises ReportError where the files cannot be read.
    """
    try:
        records = _scan(run_folder, trial).filter(pl.col("connection") == connection).collect()
    except _UNREADABLE as error:
        why = _first_line(error)
        raise ReportError(f"could not read the ledgers of {trial} in {run_folder}: {why}; a file is damaged") from None
    if problem := _problem(records):
        raise ReportError(f"could not read the ledgers of {trial} in {run_folder}: {problem}")
    return records.sort("time_ns", maintain_order=True)


def _scan(run_folder: Path, trial: str) -> pl.LazyFrame:
    folder = run_folder / "trials" / trial
    if not folder.exists():
        return _scan_file(run_folder / KEPT).filter(pl.col("trial") == trial).drop("trial")
    paths = {side: folder / f"{side}.parquet" for side in _SIDES}
    return pl.concat(
        [_scan_file(path).with_columns(side=pl.lit(side)) for side, path in paths.items() if path.exists()]
    )


def _scan_file(path: Path) -> pl.LazyFrame:
    """A file's records; its path is a path, also where it has brackets or a star in it."""
    return pl.scan_parquet(path, glob=False)


def _problem(records: pl.DataFrame) -> str:
    """Why these are no records of ours: columns that are not there, or events that this version does not know."""
    if missing := [name for name in SCHEMA if name not in records.columns]:
        return f"there are no columns {', '.join(missing)}; it is no ledger of ours"
    known = [int(event) for event in Event]
    unknown = records.filter(~pl.col("event").is_in(known))["event"].unique().sort().to_list()
    return f"there are events {unknown[:5]}, which this version does not know; update the tool" if unknown else ""


def _first_line(error: Exception) -> str:
    """What polars says first: below it stands the whole plan of the query."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def records_of(run_folder: Path, references: Iterable[str]) -> pl.DataFrame:
    """The records of these connections, each "<trial>:<id>"; ReportError when there are none of one of them."""
    none = pl.DataFrame(schema=pl.Schema({"trial": pl.String(), **SCHEMA, "side": pl.String()}))
    return pl.concat([none, *(_records(run_folder, reference) for reference in references)])


def write_kept(records: pl.DataFrame, folder: Path) -> None:
    """Write the records of a kept run's examples into its folder; ReportError if that fails."""
    try:
        records.write_parquet(folder / KEPT, compression="zstd", compression_level=_LEVEL)
    except (pl.exceptions.PolarsError, OSError) as error:  # a full disk is either
        raise ReportError(f"could not write {folder / KEPT}: {error}; free the disk") from error


def _records(run_folder: Path, reference: str) -> pl.DataFrame:
    trial, _, number = reference.rpartition(":")
    if trial in trials_with_ledgers(run_folder):
        records = read_connection(run_folder, trial, int(number))
        if not records.is_empty():
            return records.select(pl.lit(trial).alias("trial"), pl.all())
    raise ReportError(f"{run_folder} names the example {reference}, of which its ledgers have no records")
