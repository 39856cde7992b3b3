"""Thresholds judged: which cells of a run break a condition under which it fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from types import MappingProxyType
from typing import Final

from loadtest.dimensions import DROP, CellKey
from loadtest.figures.cell import Cell
from loadtest.figures.column import AnyColumn
from loadtest.figures.threshold import Threshold, parse_threshold
from loadtest.figures.values import Values
from loadtest.report.columns import TABLES
from loadtest.report.compare.figures import FAMILY, Counted
from loadtest.report.summary import Summary
from loadtest.report.whole_cells import whole_cells

DIGITS: Final = 5
"""Of a figure that breaks a threshold: 0.0502 is more than 0.05."""

SHARES: Final[Mapping[str, Counted]] = MappingProxyType(
    {figure.name: figure for figure in FAMILY if isinstance(figure, Counted)}
)
"""Of all things counted in a cell's trials, and not the median of the trials' own shares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A cell that a threshold is about, with the figure, None where it is not known; no cell: none has the figure."""

    threshold: Threshold
    cell: CellKey | None
    value: float | None

    @property
    def says(self) -> str:
        """Return the figure in words."""
        if self.cell is None:
            return "no cell has it"
        return "not known" if self.value is None else f"{self.value:.{DIGITS}g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A threshold that a cell breaks, or of which nothing can be said; `cell` is None where it is about no cell."""

    threshold: Threshold
    cell: CellKey | None
    says: str


def _columns() -> Iterator[tuple[str, AnyColumn]]:
    """The figures of whole trials by their names, those of tables with a row for each kind by "table.column.kind"."""
    for table in (table for table in TABLES.values() if table.has_row_a_trial):
        for column in (*table.figures, *table.derived):
            if column.over_trials != "none":
                for handle in [column[kind] for kind in column.qualifiers] or [column]:
                    yield str(handle), handle


def _by_name() -> dict[str, AnyColumn]:
    """Figures by their whole names, and by their columns' alone where no other table has one of that name."""
    whole = dict(_columns())
    often = Counter(column.name for column in whole.values())
    return {**whole, **{column.name: column for column in whole.values() if often[column.name] == 1}}


COLUMNS: Final[Mapping[str, AnyColumn]] = MappingProxyType(_by_name())
FIGURES: Final = frozenset({*COLUMNS, *SHARES})
"""What a threshold can be on."""


def table_of_figure(name: str) -> str:
    """Return the name of the table that a figure is of; KeyError for one that there is none of."""
    return SHARES[name].events.table if name in SHARES else COLUMNS[name].table


def read_thresholds(texts: Iterable[str]) -> tuple[Threshold, ...]:
    """Read thresholds; ValueError names all that is wrong with all of them."""
    found, problems = [], []
    for text in texts:
        try:
            found.append(parse_threshold(text, FIGURES))
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(found)


def meant_by(threshold: Threshold) -> str:
    """Say what its figure is, which its name alone may not: a share or a count, of one trial or of all."""
    if threshold.figure in SHARES:
        return "a share from 0 to 1, of all trials of a cell together"
    column = COLUMNS[threshold.figure]
    summed = "all trials of a cell summed up" if column.over_trials == "total" else "the median of a cell's trials"
    return ", ".join(filter(None, [column.unit, summed]))


def broken_in(summary: Summary, thresholds: Sequence[Threshold]) -> list[Broken]:
    """Return what breaks the thresholds: each cell in which a condition holds, or the figure is not known.

    A figure that is not known cannot be said to keep a threshold, and neither can one that no cell has. Where a trial
    mixes several kinds of drop, those after which chance decides are judged together; a selector with `drop=rst` asks
    for one of them.
    """
    judged = judge(summary.evidence.cells, summary.evidence.values, thresholds)
    return [
        Broken(threshold=one.threshold, cell=one.cell, says=one.says)
        for one in judged
        if one.value is None or one.threshold.holds_for(one.value)
    ]


def judge(cells: Sequence[Cell], values: Values, thresholds: Iterable[Threshold]) -> list[Judged]:
    """Return the figure of each cell that a threshold is about; one without a cell where no cell has it."""
    whole = whole_cells(cells, values)
    kinds = [cell for cell in cells if cell.key not in {one.key for one in whole}]
    return [judged for threshold in thresholds for judged in _judged(threshold, whole, kinds)]


def _judged(threshold: Threshold, whole: Sequence[Cell], kinds: Sequence[Cell]) -> Iterator[Judged]:
    having = [cell for cell in whole if _has(cell, threshold.figure)]
    if DROP.name in threshold.selector or not having:  # times of a kind of drop have no sum
        having += [cell for cell in kinds if _has(cell, threshold.figure)]
    selected = [cell for cell in having if threshold.selects(cell.key)]
    if not selected:
        yield Judged(threshold=threshold, cell=None, value=None)
    for cell in selected:
        yield Judged(threshold=threshold, cell=cell.key, value=_value(cell, threshold.figure))


def _has(cell: Cell, figure: str) -> bool:
    column = SHARES[figure].events if figure in SHARES else COLUMNS[figure]
    return cell.median(column).applies


def _value(cell: Cell, figure: str) -> float | None:
    """A share of all trials, a sum where single things are counted, else the median; None where it is not known."""
    if figure in SHARES:
        return _share(cell, SHARES[figure])
    column = COLUMNS[figure]
    if column.over_trials == "total":
        total = cell.total(column)
        return total.total if total.known == total.trials else None
    return cell.median(column).median


def _share(cell: Cell, share: Counted) -> float | None:
    events, others = cell.total(share.events), cell.total(share.others)
    is_whole = events.known == events.trials == others.known
    value = share.typical(cell.valid_trials)
    return value if is_whole and not isnan(value) else None
