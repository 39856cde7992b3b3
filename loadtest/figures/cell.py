"""A cell: the figures of its trials, their medians with the range, and counts summed over trials.

What is said of a cell with an interval counts by round: a trial and its twin (`loadtest.figures.twins`) are one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from statistics import fmean
from typing import Any, cast

from loadtest.dimensions import DROP, MIXED_DROPS, CellKey
from loadtest.figures.column import AnyColumn, Column, Content, V
from loadtest.figures.counts import as_counter
from loadtest.figures.statistics import Figure, Total, figure_of, total_of
from loadtest.figures.table import Figures, Table
from loadtest.figures.values import Values
from loadtest.stats.interval import Interval
from loadtest.stats.location import location_of
from loadtest.stats.survival import Quantile, Times, joined, quantiles_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFigures:
    """One trial's figures: None where one is not known, no entry where it does not apply or the trial has no row."""

    number: int
    valid: bool
    """False: the generator or the machine was the limit, so its figures are left out of every sum."""
    figures: Figures
    twin_of: int | None = None
    """The round that it was measured a second time in; None: its number is the round."""

    @property
    def round(self) -> int:
        """The round that it belongs to; trials of a round, of all cells, ran within minutes of each other."""
        return self.number if self.twin_of is None else self.twin_of

    def get(self, column: Column[V]) -> V | None:
        """The figure; None where it is not known or does not apply."""
        return cast("V | None", self.figures.get(column))

    def __contains__(self, column: AnyColumn) -> bool:
        return column in self.figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell with its trials; medians and totals are those of the valid ones."""

    key: CellKey
    trials: tuple[TrialFigures, ...]
    medians: Mapping[AnyColumn, Figure]
    totals: Mapping[AnyColumn, Total]
    times: Mapping[AnyColumn, Mapping[int, Times]] = field(default_factory=dict)
    """Of each round the times of single things, also of those that never came; for columns of tables of such."""
    parts: tuple[CellKey, ...] = ()
    """The cells that were pooled in it, if any."""

    @property
    def valid_trials(self) -> list[TrialFigures]:
        """The trials that count."""
        return [trial for trial in self.trials if trial.valid]

    @property
    def planned(self) -> set[CellKey]:
        """The cells that a plan may have its trials as: itself, or the one that mixes its kind of drop with others."""
        keys = self.parts or (self.key,)
        return {*keys, *(key.having(DROP, MIXED_DROPS) for key in keys)}

    def has(self, table: Table) -> bool:
        """Whether some trial of this cell has a row in that table."""
        return any(column.table == table.name for trial in self.trials for column in trial.figures)

    def median(self, column: AnyColumn) -> Figure:
        """The median of that figure; one that does not apply where no trial has it."""
        if column.over_trials == "none":
            raise ValueError(f"{column} has no median")
        return self.medians.get(column, figure_of(()))

    def total(self, column: Column[int]) -> Total:
        """The sum of that count; one of no trials where no trial has it."""
        if column.over_trials != "total":
            raise ValueError(f"{column} may not be summed over trials")
        return self.totals.get(column, total_of(()))

    def by_round(self, column: Column[int] | Column[float]) -> dict[int, float]:
        """The figure in each round in which it is known; of a trial and its twin the typical value."""
        found: dict[int, list[float]] = {}
        for trial in self.valid_trials:
            if (value := trial.figures.get(column)) is not None:
                found.setdefault(trial.round, []).append(float(cast(float, value)))
        return {number: location_of(values).estimate for number, values in found.items()}

    def interval(self, column: Column[int] | Column[float]) -> Interval:
        """The figure's typical value, with the interval that its rounds allow."""
        return location_of(list(self.by_round(column).values()))

    def quantiles(self, column: Column[float], shares: Sequence[float]) -> list[Quantile]:
        """Quantiles of the times of single things, what never came included; of no times where there are none."""
        return quantiles_of(list(self.times.get(column, {}).values()), shares)

    def counts(self, column: Column[Counter[str]]) -> Counter[str]:
        """How often each value came, over all valid trials that know."""
        return sum((found for found in self.values(column) if found), Counter[str]())

    def example(self, column: Column[str]) -> str:
        """The first connection that a trial names in that column; "" where none does."""
        return next((value for value in self.values(column) if value), "")

    def values(self, column: Column[V]) -> list[V | None]:
        """The figure in each valid trial that has it, in the order of the trials."""
        return [trial.get(column) for trial in self.valid_trials if column in trial]


def make_cell(
    key: CellKey,
    trials: Iterable[TrialFigures],
    times: Mapping[AnyColumn, Mapping[int, Times]] | None = None,
) -> Cell:
    """Sum up the trials of a cell."""
    ordered = tuple(sorted(trials, key=lambda trial: trial.number))
    columns = dict.fromkeys(column for trial in ordered for column in trial.figures)
    return Cell(
        key=key,
        trials=ordered,
        medians={column: _median(column, ordered) for column in columns if column.over_trials != "none"},
        totals={column: _total(column, ordered) for column in columns if column.over_trials == "total"},
        times=times or {},
    )


def pooled(cells: Sequence[Cell], key: CellKey) -> Cell:
    """Several cells as one: counts are summed in each round, and not known where one is not; times stand together.

    Rates and times of whole trials have no sum: they are left out, but where a row tells that of its trial.
    """
    by_round: dict[int, list[TrialFigures]] = {}
    for trial in (trial for cell in cells for trial in cell.trials):
        by_round.setdefault(trial.round, []).append(trial)
    trials = [_pooled_trial(number, trials) for number, trials in by_round.items()]
    return replace(make_cell(key, trials, _pooled_times(cells)), parts=tuple(cell.key for cell in cells))


def figures_of(table: Table, row: Mapping[str, Any]) -> Figures:
    """The figures of one row of a table, without those that do not apply; KeyError for a kind there is none of."""
    found: dict[AnyColumn, Content] = {column: _content(row[column.name]) for column in table.figures}
    found |= {column: make(found) for column, make in table.derived.items()}
    applying = {column: value for column, value in found.items() if value or value == 0 or _applies(column, found)}
    if table.kind is None:
        return applying
    kind = row[table.kind.name]
    return {column[kind]: value for column, value in applying.items() if column.qualifiers}


def by_drop(cells: Iterable[Cell], values: Values) -> Iterator[list[Cell]]:
    """The cells that differ by their drop alone, together."""

    def place(cell: Cell) -> tuple[object, ...]:
        return values.in_columns_order(cell.key, but=DROP)

    for _, group in groupby(sorted(cells, key=place), key=place):
        yield list(group)


def _content(value: Any) -> Content:
    """What a data frame holds, which has no other form for counts than a list."""
    return as_counter(value) if isinstance(value, list) else cast(Content, value)


def _applies(column: AnyColumn, found: Figures) -> bool:
    """Whether an empty field is a figure that is not known, and not one of nothing."""
    return not column.may_not_apply and all(found[counted] != 0 for counted in column.of)


def _pooled_trial(number: int, trials: Sequence[TrialFigures]) -> TrialFigures:
    counting = [trial for trial in trials if trial.valid] or trials
    columns = dict.fromkeys(column for trial in counting for column in trial.figures)
    summed = {column: _summed(column, counting) for column in columns if _can_be_summed(column)}
    return TrialFigures(number=number, valid=counting[0].valid, figures=summed)


def _can_be_summed(column: AnyColumn) -> bool:
    return column.over_trials == "total" or column.dtype is Counter or column.of_trial


def _summed(column: AnyColumn, trials: Sequence[TrialFigures]) -> Content:
    values: list[Any] = [trial.figures[column] for trial in trials if column in trial]
    if column.of_trial:
        known = [value for value in values if value is not None]
        return fmean(known) if known else None
    if any(value is None for value in values):
        return None
    return sum(values, Counter[str]()) if column.dtype is Counter else sum(values)


def _pooled_times(cells: Sequence[Cell]) -> dict[AnyColumn, dict[int, Times]]:
    found: dict[AnyColumn, dict[int, list[Times]]] = {}
    for column, by_round in ((column, times) for cell in cells for column, times in cell.times.items()):
        for number, times in by_round.items():
            found.setdefault(column, {}).setdefault(number, []).append(times)
    return {column: {number: joined(parts) for number, parts in rounds.items()} for column, rounds in found.items()}


def _median(column: AnyColumn, trials: Sequence[TrialFigures]) -> Figure:
    values, left_out = _counting(column, trials)
    return figure_of(values, left_out=left_out)


def _total(column: AnyColumn, trials: Sequence[TrialFigures]) -> Total:
    values, left_out = _counting(column, trials)
    return total_of([None if value is None else int(value) for value in values], left_out=left_out)


def _counting(column: AnyColumn, trials: Sequence[TrialFigures]) -> tuple[list[float | None], int]:
    """The figure in the trials that count, and how many are left out."""
    having = [trial for trial in trials if column in trial]
    values = [trial.figures[column] for trial in having if trial.valid]
    return [value if isinstance(value, int | float) else None for value in values], len(having) - len(values)
