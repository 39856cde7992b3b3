"""The noise floor of two runs: by how much their own equals differ, from the trials that each ran twice a round."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf

from loadtest.dimensions import SCENARIO
from loadtest.report.compare.figures import ComparedFigure
from loadtest.report.compare.run import Run


def floor_of(figure: ComparedFigure, scenario: str, runs: Sequence[Run]) -> float | None:
    """The larger noise floor of the runs' twins in that scenario; None where no run has any that tell."""
    pairs = [run.twins_of(cell) for run in runs for cell in run.cells if cell.key[SCENARIO] == scenario]
    floors = [figure.floor(twins) for twins in pairs]
    return max((floor for floor in floors if not isinf(floor)), default=None)
