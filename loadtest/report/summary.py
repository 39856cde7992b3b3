"""summary.json: every figure of every cell and trial, their medians with the range, and what was found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from loadtest.report.cells import Cell, cells_of, key_of
from loadtest.report.columns import FORMAT_VERSION
from loadtest.report.examples import Examples
from loadtest.report.findings import Finding, find
from loadtest.report.manifest import CellKey, Manifest
from loadtest.report.tables import Tables, write_text


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
    cells: tuple[Cell, ...]
    unknown: tuple[UnknownFigure, ...]
    findings: tuple[Finding, ...]


def summarise(tables: Tables, manifest: Manifest) -> Summary:
    """The summary of a run, also of one with no trial done."""
    cells = cells_of(tables)
    return Summary(
        manifest=manifest, cells=cells, unknown=_unknown(tables), findings=find(cells, manifest, Examples.of(tables))
    )


def write_summary(summary: Summary, folder: Path) -> None:
    """Write summary.json into a run's folder; ReportError if that fails."""
    write_text(folder / "summary.json", json.dumps(summary_json(summary), indent=1, allow_nan=False) + "\n")


def summary_json(summary: Summary) -> dict[str, Any]:
    """The content of summary.json, format 1."""
    manifest = summary.manifest
    return {
        "format": FORMAT_VERSION,
        "name": manifest.name,
        "state": manifest.state,
        "cells": [_cell_json(cell) for cell in summary.cells],
        "unknown": [asdict(figure) for figure in summary.unknown],
        "failed": [asdict(trial) for trial in manifest.failed],
        "invalid": [asdict(trial) for trial in manifest.invalid],
        "findings": [asdict(finding) for finding in summary.findings],
    }


def _cell_json(cell: Cell) -> dict[str, Any]:
    return {
        **asdict(cell.key),
        "trials": [asdict(trial) for trial in cell.trials],
        "medians": {name: asdict(figure) for name, figure in cell.medians.items()},
        "totals": {name: asdict(total) for name, total in cell.totals.items()},
    }


def _unknown(tables: Tables) -> tuple[UnknownFigure, ...]:
    return tuple(_unknown_figure(row) for row in tables.unknown.iter_rows(named=True))


def _unknown_figure(row: Mapping[str, Any]) -> UnknownFigure:
    return UnknownFigure(
        cell=key_of(row),
        trial=row["trial"],
        column=row["column"] or "?",
        why=row["why"] or "no reason was recorded",
    )
