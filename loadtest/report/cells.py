"""The cells of a run and the examples among its drops, from its tables."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from loadtest.checks.drops import CONNECTION
from loadtest.checks.drops import TABLE as DROPS
from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.checks.throughput.table import VALID
from loadtest.dimensions import DROP, MIXED_DROPS, CellKey
from loadtest.figures.cell import Cell, TrialFigures, figures_of, make_cell
from loadtest.figures.column import AnyColumn, Content
from loadtest.figures.evidence import PLANNED, Examples
from loadtest.figures.table import KEY_NAMES
from loadtest.figures.values import Values
from loadtest.report.tables import Tables


def cells_of(tables: Tables, values: Values | None = None) -> tuple[Cell, ...]:
    """All cells that have a row in a table with rows of whole trials, in the order of the values."""
    values = values or Values()
    found: dict[CellKey, dict[int, dict[AnyColumn, Content]]] = {}
    for table, frame in tables.items():
        for row in frame.iter_rows(named=True) if table.has_row_a_trial else ():
            trial = found.setdefault(CellKey.of_row(row), {}).setdefault(row["trial"], {})
            trial.update(figures_of(table, row))
    trials = trials_of(tables)

    def trial_of(key: CellKey, number: int) -> TrialFigures:
        valid = trials.get((planned_cell(key, number, trials), number), True)
        return TrialFigures(number=number, valid=valid, figures=found[key][number])

    ordered = sorted(found, key=values.order)
    return tuple(make_cell(key, [trial_of(key, number) for number in found[key]]) for key in ordered)


def trials_of(tables: Tables) -> dict[tuple[CellKey, int], bool]:
    """Each trial that is saved, by the cell that was planned and its number, and whether it is valid."""
    rows = tables[THROUGHPUT].select(*KEY_NAMES, VALID.name).iter_rows(named=True)
    return {(CellKey.of_row(row), row["trial"]): row[VALID.name] != "no" for row in rows}


def planned_cell(key: CellKey, trial: int, trials: Mapping[tuple[CellKey, int], bool]) -> CellKey:
    """The cell that the trial of a row was planned as: the row's own, or the one that mixes several kinds of drop."""
    return key if (key, trial) in trials else key.having(DROP, MIXED_DROPS)


def examples_of(tables: Tables) -> Examples:
    """The single drops of the valid trials; one whose trial has no row in throughput.csv has no ledgers and is none."""
    drops = tables[DROPS]
    trials = trials_of(tables)
    keys = drops.select(KEY_NAMES).unique(maintain_order=True)
    planned = [planned_cell(CellKey.of_row(row), row["trial"], trials) for row in keys.iter_rows(named=True)]
    counts = [trials.get((cell, trial), False) for cell, trial in zip(planned, keys["trial"], strict=True)]
    known = keys.with_columns(pl.Series(PLANNED, [cell[DROP] for cell in planned], pl.String)).filter(
        pl.Series(counts, dtype=pl.Boolean)
    )
    found = drops.join(known, on=list(KEY_NAMES), how="inner", maintain_order="left")
    return Examples(drops=found.unique([*KEY_NAMES, CONNECTION.name], keep="first", maintain_order=True))
