"""A kept run: a small copy for git, from which the report can be made anew and every example still be looked at."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from loadtest.checks.disconnects.table import EXAMPLE
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.report.csv_files import TableFile, write_bytes, write_compressed
from loadtest.report.errors import ReportError
from loadtest.report.folder import read_folder
from loadtest.report.ledgers import records_of, write_kept
from loadtest.report.manifest import MANIFEST, Manifest
from loadtest.report.summary import summarise
from loadtest.report.tables import Tables

OUT: Final = "--out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was kept of a run: how many trials and examples, and the bytes of all files together."""

    trials: int
    examples: int
    size: int


def keep_run(run_folder: Path, folder: Path) -> Kept:
    """Write the manifest, the compressed tables and the examples' records of a run into a new folder.

    The same run gives the same bytes. Raises ReportError when there is no such run, when it is still running, when the
    folder holds something already or cannot be written.
    """
    manifest, tables = read_folder(run_folder)
    if manifest.state == "running":
        raise ReportError(
            f"{run_folder} is still running; wait until it has ended"
            f" (one that was killed: channels-loadtest bench --resume {run_folder})"
        )
    examples = examples_named_by(tables, manifest)
    records = records_of(run_folder, examples)
    _make(folder)
    write_kept(records, folder)
    written = write_compressed(tables, folder)
    write_bytes(
        folder / MANIFEST, _moved((run_folder / MANIFEST).read_bytes(), written)
    )  # last: without it it is no run
    return Kept(
        trials=tables[THROUGHPUT].height, examples=len(examples), size=sum(f.stat().st_size for f in folder.iterdir())
    )


def _moved(manifest: bytes, written: Mapping[str, TableFile]) -> bytes:
    """A manifest of these tables whose command does not say where the run was: the kept one is somewhere else."""
    content = json.loads(manifest)
    command = without_out(content.get("command", ""))
    changed = {"command": command, "tables": {name: asdict(file) for name, file in written.items()}}
    return (json.dumps({**content, **changed}, indent=2, ensure_ascii=False) + "\n").encode()


def without_out(command: str) -> str:
    """A command without its option --out."""
    words = iter(shlex.split(command))
    kept = []
    for word in words:
        if word == OUT:
            next(words, None)
        elif not word.startswith(f"{OUT}="):
            kept.append(word)
    return shlex.join(kept)


def examples_named_by(tables: Tables, manifest: Manifest) -> list[str]:
    """The connections that a run names, in its tables or in what it found, as `channels-loadtest show` takes them."""
    missed = tables[DISCONNECTS][EXAMPLE.name].drop_nulls()
    found = (finding.example for finding in summarise(tables, manifest).findings)
    return sorted({*missed, *found} - {""})


def _make(folder: Path) -> None:
    """Make the folder, or take an empty one; OSError when it cannot be made."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ReportError(f"{folder} exists and is not empty; name a new folder, or remove it first")
    folder.mkdir(parents=True, exist_ok=True)
