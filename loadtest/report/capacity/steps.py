"""The steps of a capacity run, and the file that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from loadtest.dimensions import CellKey
from loadtest.report.capacity.table import COLUMNS, TABLE
from loadtest.report.csv_files import TableFile, write_text
from loadtest.report.errors import ReportError
from loadtest.stats.search import Outcome, Tried

StepOutcome = Literal["kept", "broken", "not valid", "disturbed", "failed"]
Raised = Literal["rate", "users"]
"""What a search raises: messages a second from each sender, or connections."""

_OUTCOMES: Final[Mapping[StepOutcome, Outcome]] = {
    "kept": "kept",
    "broken": "broken",
    "not valid": "rig",
    "disturbed": "disturbed",
    "failed": "rig",
}
"""As the search takes them: what fails at one load fails at a higher one."""

BETWEEN: Final = "; "
"""Between what was broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityStep:
    """One row of capacity.csv; the figures are those of the columns of the same names, None where not known."""

    cell: CellKey
    number: int
    """Which one of the cell it is, from 1: the column `trial`, and the name of its folder."""
    search: int
    step: int
    rate: float
    users: int
    outcome: StepOutcome
    broke: str = ""
    why: str = ""
    offered: int | None = None
    sent: int | None = None
    answered: int | None = None
    overloaded: str | None = None
    latency_ms_p50: float | None = None
    latency_ms_p99: float | None = None
    watched_ms: float | None = None
    lost_share: float | None = None
    missed_share: float | None = None
    utilisation: float | None = None
    loop_busy: float | None = None
    sync_thread_busy: float | None = None
    broker_busy: float | None = None
    server_cpus: int | None = None
    server_cpu: float | None = None
    busiest: str | None = None
    busiest_share: float | None = None

    def value(self, of: Raised) -> float:
        """Return what the search tried."""
        return self.rate if of == "rate" else float(self.users)

    def tried(self, of: Raised) -> Tried:
        """Return the step as the search sees it."""
        return Tried(value=self.value(of), outcome=_OUTCOMES[self.outcome])

    @property
    def is_valid(self) -> bool:
        """Tell whether its figures are about the server."""
        return self.outcome in ("kept", "broken")

    @property
    def p99(self) -> float:
        """Return the latency that 99 of 100 messages came within, in ms; infinite where it is not known either."""
        return inf if self.latency_ms_p99 is None else self.latency_ms_p99

    @property
    def broken(self) -> list[str]:
        """Return the parts of the service level that were broken, without their figures."""
        return [part.rpartition(": ")[0] or part for part in self.broke.split(BETWEEN) if part]

    def as_row(self) -> dict[str, object]:
        """Return the step by the columns' names."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in ("cell", "number")}
        return {**self.cell.as_row(), "trial": self.number, **own}

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> CapacityStep:
        """Return the step that a row holds."""
        own = {field.name: row[field.name] for field in fields(cls) if field.name in row}
        texts = {name: own[name] or "" for name in ("broke", "why")}
        return cls(cell=CellKey.of_row(row), number=row["trial"], **{**own, **texts})


def write_steps(steps: Iterable[CapacityStep], folder: Path) -> dict[str, TableFile]:
    """Write capacity.csv, and return what was written by its table's name; a reader sees its old state or its new one.

    Raises ReportError where that fails.
    """
    rows = [step.as_row() for step in steps]
    frame = pl.DataFrame({name: [row[name] for row in rows] for name in _SCHEMA}, schema=_SCHEMA)
    text = frame.write_csv()
    write_text(folder / TABLE.file, text)
    return {TABLE.name: TableFile.of(text.encode(), rows=frame.height)}


def read_steps(folder: Path) -> Sequence[CapacityStep]:
    """Return the steps in capacity.csv; ReportError where it is not there or not as this version writes it."""
    path = folder / TABLE.file
    try:
        frame = pl.read_csv(path.read_bytes(), schema_overrides=_SCHEMA)
        return [CapacityStep.of_row(row) for row in frame.select(list(_SCHEMA)).iter_rows(named=True)]
    except (OSError, pl.exceptions.PolarsError, TypeError) as error:
        raise ReportError(
            f"could not read {path}: {error}; it may have been edited, or be of another version"
        ) from error


def has_steps(folder: Path) -> bool:
    """Tell whether a folder is that of a capacity run."""
    return (folder / TABLE.file).is_file()


_SCHEMA: Final = {column.name: column.polars for column in COLUMNS}
