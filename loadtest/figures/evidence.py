"""Evidence: what findings are made of; and the single drops, of which each finding can name one as an example."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from loadtest.dimensions import DIMENSIONS, DROP, MIXED_DROPS, SCENARIO, CellKey
from loadtest.figures.cell import Cell, by_drop, pooled
from loadtest.figures.column import POLARS, AnyColumn
from loadtest.figures.table import Table
from loadtest.figures.values import Values
from loadtest.figures.words import Namer

_KEY_SCHEMA = {dimension.name: POLARS[dimension.dtype] for dimension in DIMENSIONS}

APART: Final = {
    "certain": "its consumer still has to send when the client is gone, whatever the load",
    "other": "the server learns of it at a moment of its own",
}
"""Why kinds of drop are counted apart from those of which chance alone decides whether they are missed: by outcome."""

PLANNED = "planned"
"""The column of an example's rows with the drop of the trial's cell, which may be "mixed"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """The single drops of the valid trials, as the table of drops has them, each with what its trial had planned."""

    drops: pl.DataFrame

    def first(self, cells: Iterable[Cell], where: pl.Expr) -> str:
        """A connection of these cells for which that holds, "<trial's folder>:<connection>"; "" where there is none."""
        return self._reference(self._among(cells).filter(where).head(1))

    def largest(self, cells: Iterable[Cell], column: AnyColumn, where: pl.Expr) -> str:
        """The connection of these cells, of those for which that holds, with the largest figure; "" for none."""
        known = self._among(cells).filter(where & column.expr.is_not_null())
        return self._reference(known.top_k(1, by=column.name))

    def _among(self, cells: Iterable[Cell]) -> pl.DataFrame:
        keys = pl.DataFrame([cell.key.as_row() for cell in cells], schema=_KEY_SCHEMA)
        return self.drops.join(keys, on=list(_KEY_SCHEMA), how="semi", maintain_order="left")

    @staticmethod
    def _reference(rows: pl.DataFrame) -> str:
        if rows.is_empty():
            return ""
        row = rows.row(0, named=True)
        return f"{trial_folder(CellKey.of_row(row).having(DROP, row[PLANNED]), row['trial'])}:{row['connection']}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The cells of a run, how they are named, what is known of their values, and the single drops."""

    cells: tuple[Cell, ...]
    examples: Examples
    values: Values = field(default_factory=Values)

    @property
    def namer(self) -> Namer:
        """Names these cells."""
        return Namer(cell.key for cell in self.cells)

    def having(self, table: Table) -> list[Cell]:
        """The cells that have rows in a table."""
        return [cell for cell in self.cells if cell.has(table)]

    def trials_of(self, cells: Iterable[Cell], table: Table) -> list[Cell]:
        """The cells of a table with rows of whole trials in whose trials these cells were measured."""
        planned = {key for cell in cells for key in cell.planned}
        return [cell for cell in self.having(table) if cell.key in planned]

    def measured_in(self, trials: Cell, table: Table) -> list[Cell]:
        """The other way round: the cells of a table that were measured in the trials of that cell."""
        return [cell for cell in self.having(table) if trials.key in cell.planned]

    def by_risk(self, table: Table) -> list[Cell]:
        """The cells that have rows in a table, as one those that differ by a drop of which chance alone decides.

        Kinds that are counted apart (APART) stay cells of their own.
        """
        found = []
        for cells in self.by_drop(table):
            at_risk = self.at_risk(cells)
            found += [pooled(at_risk, at_risk[0].key.having(DROP, MIXED_DROPS))] if len(at_risk) > 1 else at_risk
            found += [cell for cell in cells if cell not in at_risk]
        return found

    def at_risk(self, cells: Iterable[Cell]) -> list[Cell]:
        """Those after whose drop chance alone decides whether disconnect() is missed."""
        return [cell for cell in cells if self.values.of(cell.key, DROP).outcome not in APART]

    def by_drop(self, table: Table) -> list[list[Cell]]:
        """The cells that have rows in a table, those together that differ by their drop alone."""
        return list(by_drop(self.having(table), self.values))

    def name_of(self, cells: Sequence[Cell]) -> str:
        """`redis, sync, churn` of cells that differ by their drop, or the one cell's whole name."""
        return self.namer.name(cells[0].key, but=(DROP,) if len(cells) > 1 else ())

    def place_and_consumer(self, key: CellKey, table: Table) -> str:
        """`redis, sync`: a cell's name without its drop, and without its scenario where the table has one alone."""
        scenarios = {cell.key[SCENARIO] for cell in self.having(table)}
        return self.namer.name(key, but=(DROP, SCENARIO) if len(scenarios) == 1 else (DROP,))


def trial_folder(cell: CellKey, trial: int) -> str:
    """The trial's folder below `trials/`."""
    return f"{cell.folder}/{trial}"
