"""The report of a capacity run: everything that turns its folder into sentences, a table, a page and JSON."""

from __future__ import annotations

from pathlib import Path

from loadtest.report.capacity.answers import Asked, CapacityAnswers, CellCapacity, answers_of, tried_in
from loadtest.report.capacity.answers_json import write_answers
from loadtest.report.capacity.printed import print_answers
from loadtest.report.capacity.steps import CapacityStep, Raised, has_steps, read_steps, write_steps
from loadtest.report.folder import read_manifest_of_undamaged

__all__ = [
    "Asked",
    "CapacityAnswers",
    "CapacityStep",
    "CellCapacity",
    "Raised",
    "answers_of",
    "has_steps",
    "print_answers",
    "read_steps",
    "tried_in",
    "write_capacity_report",
    "write_steps",
]


def write_capacity_report(folder: Path) -> CapacityAnswers:
    """Write summary.json and report.html from the folder alone; ReportError where it cannot be read or written."""
    from loadtest.report.capacity.page import write_page  # here: its plots are slow to import

    manifest = read_manifest_of_undamaged(folder)
    answers = answers_of(read_steps(folder), manifest)
    write_answers(folder, answers)
    write_page(folder, answers)
    return answers
