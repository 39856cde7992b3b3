"""Examples: of what the findings count, one connection that `channels-loadtest show` can tell the story of."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from urllib.parse import quote

import polars as pl

from loadtest.report.cells import Cell, key_of
from loadtest.report.columns import KEY_NAMES
from loadtest.report.manifest import CellKey
from loadtest.report.tables import Tables

_BUT_DROP = [name for name in KEY_NAMES if name != "drop"]
_MIXED = "mixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """The single drops of a run, each with its `reference` as `show` takes it, "<trial's folder>:<connection>"."""

    drops: pl.DataFrame

    @classmethod
    def of(cls, tables: Tables) -> Examples:
        """The examples of a run; a drop whose trial has no row in throughput.csv has no ledgers and is none."""
        trials = tables.throughput.select(_BUT_DROP, planned="drop")
        drops = tables.drops.join(trials, on=_BUT_DROP, how="left", maintain_order="left").filter(
            (pl.col("planned") == pl.col("drop")) | (pl.col("planned") == _MIXED)
        )
        return cls(drops=drops.unique([*KEY_NAMES, "connection"], keep="first", maintain_order=True))

    @classmethod
    def none(cls) -> Examples:
        """No examples."""
        return cls.of(Tables.empty())

    def first(self, cells: Iterable[Cell], where: pl.Expr) -> str:
        """A connection of these cells for which that holds; "" where there is none."""
        return self._reference(self._among(cells).filter(where).head(1))

    def slowest(self, cells: Iterable[Cell]) -> str:
        """The connection of these cells that took longest to reach disconnect(); "" where none did."""
        timed = self._among(cells).filter((pl.col("verdict") == "called") & pl.col("detect_ms").is_not_null())
        return self._reference(timed.top_k(1, by="detect_ms"))

    def _among(self, cells: Iterable[Cell]) -> pl.DataFrame:
        wanted = [astuple(cell.key) for cell in cells]
        keys = pl.DataFrame(wanted, schema=_KEY_SCHEMA, orient="row")
        return self.drops.join(keys, on=list(_KEY_SCHEMA), how="semi", maintain_order="left")

    @staticmethod
    def _reference(rows: pl.DataFrame) -> str:
        if rows.is_empty():
            return ""
        row = rows.row(0, named=True)
        return f"{trial_folder(replace(key_of(row), drop=row['planned']), row['trial'])}:{row['connection']}"


_KEY_SCHEMA = {
    "server": pl.String,
    "workers": pl.Int64,
    "layer": pl.String,
    "consumer": pl.String,
    "scenario": pl.String,
    "drop": pl.String,
}


def trial_folder(cell: CellKey, trial: int) -> str:
    """The trial's folder below `trials/`, as the bench names it: a drop's parameter may hold any character."""
    return "-".join(quote(str(part), safe=" ") for part in astuple(cell)) + f"/{trial}"


def show_command(run_folder: Path, example: str) -> str:
    """The command that prints the story of an example; the run's folder as short as it can be said from here."""
    folder = run_folder.absolute()
    here = Path.cwd()
    shown = folder.relative_to(here) if folder.is_relative_to(here) else folder
    return f"channels-loadtest show {shlex.quote(str(shown))} {shlex.quote(example)}"
