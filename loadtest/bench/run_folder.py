"""A run's folder: the manifest and the tables, written anew after each trial, so that what is done is always there."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self

from loadtest.bench.choices import Choices
from loadtest.bench.plan import Plan, PlanError, Trial
from loadtest.bench.profiles import make_plan
from loadtest.bench.run_manifest import (
    emptied,
    new_manifest,
    new_run_folder,
    point_latest,
    with_identity,
    with_state,
)
from loadtest.dimensions import CellKey, Value
from loadtest.report.cells import of_trials, trials_of
from loadtest.report.columns import FORMAT_VERSION
from loadtest.report.errors import ReportError
from loadtest.report.folder import read_folder, write_folder
from loadtest.report.manifest import (
    MANIFEST,
    Capacity,
    CellRate,
    Manifest,
    TroubledTrial,
)
from loadtest.report.tables import Tables
from loadtest.stack.machine import machine, versions

MOST_INVALID = 0.25
"""Of the trials, as a share: where more are not valid, something disturbs the machine all the time."""
MOST_REPEATED = 0.1
"""Of the trials, as a share: so many are run again at most, which bounds the time that a run takes."""


RESERVE = ".reserve"
RESERVE_BYTES = 4 * 1024 * 1024
"""Of a run with 300 trials the tables, the summary and the page take half of it."""


class RunFolder:
    """One folder under results/: what was planned, what is done, and every figure so far."""

    def __init__(self, folder: Path, plan: Plan, manifest: Manifest, tables: Tables) -> None:
        """Take up what is there; use `create` or `resume`."""
        self.folder = folder
        self.plan = plan
        self._manifest = manifest
        self._tables = tables
        self._is_written = False

    @classmethod
    def create(
        cls,
        out: Path,
        plan: Plan,
        *,
        command: str,
        values: Mapping[str, tuple[Value, ...]] | None = None,
        target: Mapping[str, Any] | None = None,
        name: str = "",
    ) -> Self:
        """Make a new folder `<utc>-<name>` in `out`; OSError when it cannot. `latest` there is for one that began.

        The name is that of the plan's profile where none is given.
        `values` describes the values of dimensions, by the dimension's name, in the plan's order; `target` says what is
        measured (see `Offer.origin`).
        """
        folder = new_run_folder(out, name or plan.profile)
        planned, twins = len(plan.trials_in_order()), plan.twin_cells()
        manifest = new_manifest(folder, plan, command=command, values=values or {}, planned=planned, twins=twins)
        run = cls(folder, plan, replace(manifest, target=target or {}), Tables.empty())
        run._write()
        return run

    @classmethod
    def resume(cls, folder: Path, choices: Choices) -> Self:
        """Take up a run where it stopped; trials that failed are to be run again.

        Raises ReportError when the folder is no run's, PlanError when its plan is of another version. What is known of
        the capacities is kept; what is not is to be found again.
        """
        manifest, tables = read_folder(folder)
        try:
            plan = make_plan(dict(manifest.plan), choices=choices)
        except PlanError as error:
            raise PlanError(f"the plan in {folder / MANIFEST} cannot be taken up:\n{error}") from None
        _refuse_another_plan(plan, manifest.plan, folder)
        notes = tuple(dict.fromkeys((*manifest.notes, *_what_changed(manifest))))
        taken_up = replace(  # it is written anew as a whole
            manifest,
            format=FORMAT_VERSION,
            failed=(),
            invalid=_of_trials_with_figures(manifest.invalid, tables),
            capacity=tuple(capacity for capacity in manifest.capacity if capacity.rate is not None),
            notes=notes,
        )
        return cls(folder, plan, taken_up, tables)

    @property
    def failed(self) -> tuple[TroubledTrial, ...]:
        """The trials that came to no result since the run was started or resumed."""
        return self._manifest.failed

    @property
    def has_cell_without_valid_trial(self) -> bool:
        """Tell whether some cell was measured, or refused, and has no figures from a valid trial."""
        trials = trials_of(self._tables)
        valid = {cell for (cell, _), is_valid in trials.items() if is_valid}
        return not {*(cell for cell, _ in trials), *(trouble.cell for trouble in self._manifest.invalid)} <= valid

    @property
    def capacities(self) -> dict[CellKey, Capacity]:
        """What has been found of the capacities, by the cell that is calibrated."""
        return {capacity.cell: capacity for capacity in self._manifest.capacity}

    @property
    def left(self) -> list[Trial]:
        """The trials that have no result yet, in their order."""
        return [trial for trial in self.plan.trials_in_order() if not self.is_done(trial)]

    @property
    def to_repeat(self) -> list[Trial]:
        """The trials that are to be run again, for the figures that they gave are about the rig.

        Those of the cells with the fewest valid trials first. None where too many are not valid: then it is the
        machine, and running them again would find the same.
        """
        invalid = {(trouble.cell, trouble.trial) for trouble in self._manifest.invalid}
        bad = [trial for trial in self.plan.trials_in_order() if (trial.cell, trial.number) in invalid]
        if len(bad) > MOST_INVALID * self._manifest.planned:
            return []
        again = [trial for trial in bad if self.is_done(trial) and self._repeats_of(trial) < self.plan.repeats]
        most = max(self.plan.repeats, int(MOST_REPEATED * self._manifest.planned))
        invalid_of = Counter(trial.cell for trial in bad)
        return sorted(again, key=lambda trial: -invalid_of[trial.cell])[: most - len(self._manifest.repeated)]

    def _repeats_of(self, trial: Trial) -> int:
        return sum((it.cell, it.trial) == (trial.cell, trial.number) for it in self._manifest.repeated)

    def is_done(self, trial: Trial) -> bool:
        """Tell whether the trial has a result."""
        return (trial.cell, trial.number) in trials_of(self._tables)

    def new_trial_folder(self, trial: Trial) -> Path:
        """Return an empty folder for the trial, with which the run has begun; an earlier attempt's is removed.

        As an absolute path: what runs in a trial has other working folders.
        """
        point_latest(self.folder)
        return emptied(self.folder / "trials" / trial.folder)

    def new_calibration_folder(self, trial: Trial) -> Path:
        """Return an empty folder for a trial that only tells how busy the server is; no table has it."""
        point_latest(self.folder)
        return emptied(self.folder / "calibration" / trial.folder)

    def save_capacity(self, capacity: Capacity) -> None:
        """Add what a cell carries at most; a note says so where that is known roughly only."""
        notes = self._manifest.notes
        if capacity.rate is not None and capacity.why:
            cell = " ".join(capacity.cell.spoken())
            notes = (*notes, f"the loads that depend on {cell} are rough, read the utilisation: {capacity.why}")
        self._manifest = replace(self._manifest, capacity=(*self._manifest.capacity, capacity), notes=notes)
        self._write()

    def save_rates(self, rates: Mapping[CellKey, float]) -> None:
        """Write down the rates of the cells at relative loads."""
        told = tuple(CellRate(cell=cell, rate=rate) for cell, rate in rates.items())
        self._manifest = replace(self._manifest, rates=told)
        self._write()

    def save(self, trial: Trial, tables: Tables, invalid: tuple[str, ...]) -> None:
        """Add a trial's rows and write everything."""
        self._tables = self._tables.extended(tables)
        troubled = tuple(TroubledTrial(cell=trial.cell, trial=trial.number, why=why) for why in invalid)
        self._manifest = replace(self._manifest, invalid=(*self._manifest.invalid, *troubled))
        self._write()

    def take_back(self, trial: Trial) -> None:
        """Remove what a trial gave, so that it is to be run again, and note why."""
        why = [one for one in self._manifest.invalid if (one.cell, one.trial) == (trial.cell, trial.number)]
        again = TroubledTrial(cell=trial.cell, trial=trial.number, why="; ".join(one.why for one in why))
        left = tuple(one for one in self._manifest.invalid if one not in why)
        self._manifest = replace(self._manifest, invalid=left, repeated=(*self._manifest.repeated, again))
        self._tables = _without(self._tables, trial)
        self._write()

    def note_failed(self, trial: Trial, why: str) -> None:
        """Note a trial that came to no result."""
        troubled = TroubledTrial(cell=trial.cell, trial=trial.number, why=why)
        self._manifest = replace(self._manifest, failed=(*self._manifest.failed, troubled))
        self._write()

    def note_refused(self, trials: Iterable[Trial], why: str, *, failed: bool) -> None:
        """Note trials that were not run, for their figures would not be what they were to be.

        They failed where something around the measurement did, and else are not valid.
        """
        troubled = tuple(TroubledTrial(cell=trial.cell, trial=trial.number, why=why) for trial in trials)
        was = self._manifest
        if failed:
            self._manifest = replace(was, failed=(*was.failed, *troubled))
        else:
            self._manifest = replace(was, invalid=(*was.invalid, *troubled))
        self._write()

    def note_identity(self, found: Mapping[str, str]) -> None:
        """Note the versions of what ran in a trial; one that is not what it was before is told in the notes."""
        self._manifest = with_identity(self._manifest, found)

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Mark the run as running, and at the end as finished, or as interrupted when an exception ended it.

        Meanwhile some room on the disk is kept, so that the end can be written though the disk is full by then.
        """
        reserve = self.folder / RESERVE
        with suppress(OSError):
            reserve.write_bytes(bytes(RESERVE_BYTES))
        try:
            self._set_state("running")
            yield
            reserve.unlink(missing_ok=True)
            self._set_state("finished")
        except BaseException:  # also one in the midst of writing that it is finished
            reserve.unlink(missing_ok=True)
            self._set_state("interrupted")
            raise

    def _set_state(self, state: Literal["finished", "interrupted", "running"]) -> None:
        self._manifest = with_state(self._manifest, state)
        self._write()

    def _write(self) -> None:
        """Write the run anew; never one that somebody has removed meanwhile, of which the measured trials are gone."""
        if self._is_written and not (self.folder / MANIFEST).is_file():
            raise ReportError(f"{self.folder} was removed while the bench ran")
        self._is_written = True
        self._manifest = write_folder(self.folder, self._manifest, self._tables)


def _of_trials_with_figures(troubled: Iterable[TroubledTrial], tables: Tables) -> tuple[TroubledTrial, ...]:
    """Leave out the trials that were refused: they are to be run again."""
    done = trials_of(tables)
    return tuple(trouble for trouble in troubled if (trouble.cell, trouble.trial) in done)


def _without(tables: Tables, left_out: Trial) -> Tables:
    """Leave out all rows of a trial."""
    return of_trials(tables, lambda cell, trial: (cell, trial) != (left_out.cell, left_out.number))


def _refuse_another_plan(plan: Plan, written: Mapping[str, Any], folder: Path) -> None:
    """Raise PlanError where this version makes another plan of what is written: its trials would not be comparable."""
    made = plan.model_dump(mode="json")
    if differ := sorted(key for key in made.keys() | written.keys() if made.get(key) != written.get(key)):
        raise PlanError(
            f"the plan in {folder / MANIFEST} is of another version and would become another one ({', '.join(differ)} "
            "differ); start a new run"
        )


def _what_changed(manifest: Manifest) -> list[str]:
    """Say what is not as it was when the run began: its trials are then not all comparable."""
    was, now = {**manifest.versions, **manifest.machine}, {**versions(), **machine()}
    return [
        f"resumed with {name} {now.get(name, 'missing')}, begun with {was.get(name, 'none')}"
        for name in sorted(was.keys() | now.keys())
        if was.get(name) != now.get(name)
    ]
