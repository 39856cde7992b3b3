"""A run as it is compared: its manifest and its whole cells, from its folder."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from loadtest.dimensions import CellKey
from loadtest.figures.cell import Cell
from loadtest.figures.values import Values
from loadtest.report.cells import cells_of
from loadtest.report.csv_files import read_tables
from loadtest.report.manifest import Manifest, read_manifest
from loadtest.report.whole_cells import whole_cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run's folder, read."""

    folder: Path
    manifest: Manifest
    cells: tuple[Cell, ...]

    @property
    def rounds(self) -> int:
        """How many rounds it has: a trial of a higher number is the twin of one. No trial is, where no plan says."""
        trials = self.manifest.plan.get("trials")
        return trials if isinstance(trials, int) else sys.maxsize

    @property
    def by_key(self) -> dict[CellKey, Cell]:
        """The cells by their keys, in their order."""
        return {cell.key: cell for cell in self.cells}


def read_run(folder: Path) -> Run:
    """Read a run's folder, also a kept one; ReportError where it is none, or damaged."""
    manifest, tables = read_manifest(folder), read_tables(folder)
    values = Values(manifest.values)
    return Run(folder=folder, manifest=manifest, cells=whole_cells(cells_of(tables, values), values))
