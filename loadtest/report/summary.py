"""summary.json: every figure of every cell and trial, their medians with the range, and what was found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from typing import Any

from loadtest.dimensions import CellKey
from loadtest.figures.cell import Cell, TrialFigures
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding
from loadtest.figures.values import Values
from loadtest.report.cells import cells_of, examples_of
from loadtest.report.columns import COLUMN, FORMAT_VERSION, UNKNOWN, WHY
from loadtest.report.csv_files import write_text
from loadtest.report.findings import find
from loadtest.report.manifest import Manifest, TroubledTrial
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

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells with their figures."""
        return self.evidence.cells


def summarise(tables: Tables, manifest: Manifest) -> Summary:
    """The summary of a run, also of one with no trial done."""
    values = Values(manifest.values)
    evidence = Evidence(cells=cells_of(tables, values), examples=examples_of(tables), values=values)
    return Summary(manifest=manifest, evidence=evidence, unknown=_unknown(tables), findings=find(evidence, manifest))


def write_summary(summary: Summary, folder: Path) -> None:
    """Write summary.json into a run's folder; ReportError if that fails."""
    text = json.dumps(_finite(summary_json(summary)), indent=1, allow_nan=False)
    write_text(folder / "summary.json", text + "\n")


def summary_json(summary: Summary) -> dict[str, Any]:
    """The content of summary.json: figures by "table.column", counts as an object."""
    manifest = summary.manifest
    return {
        "format": FORMAT_VERSION,
        "name": manifest.name,
        "state": manifest.state,
        "cells": [_cell_json(cell) for cell in summary.cells],
        "unknown": [_unknown_json(figure) for figure in summary.unknown],
        "failed": [_troubled_json(trial) for trial in manifest.failed],
        "invalid": [_troubled_json(trial) for trial in manifest.invalid],
        "findings": [_finding_json(finding) for finding in summary.findings],
    }


def _finite(content: Any) -> Any:
    """The content with the text "Infinity" for what is infinite: JSON has no such number, and float() reads it."""
    if isinstance(content, Mapping):
        return {name: _finite(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return "Infinity" if content == inf else content


def _cell_json(cell: Cell) -> dict[str, Any]:
    return {
        **cell.key.as_row(),
        "trials": [_trial_json(trial) for trial in cell.trials],
        "medians": {str(column): asdict(figure) for column, figure in cell.medians.items()},
        "totals": {str(column): asdict(total) for column, total in cell.totals.items()},
    }


def _trial_json(trial: TrialFigures) -> dict[str, Any]:
    figures = {str(column): value for column, value in trial.figures.items()}
    return {"number": trial.number, "valid": trial.valid, "figures": figures}


def _unknown_json(figure: UnknownFigure) -> dict[str, Any]:
    return {"cell": figure.cell.as_row(), "trial": figure.trial, "column": figure.column, "why": figure.why}


def _troubled_json(trial: TroubledTrial) -> dict[str, Any]:
    return {"cell": trial.cell.as_row(), "trial": trial.trial, "why": trial.why}


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "severity": finding.severity,
        "topic": finding.topic.name,
        "text": finding.text,
        "cells": [key.as_row() for key in finding.cells],
        "figures": [str(column) for column in finding.figures],
        "example": finding.example,
    }


def _unknown(tables: Tables) -> tuple[UnknownFigure, ...]:
    return tuple(_unknown_figure(row) for row in tables[UNKNOWN].iter_rows(named=True))


def _unknown_figure(row: Mapping[str, Any]) -> UnknownFigure:
    return UnknownFigure(
        cell=CellKey.of_row(row),
        trial=row["trial"],
        column=row[COLUMN.name] or "?",
        why=row[WHY.name] or "no reason was recorded",
    )
