"""manifest.json of a run: what was planned, on which machine, with which versions, and what failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import PlainSerializer, PlainValidator, TypeAdapter, ValidationError

from loadtest.dimensions import CellKey, Value
from loadtest.figures.table import FORMAT_VERSION
from loadtest.report.csv_files import TableFile
from loadtest.report.errors import ReportError
from loadtest.report.old_runs import TOLD_SINCE, values_of_old_run

MANIFEST: Final = "manifest.json"


def _read_key(row: object) -> CellKey:
    if isinstance(row, CellKey):
        return row
    try:
        return CellKey.of_row(row)  # type: ignore[arg-type]
    except TypeError as error:
        raise ValueError(str(error)) from None


_Key = Annotated[CellKey, PlainValidator(_read_key), PlainSerializer(CellKey.as_row)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubledTrial:
    """A trial that failed or is not valid, and why."""

    cell: _Key
    trial: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationStep:
    """A short trial that tells how busy the server is at a rate; rates in messages a second from each sender."""

    rate: float
    utilisation: float | None = None
    """The share of the time that what is busiest was busy, also where something else was too; None: not known."""
    busiest: str = ""
    """What that was: "event loop", "sync thread", or "broker"."""
    trouble: str = ""
    """Why it is not known, or not trusted; empty where it is."""
    failed: bool = False
    """Whether the trial came to no result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The rate at which what gives way first in a cell is busy all the time, and how it was found."""

    cell: _Key
    """Without a load, with drops of one kind or none."""
    rate: float | None
    """None: it could not be found."""
    steps: tuple[CalibrationStep, ...]
    why: str = ""
    """Why it could not be found, or is rough."""

    @property
    def has_failed_step(self) -> bool:
        """Whether a step came to no result, so that something around the measurement failed."""
        return any(step.failed for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRate:
    """The rate that the trials of a cell at a relative load have, in messages a second from each sender."""

    cell: _Key
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the report uses of manifest.json; keys it does not know are left alone."""

    format: int
    name: str
    started_utc: str
    finished_utc: str | None = None
    state: Literal["finished", "interrupted", "running"]
    command: str = ""
    plan: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    """What is known of each dimension's values, by its name, in the plan's order."""
    target: Mapping[str, Any] = field(default_factory=dict)
    """What was measured, by the options that name it, without values of its environment; empty: the reference app."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of what measures."""
    identity: Mapping[str, str] = field(default_factory=dict)
    """Versions of what was measured: server, WebSocket implementation, layer, broker, database, by what they are of."""
    capacity: tuple[Capacity, ...] = ()
    """What the cells carry at most, where loads are shares of it."""
    rates: tuple[CellRate, ...] = ()
    """Of each cell at a relative load."""
    twins: tuple[_Key, ...] = ()
    """The cells whose trial is run twice each round; see loadtest/figures/twins.py."""
    machine: Mapping[str, Any] = field(default_factory=dict)
    pinning: Mapping[str, str] = field(default_factory=dict)
    """The CPUs that each role may use, "2-3" say; empty where nothing is pinned."""
    limits: Mapping[str, Any] = field(default_factory=dict)
    git_revision: str | None = None
    planned: int
    done: int
    failed: tuple[TroubledTrial, ...] = ()
    invalid: tuple[TroubledTrial, ...] = ()
    tables: Mapping[str, TableFile] = field(default_factory=dict)
    """What was written of each table; empty in older runs."""
    repeated: tuple[TroubledTrial, ...] = ()
    """The trials that were run again, for their figures were about the rig, and why; none of those figures is kept."""
    notes: tuple[str, ...] = ()

    @property
    def rounds(self) -> int | None:
        """How many rounds were planned; None where the plan does not say."""
        trials = self.plan.get("trials")
        return trials if isinstance(trials, int) else None


_ADAPTER = TypeAdapter(Manifest)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a results folder; ReportError names all that is wrong with it at once."""
    path = folder / MANIFEST
    try:
        manifest = _ADAPTER.validate_json(path.read_bytes())
    except OSError as error:
        raise ReportError(f"could not read {path}: {error.strerror or error}; pass the folder of a run") from error
    except ValidationError as error:
        raise ReportError(f"could not read {path}: {_problems(error)}") from error
    if not 1 <= manifest.format <= FORMAT_VERSION:
        raise ReportError(
            f"{path} has format {manifest.format}, this version reads 1 to {FORMAT_VERSION}; update the tool"
        )
    told = {name: values for name, values in manifest.values.items() if manifest.format >= TOLD_SINCE.get(name, 4)}
    return replace(manifest, values={**values_of_old_run(manifest.plan), **told})


def manifest_json(manifest: Manifest) -> str:
    """The content of manifest.json."""
    return _ADAPTER.dump_json(manifest, indent=2).decode() + "\n"


def _problems(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}" for item in error.errors())
