"""manifest.json of a run: what was planned, on which machine, with which versions, and what failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import TypeAdapter, ValidationError

from loadtest.report.columns import FORMAT_VERSION
from loadtest.report.errors import ReportError

MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellKey:
    """One cell: a combination of server, workers, layer, consumer, scenario and drop."""

    server: str
    workers: int
    layer: str
    consumer: str
    scenario: str
    drop: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubledTrial:
    """A trial that failed or is not valid, and why."""

    cell: CellKey
    trial: int
    why: str


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
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of what measures."""
    identity: Mapping[str, str] = field(default_factory=dict)
    """Versions of what was measured: server, WebSocket implementation, layer, broker, database, by what they are of."""
    machine: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    git_revision: str | None = None
    planned: int
    done: int
    failed: tuple[TroubledTrial, ...] = ()
    invalid: tuple[TroubledTrial, ...] = ()
    notes: tuple[str, ...] = ()


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a results folder; ReportError names all that is wrong with it at once."""
    path = folder / MANIFEST
    try:
        manifest = TypeAdapter(Manifest).validate_json(path.read_bytes())
    except OSError as error:
        raise ReportError(f"could not read {path}: {error.strerror or error}; pass the folder of a run") from error
    except ValidationError as error:
        raise ReportError(f"could not read {path}: {_problems(error)}") from error
    if not 1 <= manifest.format <= FORMAT_VERSION:
        raise ReportError(
            f"{path} has format {manifest.format}, this version reads 1 to {FORMAT_VERSION}; update the tool"
        )
    return manifest


def _problems(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}" for item in error.errors())
