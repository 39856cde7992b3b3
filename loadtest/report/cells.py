"""The cells of a run and the examples among its drops, from its tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from math import inf

import numpy as np
import polars as pl

from loadtest.checks.drops import CONNECTION, DETECT_MS, VERDICT, WATCHED_MS
from loadtest.checks.drops import TABLE as DROPS
from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.checks.throughput.table import VALID
from loadtest.dimensions import DROP, MIXED_DROPS, CellKey
from loadtest.figures.cell import Cell, TrialFigures, figures_of, make_cell
from loadtest.figures.column import AnyColumn, Content
from loadtest.figures.evidence import PLANNED, Examples
from loadtest.figures.table import CELL_NAMES, KEY_NAMES
from loadtest.figures.twins import round_of
from loadtest.figures.values import Values
from loadtest.report.tables import Tables
from loadtest.stats.survival import Times, joined


def cells_of(tables: Tables, values: Values | None = None, *, rounds: int | None = None) -> tuple[Cell, ...]:
    """All cells that have a row in a table with rows of whole trials, in the order of the values.

    `rounds` is how many the plan had: trials with a larger number are twins. None: there are none.
    """
    values = values or Values()
    found: dict[CellKey, dict[int, dict[AnyColumn, Content]]] = {}
    for table, frame in tables.items():
        for row in frame.iter_rows(named=True) if table.has_row_a_trial else ():
            trial = found.setdefault(CellKey.of_row(row), {}).setdefault(row["trial"], {})
            trial.update(figures_of(table, row))
    trials = trials_of(tables)

    def trial_of(key: CellKey, number: int) -> TrialFigures:
        valid = trials.get((planned_cell(key, number, trials), number), True)
        own = _round(number, rounds)
        twin_of = own if own != number else None
        return TrialFigures(number=number, valid=valid, figures=found[key][number], twin_of=twin_of)

    times = _detection_times(tables)

    def cell_of(key: CellKey) -> Cell:
        made = [trial_of(key, number) for number in found[key]]
        counting = {trial.number for trial in made if trial.valid}
        return make_cell(key, made, {DETECT_MS: _by_round(times.get(key, {}), counting, rounds)})

    return tuple(map(cell_of, sorted(found, key=values.order)))


def _by_round(times: Mapping[int, Times], counting: Collection[int], rounds: int | None) -> dict[int, Times]:
    """The times of a cell's valid trials, those of a trial and its twin together."""
    found: dict[int, list[Times]] = {}
    for number in sorted(times.keys() & set(counting)):
        found.setdefault(_round(number, rounds), []).append(times[number])
    return {number: joined(parts) for number, parts in found.items()}


def _detection_times(tables: Tables) -> dict[CellKey, dict[int, Times]]:
    """From the drop to disconnect(), of each cell and trial; a missed one was watched to the end of settling.

    Before format 5 nothing said how long that was. A time below 0 is none: the server had ended the connection before.
    """
    judged = tables[DROPS].filter(VERDICT.expr.is_in(["called", "missed"]))
    called = DETECT_MS.expr.filter((VERDICT.expr == "called") & (DETECT_MS.expr >= 0))
    until = WATCHED_MS.expr.filter(VERDICT.expr == "missed").fill_null(inf).clip(0)
    found: dict[CellKey, dict[int, Times]] = {}
    for row in judged.group_by(KEY_NAMES, maintain_order=True).agg(called.alias("called"), until.alias("until")).rows():
        *cell, number, happened, missed = row
        times = Times(happened=np.array(happened, dtype=float), until=np.array(missed, dtype=float))
        found.setdefault(CellKey(**dict(zip(CELL_NAMES, cell, strict=True))), {})[number] = times
    return found


def _round(number: int, rounds: int | None) -> int:
    return round_of(number, trials=rounds) if rounds else number


def trials_of(tables: Tables) -> dict[tuple[CellKey, int], bool]:
    """Each trial that is saved, by the cell that was planned and its number, and whether it is valid."""
    rows = tables[THROUGHPUT].select(*KEY_NAMES, VALID.name).iter_rows(named=True)
    return {(CellKey.of_row(row), row["trial"]): row[VALID.name] != "no" for row in rows}


def planned_cell(key: CellKey, trial: int, trials: Mapping[tuple[CellKey, int], bool]) -> CellKey:
    """The cell that the trial of a row was planned as: the row's own, or the one that mixes several kinds of drop."""
    return key if (key, trial) in trials else key.having(DROP, MIXED_DROPS)


def of_trials(tables: Tables, counts: Callable[[CellKey, int], bool]) -> Tables:
    """The rows of the trials that count, by the cell that was planned and the trial's number."""
    trials = trials_of(tables)

    def stays(row: Mapping[str, object], trial: int) -> bool:
        return counts(planned_cell(CellKey.of_row(row), trial, trials), trial)

    def kept(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.filter([stays(row, row["trial"]) for row in frame.select(KEY_NAMES).iter_rows(named=True)])

    return Tables({table.name: kept(frame) for table, frame in tables.items()})


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
