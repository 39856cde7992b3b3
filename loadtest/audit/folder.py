"""The folder of an audit: that of a run with one trial, so that `report`, `show` and `compare` read it."""

from dataclasses import replace
from pathlib import Path

from loadtest.audit.audited import Audited
from loadtest.bench.run_manifest import manifest_here, new_run_folder, point_latest, with_state
from loadtest.bench.trial_ledgers import write_ledgers
from loadtest.report.folder import write_folder
from loadtest.report.manifest import Manifest, TroubledTrial

NAME = "audit"


def manifest_of(audited: Audited, *, command: str, name: str = NAME) -> Manifest:
    """Return the manifest of a run that is this audit."""
    told = audited.told
    plan = {"trials": 1, "reaches": told.reaches, "allow_contention": told.allow_contention}
    invalid = tuple(TroubledTrial(cell=audited.cell, trial=audited.trial.number, why=why) for why in audited.invalid)
    return replace(
        with_state(manifest_here(name, command=command, plan=plan, planned=1), "finished"),
        values=audited.values,
        done=1,
        invalid=invalid,
        notes=audited.notes,
    )


def write_run(audited: Audited, out: Path, *, command: str) -> Path:
    """Write a new folder `<utc>-audit` in `out`, let `latest` point to it, and return it.

    Raises OSError or EnvironmentFailed when it cannot.
    """
    folder = new_run_folder(out, NAME)
    trial = folder / "trials" / audited.trial.folder
    trial.mkdir(parents=True)
    write_ledgers(trial, client=audited.ledgers.client, server=audited.ledgers.server)
    write_folder(folder, manifest_of(audited, command=command, name=folder.name), audited.tables)
    point_latest(folder)
    return folder
