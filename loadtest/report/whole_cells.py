"""Whole cells: those that a plan has, with the counts of all kinds of drop where a trial mixes several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.dimensions import DROP, MIXED_DROPS
from loadtest.figures.cell import Cell, TrialFigures, by_drop, make_cell
from loadtest.figures.column import AnyColumn, Content
from loadtest.figures.values import Values


def whole_cells(cells: Iterable[Cell], values: Values) -> tuple[Cell, ...]:
    """The cells that have a row of a whole trial, in their order; those of a single kind of drop are summed up in them.

    A count that is not known of one kind is not known of all. Times and rates of a kind have no sum and are left out.
    """
    cells = list(cells)
    parts = {whole.key: kinds for group in by_drop(cells, values) for whole, kinds in _mixed(group)}
    return tuple(_with(cell, parts.get(cell.key, ())) for cell in cells if cell.has(THROUGHPUT))


def _mixed(group: Sequence[Cell]) -> list[tuple[Cell, list[Cell]]]:
    """The cell of a group that mixes the drops of its others, with those that it has no figures of itself."""
    wholes = [cell for cell in group if cell.key[DROP] == MIXED_DROPS]
    return [(whole, [cell for cell in group if not cell.has(THROUGHPUT)]) for whole in wholes]


def _with(whole: Cell, kinds: Sequence[Cell]) -> Cell:
    return make_cell(whole.key, [_summed(trial, kinds) for trial in whole.trials]) if kinds else whole


def _summed(trial: TrialFigures, kinds: Sequence[Cell]) -> TrialFigures:
    parts = [part for kind in kinds for part in kind.trials if part.number == trial.number]
    counted = dict.fromkeys(column for part in parts for column in part.figures if column.over_trials == "total")
    sums = {column: _sum(column, parts) for column in counted}
    return TrialFigures(number=trial.number, valid=trial.valid, figures={**sums, **trial.figures})


def _sum(column: AnyColumn, parts: Sequence[TrialFigures]) -> Content:
    values = [part.figures[column] for part in parts if column in part]
    known = [value for value in values if isinstance(value, int)]
    return sum(known) if len(known) == len(values) else None
