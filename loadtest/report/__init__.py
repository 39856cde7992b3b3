"""The report: everything that turns a results folder into tables, summary.json and one report.html."""

from __future__ import annotations

from pathlib import Path

from loadtest.report.csv_files import read_tables, write_csv
from loadtest.report.errors import ReportError
from loadtest.report.folder import read_folder
from loadtest.report.summary import Summary, summarise
from loadtest.report.summary_json import write_summary
from loadtest.report.tables import Tables
from loadtest.report.terminal import print_report

__all__ = ["ReportError", "Summary", "Tables", "print_report", "read_tables", "write_csv", "write_report"]


def write_report(run_folder: Path) -> Summary:
    """Write summary.json and report.html from the folder alone.

    A run stopped before its first trial was saved has a manifest and no tables: its report says so.
    Raises ReportError if the folder cannot be read or written.
    """
    from loadtest.report.html import write_page  # here: no other command needs it, and its plots are slow to import

    manifest, tables = read_folder(run_folder)
    summary = summarise(tables, manifest)
    write_summary(summary, run_folder)
    write_page(run_folder, tables, summary)
    return summary
