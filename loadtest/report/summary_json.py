"""summary.json: every figure of every cell and trial with its interval, what was compared, and what was found.

An infinite number is written as the text "Infinity" or "-Infinity", for JSON has none, and float() reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from math import isfinite, isnan
from pathlib import Path
from typing import Any, Final

from loadtest.checks.delivery.table import LOST_OF
from loadtest.checks.disconnects.account import MISSED_OF
from loadtest.checks.disconnects.detection import QUANTILES
from loadtest.checks.drops import DETECT_MS
from loadtest.figures.cell import Cell, TrialFigures
from loadtest.figures.finding import Finding
from loadtest.figures.share import share_in
from loadtest.report.columns import FORMAT_VERSION
from loadtest.report.comparisons import Comparison, shown
from loadtest.report.csv_files import write_text
from loadtest.report.manifest import TroubledTrial
from loadtest.report.noise import Noise
from loadtest.report.summary import Summary, UnknownFigure
from loadtest.stats.interval import Interval
from loadtest.stats.share import Share
from loadtest.stats.survival import Quantile

SUMMARY: Final = "summary.json"

SHARES = (MISSED_OF, LOST_OF)
"""What is a share of what, in each cell that has it."""


def write_summary(summary: Summary, folder: Path) -> None:
    """Write summary.json into a run's folder; ReportError if that fails."""
    write_text(folder / SUMMARY, summary_text(summary))


def summary_text(summary: Summary) -> str:
    """The text of summary.json."""
    return json.dumps(finite(summary_json(summary)), indent=1, allow_nan=False) + "\n"


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
        "repeated": [_troubled_json(trial) for trial in manifest.repeated],
        "comparisons": [_comparison_json(comparison) for comparison in summary.comparisons],
        "noise_floor": [_noise_json(noise) for noise in summary.noise],
        "findings": [_finding_json(finding) for finding in summary.findings],
    }


def _cell_json(cell: Cell) -> dict[str, Any]:
    counted = {column for column in cell.medians if column.over_trials == "median"}
    shares = {part.name: share_in([cell], part) for part in SHARES}
    quantiles = cell.quantiles(DETECT_MS, QUANTILES)
    return {
        **cell.key.as_row(),
        "trials": [_trial_json(trial) for trial in cell.trials],
        "medians": {str(column): asdict(figure) for column, figure in cell.medians.items()},
        "totals": {str(column): asdict(total) for column, total in cell.totals.items()},
        "intervals": {
            str(column): interval_json(cell.interval(column)) for column in cell.medians if column in counted
        },
        "shares": {name: share_json(share) for name, share in shares.items() if share.of},
        "quantiles": {str(DETECT_MS): [_quantile_json(found) for found in quantiles if found.of]},
    }


def interval_json(interval: Interval) -> dict[str, Any]:
    """An estimate and its limits; a limit that is not known is infinite."""
    return {"estimate": interval.estimate, "low": interval.low, "high": interval.high}


def share_json(share: Share) -> dict[str, Any]:
    """A share of 0 to 1 with its limits, and of how many in how many rounds."""
    return {**interval_json(share.interval), "events": share.events, "of": share.of, "rounds": share.trials}


def _quantile_json(found: Quantile) -> dict[str, Any]:
    """A quantile, what never came included; `is_known` is false where there are too few times to tell."""
    counts = {"of": found.of, "events": found.events, "is_known": found.is_known, "watched": found.watched}
    return {"share": found.share, **interval_json(found.interval), **counts}


def _comparison_json(comparison: Comparison) -> dict[str, Any]:
    asked = comparison.asked
    parts = zip(asked.pairs, comparison.parts, comparison.verdicts.parts, strict=True)
    return {
        "figure": asked.metric.name,
        "dimension": asked.dimension.name,
        "one": asked.one,
        "other": asked.other,
        "is": "points" if asked.metric.is_share else "ratio",
        "verdict": comparison.verdicts.whole,
        **interval_json(comparison.interval),
        "p": comparison.verdicts.p,
        "matters": asked.metric.matters,
        "seeable": comparison.seeable,
        "rounds": comparison.whole.rounds,
        "places": [
            {
                "cells": [cell.key.as_row() for cell in (*pair.one, *pair.other)],
                "verdict": verdict,
                **interval_json(shown(asked, part)),
            }
            for pair, part, verdict in parts
        ],
    }


def _noise_json(noise: Noise) -> dict[str, Any]:
    return {
        "figure": noise.metric.name,
        "single": noise.floor.single,
        "over_rounds": noise.over_rounds,
        "rounds": noise.floor.rounds,
        "cells": [cell.key.as_row() for cell in noise.cells],
    }


def finite(content: Any) -> Any:
    """The content with texts for what is infinite, and null for what is no number."""
    if isinstance(content, Mapping):
        return {name: finite(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    if not isinstance(content, float) or isfinite(content):
        return content
    return None if isnan(content) else "Infinity" if content > 0 else "-Infinity"


def _trial_json(trial: TrialFigures) -> dict[str, Any]:
    figures = {str(column): value for column, value in trial.figures.items()}
    return {"number": trial.number, "round": trial.round, "valid": trial.valid, "figures": figures}


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
