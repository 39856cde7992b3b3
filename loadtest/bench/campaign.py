"""A campaign: calibration, then all trials of a plan in their order, each saved once it is done, to be resumed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from loadtest.bench.calibration import (
    STEP_S,
    STEP_WARM_UP_S,
    NotCalibrated,
    cells_to_calibrate,
    find_capacity,
    is_hopeless,
    rate_of_load,
    step_of,
)
from loadtest.bench.generator import users_of
from loadtest.bench.measuring import Step, measure, measure_step
from loadtest.bench.plan import Trial
from loadtest.bench.rehearsing import rehearsals
from loadtest.bench.run_folder import RunFolder
from loadtest.bench.trial import TrialFailed, TrialSetup
from loadtest.dimensions import CellKey
from loadtest.report.manifest import CalibrationStep, Capacity
from loadtest.report.tables import Tables
from loadtest.stack.folders import short_folder
from loadtest.stack.limits import need_disk, need_open_files
from loadtest.targets import Target

FILES_A_USER = 2
"""A generator and a server each hold one descriptor a user, in processes of their own; twice that leaves room."""

SPARE_FILES = 500
TRIAL_BYTES = 64 * 1024 * 1024
"""What a trial may need on disk while it runs: two ledgers of a few segments, logs and a database."""


class Watcher(Protocol):
    """Is told how a campaign goes on; the command line shows it."""

    def calibration_begins(self, cell: CellKey, *, place: int, of: int) -> None:
        """What a cell carries at most is to be found, the `place`-th (from 1) of those that are to be found now."""

    def calibrated(self, capacity: Capacity) -> None:
        """What a cell carries at most was found, or was not."""

    def cell_refused(self, cell: CellKey, why: str) -> None:
        """No trial of the cell is run, for its load is a share of what is not known."""

    def trial_begins(self, trial: Trial, *, place: int, of: int) -> None:
        """A trial begins, the `place`-th (from 1) of those that are to be run now."""

    def trial_done(self, trial: Trial, tables: Tables, invalid: tuple[str, ...]) -> None:
        """A trial was measured and saved; `invalid` says why its figures do not count, if so."""

    def repeats_begin(self, count: int) -> None:
        """So many trials are run again, for their figures were about the rig."""

    def trial_failed(self, trial: Trial, why: str) -> None:
        """A trial came to no result."""


def run_campaign(run: RunFolder, target: Target, *, addresses: Mapping[str, str], watcher: Watcher) -> None:
    """Run all trials of the run's plan that have no result yet, on the target, after the calibration that they need.

    `addresses` are those of the user's own brokers, by the broker's name.

    A trial that fails after it began is noted and the others go on. Raises EnvironmentFailed when something cannot be
    started; what was measured until then, or until KeyboardInterrupt, is saved.
    """
    with run.under_way(), short_folder() as scratch, rehearsals(run.plan, scratch) as own:
        users = max((users_of(run.plan, trial) for trial in run.left), default=0)
        need_open_files(users * FILES_A_USER + SPARE_FILES)
        prepared = target.prepare(scratch, users)
        setup = TrialSetup(plan=run.plan, target=prepared, addresses=addresses, rehearsals=own)
        _calibrate(run, setup, watcher)
        rates = _find_rates(run, watcher)
        _run_all(_at_rates(run.left, rates), run, setup, watcher)
        while again := run.to_repeat:
            watcher.repeats_begin(len(again))
            for trial in again:
                run.take_back(trial)
            _run_all(_at_rates(again, rates), run, setup, watcher)


def _run_all(trials: Sequence[Trial], run: RunFolder, setup: TrialSetup, watcher: Watcher) -> None:
    for place, trial in enumerate(trials, 1):
        watcher.trial_begins(trial, place=place, of=len(trials))
        _run(trial, run, setup, watcher)


def _run(trial: Trial, run: RunFolder, setup: TrialSetup, watcher: Watcher) -> None:
    """Run one trial and save what came of it."""
    need_disk(run.folder, TRIAL_BYTES)
    try:
        measured = measure(trial, setup, run.new_trial_folder(trial))
    except TrialFailed as error:
        run.note_failed(trial, str(error))
        watcher.trial_failed(trial, str(error))
    else:
        run.note_identity(measured.identity)
        run.save(trial, measured.tables, measured.invalid)
        watcher.trial_done(trial, measured.tables, measured.invalid)


def _calibrate(run: RunFolder, setup: TrialSetup, watcher: Watcher) -> None:
    """Find what cells carry at most, where that is of use and not known from before, and save it."""

    def one_step(cell: CellKey, number: int, rate: float) -> CalibrationStep:
        step = Step(
            cell=cell, number=number, rate=rate, duration_s=STEP_S, warm_up_s=STEP_WARM_UP_S, seed=run.plan.seed
        )
        need_disk(run.folder, TRIAL_BYTES)
        try:
            measured = measure_step(step, setup, run.new_calibration_folder(step.trial))
        except TrialFailed as error:
            return CalibrationStep(rate=rate, trouble=str(error), failed=True)
        run.note_identity(measured.identity)
        return step_of(step, measured)

    cells = [cell for cell in cells_to_calibrate(run.plan) if cell not in run.capacities]
    for place, cell in enumerate(cells, 1):
        if is_hopeless(cell, run.capacities, run.plan.load_of):
            continue
        watcher.calibration_begins(cell, place=place, of=len(cells))
        capacity = find_capacity(cell, one_step, typical=run.plan.scenario_of(cell).rate)
        run.save_capacity(capacity)
        watcher.calibrated(capacity)


def _find_rates(run: RunFolder, watcher: Watcher) -> dict[CellKey, float | None]:
    """Return the rate of each cell, without those whose load is a share of what is not known, and save both."""
    rates: dict[CellKey, float | None] = {}
    left = run.left
    for cell in run.plan.cells():
        try:
            rates[cell] = rate_of_load(cell, run.capacities, run.plan.load_of)
        except NotCalibrated as error:
            refused = [trial for trial in left if trial.cell == cell]
            run.note_refused(refused, str(error), failed=error.has_failed)
            watcher.cell_refused(cell, str(error))
    run.save_rates({cell: rate for cell, rate in rates.items() if rate is not None})
    return rates


def _at_rates(trials: Sequence[Trial], rates: Mapping[CellKey, float | None]) -> list[Trial]:
    """Return the trials with their rates, without those that are refused."""
    return [replace(trial, rate=rates[trial.cell]) for trial in trials if trial.cell in rates]
