"""The noise floor of two runs: by how much their own equals differ, from the trials that each ran twice a round."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf

from loadtest.dimensions import SCENARIO
from loadtest.figures.cell import TrialFigures
from loadtest.report.compare.figures import ComparedFigure
from loadtest.report.compare.run import Run


def floor_of(figure: ComparedFigure, scenario: str, runs: Sequence[Run]) -> float | None:
    """The larger noise floor of the runs' twins in that scenario; None where no run has any that tell."""
    floors = [figure.floor(pairs) for run in runs for pairs in _twins_in(run, scenario)]
    return max((floor for floor in floors if not isinf(floor)), default=None)


def _twins_in(run: Run, scenario: str) -> list[list[tuple[TrialFigures, TrialFigures]]]:
    """The pairs of each cell of that scenario that has some: both ran in one round, and both are valid."""
    cells = [cell for cell in run.cells if cell.key[SCENARIO] == scenario]
    return [pairs for cell in cells if (pairs := _pairs({trial.number: trial for trial in cell.valid_trials}, run))]


def _pairs(trials: dict[int, TrialFigures], run: Run) -> list[tuple[TrialFigures, TrialFigures]]:
    rounds = run.rounds
    return [(trials[number], trials[number + rounds]) for number in trials if number + rounds in trials]
