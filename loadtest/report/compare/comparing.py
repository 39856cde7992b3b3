"""The comparison: each figure of each cell that both runs have, all judged together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, isnan

from loadtest.dimensions import FIXED_LOAD, LOAD, SCENARIO, CellKey
from loadtest.figures.cell import TrialFigures
from loadtest.figures.words import Namer
from loadtest.report.compare.figures import FAMILY, ComparedFigure
from loadtest.report.compare.noise import floor_of
from loadtest.report.compare.run import Run
from loadtest.stats.unpaired import Contrast, Judged, judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of one cell in both runs; the second beside the first."""

    cell: CellKey
    figure: ComparedFigure
    one: float
    other: float
    trials: tuple[int, int]
    """Of each run, those that count."""
    judged: Judged
    floor: float | None
    """By how much equals differ in these runs; None where that is not known."""

    @property
    def is_difference(self) -> bool:
        """Whether the two differ by more than noise."""
        return self.judged.verdict in ("higher", "lower") and not self.is_within_noise

    @property
    def is_within_noise(self) -> bool:
        """Whether equals differ as much as this in one of the runs themselves."""
        return self.floor is not None and self._size <= self.floor

    @property
    def is_worse(self) -> bool:
        """Whether the second run is worse by more than noise."""
        return self.is_difference and self.judged.verdict != self.figure.better

    @property
    def _size(self) -> float:
        """How large the difference is, up or down, as a share."""
        estimate = self.judged.difference.estimate
        if self.figure.kind == "share":
            return abs(estimate)
        return max(estimate, 1 / estimate) - 1 if estimate > 0 else inf


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRuns:
    """What comparing two runs came to."""

    one: Run
    other: Run
    rows: tuple[Row, ...]

    @property
    def only_in_one(self) -> list[CellKey]:
        """The cells that the second run does not have."""
        return [key for key in self.one.by_key if key not in self.other.by_key]

    @property
    def only_in_other(self) -> list[CellKey]:
        """The cells that the first run does not have."""
        return [key for key in self.other.by_key if key not in self.one.by_key]

    @property
    def namer(self) -> Namer:
        """Names the cells of both runs."""
        return Namer([*self.one.by_key, *self.other.by_key])

    @property
    def differing(self) -> list[Row]:
        """The rows that differ by more than noise."""
        return [row for row in self.rows if row.is_difference]


def compare_runs(one: Run, other: Run) -> ComparedRuns:
    """Compare all figures of FAMILY in all cells that both runs have, as one family: the second over the first.

    Trials that are not valid are left out, and so are twins: they belong to rounds that count already. What a relative
    load sets by itself, the messages a second, is not compared there: each run found its own rate.
    """
    found = list(_asked(one, other))
    judged = judge([contrast for _, contrast in found])
    return ComparedRuns(
        one=one,
        other=other,
        rows=tuple(_row(asked, verdict, (one, other)) for (asked, _), verdict in zip(found, judged, strict=True)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A figure of a cell, with the trials of both runs."""

    cell: CellKey
    figure: ComparedFigure
    one: Sequence[TrialFigures]
    other: Sequence[TrialFigures]


def _asked(one: Run, other: Run) -> Iterator[tuple[_Asked, Contrast]]:
    others = other.by_key
    for cell in (cell for cell in one.cells if cell.key in others):
        trials = one.trials_of(cell), other.trials_of(others[cell.key])
        for figure in FAMILY:
            is_set = figure.follows_rate and cell.key[LOAD] != FIXED_LOAD
            if not is_set and not all(isnan(figure.typical(side)) for side in trials):
                asked = _Asked(cell=cell.key, figure=figure, one=trials[0], other=trials[1])
                yield asked, figure.contrast(trials[1], trials[0])


def _row(asked: _Asked, judged: Judged, runs: Sequence[Run]) -> Row:
    return Row(
        cell=asked.cell,
        figure=asked.figure,
        one=asked.figure.typical(asked.one),
        other=asked.figure.typical(asked.other),
        trials=(len(asked.one), len(asked.other)),
        judged=judged,
        floor=floor_of(asked.figure, asked.cell[SCENARIO], runs),
    )
