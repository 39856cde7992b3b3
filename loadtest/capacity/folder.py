"""The folder of a capacity run: its manifest and its steps, written anew after each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal, Self

from loadtest.bench.run_manifest import (
    emptied,
    new_manifest,
    new_run_folder,
    point_latest,
    with_identity,
    with_state,
)
from loadtest.capacity.plan import OF_NO_CAPACITY, CapacityPlan
from loadtest.dimensions import CellKey, Value
from loadtest.report.capacity import CapacityStep, write_steps
from loadtest.report.csv_files import write_text
from loadtest.report.manifest import MANIFEST, Manifest, TroubledTrial, manifest_json

NAME = "capacity"


class CapacityFolder:
    """One folder under results/: what was planned, and every step so far."""

    def __init__(self, folder: Path, plan: CapacityPlan, manifest: Manifest) -> None:
        """Take up what is there; use `create`."""
        self.folder = folder
        self.plan = plan
        self.steps: list[CapacityStep] = []
        self._manifest = manifest

    @classmethod
    def create(cls, out: Path, plan: CapacityPlan, *, command: str, values: Mapping[str, tuple[Value, ...]]) -> Self:
        """Make a new folder `<utc>-capacity` in `out`; OSError when it cannot. `latest` there is for one that began."""
        folder = new_run_folder(out, NAME)
        planned = len(plan.cells()) * plan.searches
        manifest = new_manifest(folder, plan, command=command, values=values, planned=planned)
        used = {key: value for key, value in manifest.plan.items() if key not in OF_NO_CAPACITY}
        run = cls(folder, plan, replace(manifest, plan=used))
        run._write()
        return run

    @property
    def has_failed_step(self) -> bool:
        """Tell whether a step came to no result."""
        return bool(self._manifest.failed)

    def steps_of(self, cell: CellKey, search: int) -> list[CapacityStep]:
        """Return the steps of one search, in their order."""
        return [step for step in self.steps if (step.cell, step.search) == (cell, search)]

    def number_of_next(self, cell: CellKey) -> int:
        """Return the number of the next step of a cell, from 1."""
        return 1 + sum(step.cell == cell for step in self.steps)

    def new_step_folder(self, cell: CellKey, number: int) -> Path:
        """Return an empty folder for a step."""
        point_latest(self.folder)
        return emptied(self.folder / "steps" / cell.folder / str(number))

    def note_identity(self, found: Mapping[str, str]) -> None:
        """Note the versions of what ran in a step."""
        self._manifest = with_identity(self._manifest, found)

    def save(self, step: CapacityStep) -> None:
        """Add a step and write everything."""
        self.steps.append(step)
        trouble = TroubledTrial(cell=step.cell, trial=step.number, why=step.why)
        if step.outcome == "failed":
            self._manifest = replace(self._manifest, failed=(*self._manifest.failed, trouble))
        elif step.outcome == "not valid":
            self._manifest = replace(self._manifest, invalid=(*self._manifest.invalid, trouble))
        self._write()

    def save_search(self) -> None:
        """Write down that one more search has ended."""
        self._manifest = replace(self._manifest, done=self._manifest.done + 1)
        self._write()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Mark the run as running, and at the end as finished, or as interrupted when an exception ended it."""
        try:
            yield
            self._set_state("finished")
        except BaseException:  # also one in the midst of writing that it is finished
            self._set_state("interrupted")
            raise

    def _set_state(self, state: Literal["finished", "interrupted"]) -> None:
        self._manifest = with_state(self._manifest, state)
        self._write()

    def _write(self) -> None:
        self._manifest = replace(self._manifest, tables=write_steps(self.steps, self.folder))
        write_text(self.folder / MANIFEST, manifest_json(self._manifest))
