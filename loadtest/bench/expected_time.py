"""Expected time: how long the rest of a run will take, by its plan and by what starting and ending a trial costs."""

from typing import Final

from loadtest.bench.calibration import LIKELY_STEPS, STEP_S, STEP_WARM_UP_S, cells_to_calibrate
from loadtest.bench.generator import duration_of, settle_s
from loadtest.bench.plan import Plan, Trial
from loadtest.bench.run_folder import RunFolder
from loadtest.load import OFFLINE_SPREAD

AROUND_S: Final = 2.6
"""Of a trial, besides its phases: 1.5 s until everything runs and all users are connected, 1.1 s from the last message
until everything has ended; measured on two cores with 80 users and a private broker."""


def left_s(run: RunFolder) -> float:
    """Return the seconds that the rest of a run will take, calibration included, where every trial goes well."""
    cells = [cell for cell in cells_to_calibrate(run.plan) if cell not in run.capacities]
    calibration_s = len(cells) * LIKELY_STEPS * (AROUND_S + STEP_WARM_UP_S + STEP_S)
    return calibration_s + sum(trial_s(run.plan, trial) for trial in run.left)


def trial_s(plan: Plan, trial: Trial) -> float:
    """Return the seconds that a trial will take."""
    back_s = plan.offline * (1 + OFFLINE_SPREAD) if plan.drops_of(trial.cell) else 0.0
    silent_s = settle_s(plan, trial) if plan.is_silent(trial.cell) else 0.0
    return AROUND_S + plan.warm_up + duration_of(plan, trial) + back_s + silent_s
