"""The summary of a run: all that the faces print, made from its tables and its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadtest.dimensions import CellKey
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding
from loadtest.figures.values import Values
from loadtest.report.cells import cells_of, examples_of
from loadtest.report.columns import COLUMN, UNKNOWN, WHY
from loadtest.report.comparisons import Comparison, comparisons_of
from loadtest.report.findings import find
from loadtest.report.manifest import Manifest
from loadtest.report.noise import Noise, noise_of
from loadtest.report.tables import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownFigure:
    """A number that is not known in one trial, and why."""

    cell: CellKey
    trial: int
    column: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Everything the faces print, made from a run's tables and manifest alone."""

    manifest: Manifest
    evidence: Evidence
    unknown: tuple[UnknownFigure, ...]
    findings: tuple[Finding, ...]
    comparisons: tuple[Comparison, ...] = ()
    noise: tuple[Noise, ...] = ()

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells with their figures."""
        return self.evidence.cells


def summarise(tables: Tables, manifest: Manifest) -> Summary:
    """The summary of a run, also of one with no trial done."""
    values = Values(manifest.values)
    cells = cells_of(tables, values, rounds=manifest.rounds)
    evidence = Evidence(cells=cells, examples=examples_of(tables), values=values)
    comparisons = comparisons_of(evidence, manifest)
    return Summary(
        manifest=manifest,
        evidence=evidence,
        unknown=_unknown(tables),
        findings=find(evidence, manifest, comparisons),
        comparisons=comparisons,
        noise=noise_of(evidence, manifest),
    )


def _unknown(tables: Tables) -> tuple[UnknownFigure, ...]:
    return tuple(_unknown_figure(row) for row in tables[UNKNOWN].iter_rows(named=True))


def _unknown_figure(row: Mapping[str, Any]) -> UnknownFigure:
    return UnknownFigure(
        cell=CellKey.of_row(row),
        trial=row["trial"],
        column=row[COLUMN.name] or "?",
        why=row[WHY.name] or "no reason was recorded",
    )
