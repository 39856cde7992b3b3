"""What every run begins with: its folder, and the manifest in it; and how that manifest goes on."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from loadtest.bench.pinned import pinned_here
from loadtest.bench.plan import Plan
from loadtest.dimensions import CellKey, Value
from loadtest.report.columns import FORMAT_VERSION
from loadtest.report.manifest import Manifest
from loadtest.stack.machine import git_revision, limits, machine, versions

PROJECT = Path(__file__).resolve().parent.parent.parent
LATEST = "latest"


def new_run_folder(out: Path, name: str) -> Path:
    """Make a new folder `<utc>-<name>` in `out`; OSError when that cannot be."""
    return _new_folder(out, f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{name}")


def new_manifest(
    folder: Path,
    plan: Plan,
    *,
    command: str,
    values: Mapping[str, tuple[Value, ...]],
    planned: int,
    twins: tuple[CellKey, ...] = (),
) -> Manifest:
    """Return the manifest of a run that begins now."""
    pinned = pinned_here(plan)
    return replace(
        manifest_here(folder.name, command=command, plan=plan.model_dump(mode="json"), planned=planned),
        values=values,
        twins=twins,
        pinning=pinned.cpus,
        notes=(*plan.notes, *pinned.notes),
    )


def manifest_here(name: str, *, command: str, plan: Mapping[str, Any], planned: int) -> Manifest:
    """Return the manifest of what begins now and here, and of which nothing more is known."""
    return Manifest(
        format=FORMAT_VERSION,
        name=name,
        started_utc=_now(),
        state="running",
        command=command,
        plan=plan,
        versions=versions(),
        machine=machine(),
        limits=limits(),
        git_revision=git_revision(PROJECT),
        planned=planned,
        done=0,
    )


def with_identity(manifest: Manifest, found: Mapping[str, str]) -> Manifest:
    """Return it with the versions of what ran; one that is not what it was before is told in the notes."""
    was = manifest.identity
    changed = [
        f"{name} changed during the run, from {was[name]} to {version}"
        for name, version in found.items()
        if was.get(name, version) != version
    ]
    notes = tuple(dict.fromkeys((*manifest.notes, *changed)))
    return replace(manifest, identity=dict(sorted({**was, **found}.items())), notes=notes)


def with_state(manifest: Manifest, state: Literal["finished", "interrupted", "running"]) -> Manifest:
    """Return it in another state; one that does not run ended now."""
    return replace(manifest, state=state, finished_utc=None if state == "running" else _now())


def point_latest(folder: Path) -> None:
    """Let `latest` beside the folder point to it; a real file or folder of that name stays.

    The folder may be given by that name: a run that is gone on with is.
    """
    folder = folder.resolve()
    link = folder.parent / LATEST
    if link.is_symlink():
        if link.readlink() == Path(folder.name):
            return
        link.unlink()
    if not link.exists():
        link.symlink_to(folder.name)


def emptied(folder: Path) -> Path:
    """Return an empty folder, as an absolute path; what an earlier attempt left there is removed."""
    folder = folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _new_folder(out: Path, name: str) -> Path:
    """Make a folder of that name, or with a number behind it when another bench began in the same second."""
    out.mkdir(parents=True, exist_ok=True)
    for number in range(1, 100):
        folder = out / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(mode=0o700)  # paths, names and logs of an app are nobody else's business
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{out / name} and 99 more exist")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
