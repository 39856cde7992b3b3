"""A run as it is compared: its manifest and its whole cells, from its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loadtest.dimensions import CellKey
from loadtest.figures.cell import Cell, TrialFigures
from loadtest.figures.twins import is_twin, twin_pairs
from loadtest.figures.values import Values
from loadtest.report.cells import cells_of
from loadtest.report.folder import read_folder
from loadtest.report.manifest import Manifest
from loadtest.report.whole_cells import whole_cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run's folder, read."""

    folder: Path
    manifest: Manifest
    cells: tuple[Cell, ...]

    @property
    def rounds(self) -> int | None:
        """How many rounds it has, each with a trial of every cell; None where its plan does not say."""
        trials = self.manifest.plan.get("trials")
        return trials if isinstance(trials, int) else None

    def trials_of(self, cell: Cell) -> list[TrialFigures]:
        """The valid trials of a cell, without twins: these belong to rounds that count already."""
        rounds = self.rounds
        return [trial for trial in cell.valid_trials if rounds is None or not is_twin(trial.number, trials=rounds)]

    def twins_of(self, cell: Cell) -> list[tuple[TrialFigures, TrialFigures]]:
        """The pairs of valid trials of a cell that were run twice in one round."""
        found = {trial.number: trial for trial in cell.valid_trials}
        pairs = twin_pairs(self.rounds or 0)
        return [(found[number], found[twin]) for number, twin in pairs if number in found and twin in found]

    @property
    def by_key(self) -> dict[CellKey, Cell]:
        """The cells by their keys, in their order."""
        return {cell.key: cell for cell in self.cells}


def read_run(folder: Path) -> Run:
    """Read a run's folder, also a kept one; ReportError where it is none, or damaged."""
    manifest, tables = read_folder(folder)
    values = Values(manifest.values)
    return Run(folder=folder, manifest=manifest, cells=whole_cells(cells_of(tables, values), values))
