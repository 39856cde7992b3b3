"""summary.json of a capacity run: what each cell carries, for other programs.

An infinite number is written as the text "Infinity", as in that of a bench.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loadtest.report.capacity.answers import CapacityAnswers, CellCapacity, GaveWay, WorkerScaling
from loadtest.report.capacity.words import level_of
from loadtest.report.columns import FORMAT_VERSION
from loadtest.report.csv_files import write_text
from loadtest.report.summary_json import SUMMARY, finite, interval_json


def write_answers(folder: Path, answers: CapacityAnswers) -> None:
    """Write summary.json; ReportError where that fails."""
    write_text(folder / SUMMARY, json.dumps(finite(answers_json(answers)), indent=1, allow_nan=False) + "\n")


def answers_json(answers: CapacityAnswers) -> dict[str, Any]:
    """Return the content of summary.json."""
    return {
        "format": FORMAT_VERSION,
        "name": answers.manifest.name,
        "state": answers.manifest.state,
        "of": answers.asked.of,
        "level": level_of(answers.asked),
        "cells": [_cell_json(cell) for cell in answers.cells],
        "workers": [_scaling_json(scaling) for scaling in answers.scalings],
    }


def _cell_json(cell: CellCapacity) -> dict[str, Any]:
    return {
        **cell.cell.as_row(),
        "kind": cell.kind,
        "carries": None if cell.interval is None else interval_json(cell.interval),
        "bound": cell.bound,
        "why": cell.why,
        "beside": {"users" if cell.of == "rate" else "rate": cell.beside},
        "searches": [asdict(ended) for ended in cell.searches],
        "knee": None if cell.knee is None else asdict(cell.knee),
        "gave_way": None if cell.gave_way is None else _gave_way_json(cell.gave_way),
    }


def _gave_way_json(gave: GaveWay) -> dict[str, Any]:
    return {"busiest": gave.busiest, "share": gave.share, "is_busy": gave.is_busy, "broke": list(gave.broke)}


def _scaling_json(scaling: WorkerScaling) -> dict[str, Any]:
    found = scaling.scaling
    return {
        "cells": [cell.cell.as_row() for cell in scaling.cells],
        "why": scaling.why,
        "left_out": scaling.left_out,
        "rate": None if found is None else interval_json(found.rate),
        "contention": None if found is None else interval_json(found.contention),
        "coherence": None if found is None else interval_json(found.coherence),
    }
