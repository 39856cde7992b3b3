"""A run's folder as a whole: the manifest and the tables, of which nothing damaged is believed."""

from dataclasses import replace
from pathlib import Path

from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.report.cells import of_trials, trials_of
from loadtest.report.csv_files import has_tables, read_tables, refuse_damaged, write_csv, write_text
from loadtest.report.manifest import MANIFEST, Manifest, manifest_json, read_manifest
from loadtest.report.soundness import refuse_unsound
from loadtest.report.tables import Tables


def write_folder(folder: Path, manifest: Manifest, tables: Tables) -> Manifest:
    """Write the tables, then the manifest that says what was written of them, and return it.

    Raises ReportError where that fails.
    """
    written = replace(manifest, done=tables[THROUGHPUT].height, tables=write_csv(tables, folder))
    write_text(folder / MANIFEST, manifest_json(written))
    return written


def read_folder(folder: Path) -> tuple[Manifest, Tables]:
    """Return a run's manifest and tables; ReportError where it is no run, or says what was never measured.

    A run that was killed may have been in the midst of saving a trial: of it the trials count that were saved whole.
    A run that was stopped before its first trial was saved has no tables, or empty ones.
    """
    manifest = read_manifest_of_undamaged(folder)
    tables = read_tables(folder) if manifest.tables or has_tables(folder) else Tables.empty()
    if manifest.state == "running":
        tables = _of_done_trials(tables)
        manifest = replace(manifest, done=tables[THROUGHPUT].height)
    refuse_unsound(tables, folder)
    return manifest, tables


def read_manifest_of_undamaged(folder: Path) -> Manifest:
    """Return a run's manifest; ReportError where it has ended and its tables are not as they were written."""
    manifest = read_manifest(folder)
    if manifest.state != "running":
        refuse_damaged(folder, manifest.tables)
    return manifest


def _of_done_trials(tables: Tables) -> Tables:
    """Leave out what was saved of a trial while the bench was killed: its row in throughput.csv is written last."""
    done = trials_of(tables)
    return of_trials(tables, lambda cell, trial: (cell, trial) in done)
