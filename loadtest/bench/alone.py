"""One trial alone: measured without a campaign and without a run's folder, for a test that asserts on its figures."""

from pathlib import Path

from loadtest.bench.campaign import FILES_A_USER, SPARE_FILES, TRIAL_BYTES
from loadtest.bench.generator import users_of
from loadtest.bench.measuring import Measured, measure
from loadtest.bench.plan import Plan, PlanError, Trial
from loadtest.bench.rehearsing import rehearsals
from loadtest.bench.trial import TrialSetup
from loadtest.stack.folders import short_folder
from loadtest.stack.limits import need_disk, need_open_files
from loadtest.stack.lock import only_bench
from loadtest.targets import Target


def measure_alone(plan: Plan, target: Target, folder: Path) -> Measured:
    """Run the one trial that a plan has, and return its figures; its ledgers stay below `folder`, as a run's do.

    Raises PlanError when the plan has more than one trial, EnvironmentFailed when a part cannot be started, and
    TrialFailed when one dies or gets stuck later.
    """
    trial = _only_trial(plan)
    with only_bench(), short_folder() as scratch, rehearsals(plan, scratch) as own:
        need_open_files(users_of(plan, trial) * FILES_A_USER + SPARE_FILES)
        need_disk(folder, TRIAL_BYTES)
        setup = TrialSetup(plan=plan, target=target.prepare(scratch, users_of(plan, trial)), rehearsals=own)
        return measure(trial, setup, folder / "trials" / trial.folder)


def _only_trial(plan: Plan) -> Trial:
    trials = plan.trials_in_order()
    if len(trials) != 1:
        cells = "; ".join(" ".join(cell.spoken()) for cell in plan.cells())
        raise PlanError(f"one trial is measured here, and the plan has {len(trials)}, of {cells}; name one of each")
    return trials[0]
