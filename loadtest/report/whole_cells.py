"""Whole cells: those that a plan has, with the counts of all kinds of drop where a trial mixes several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.dimensions import DROP, MIXED_DROPS
from loadtest.figures.cell import Cell, TrialFigures, make_cell
from loadtest.figures.column import AnyColumn, Content
from loadtest.figures.evidence import APART
from loadtest.figures.values import Values


def whole_cells(cells: Iterable[Cell], values: Values) -> tuple[Cell, ...]:
    """The cells that have a row of a whole trial, in their order; those of a single kind of drop are summed up in them.

    Kinds that are counted apart (APART) stay cells of their own. A count that is not known of one kind is not
    known of all. Times and rates of a kind have no sum and are left out.
    """
    cells = list(cells)
    parts = [cell for cell in cells if not cell.has(THROUGHPUT)]
    apart = [cell for cell in parts if values.of(cell.key, DROP).outcome in APART]
    kinds: dict[object, list[Cell]] = {}
    for cell in (cell for cell in parts if cell not in apart):
        kinds.setdefault(cell.key.having(DROP, MIXED_DROPS), []).append(cell)
    return tuple(_with(cell, kinds.get(cell.key, ())) for cell in cells if cell not in parts or cell in apart)


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
