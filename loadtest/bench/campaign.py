"""A campaign: all trials of a plan in their order, each saved as soon as it is done, to be stopped and resumed."""

from collections.abc import Mapping
from typing import Any, Protocol

from loadtest.bench.generator import users_of
from loadtest.bench.plan import Trial
from loadtest.bench.run_folder import RunFolder
from loadtest.bench.trial import TrialFailed, TrialSetup, run_trial
from loadtest.checks import CHECKS, TrialRecords, run_check
from loadtest.report.columns import COLUMN, UNKNOWN, WHY
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

    def trial_begins(self, trial: Trial, *, place: int, of: int) -> None:
        """A trial begins, the `place`-th (from 1) of those that are to be run now."""

    def trial_done(self, trial: Trial, tables: Tables, invalid: tuple[str, ...]) -> None:
        """A trial was measured and saved; `invalid` says why its figures do not count, if so."""

    def trial_failed(self, trial: Trial, why: str) -> None:
        """A trial came to no result."""


def run_campaign(run: RunFolder, target: Target, *, addresses: Mapping[str, str], watcher: Watcher) -> None:
    """Run all trials of the run's plan that have no result yet, on the target.

    `addresses` are those of the user's own brokers, by the broker's name.

    A trial that fails after it began is noted and the others go on. Raises EnvironmentFailed when something cannot be
    started; what was measured until then, or until KeyboardInterrupt, is saved.
    """
    todo = [trial for trial in run.plan.trials_in_order() if not run.is_done(trial)]
    with run.under_way(), short_folder() as scratch:
        need_open_files(max((users_of(run.plan, trial) for trial in todo), default=0) * FILES_A_USER + SPARE_FILES)
        setup = TrialSetup(plan=run.plan, target=target.prepare(scratch), addresses=addresses)
        for place, trial in enumerate(todo, 1):
            watcher.trial_begins(trial, place=place, of=len(todo))
            need_disk(run.folder, TRIAL_BYTES)
            try:
                measured = run_trial(trial, setup, run.new_trial_folder(trial))
            except TrialFailed as error:
                run.note_failed(trial, str(error))
                watcher.trial_failed(trial, str(error))
            else:
                run.note_identity(measured.identity)
                tables, invalid = check_trial(trial, measured.records)
                run.save(trial, tables, invalid)
                watcher.trial_done(trial, tables, invalid)


def check_trial(trial: Trial, records: TrialRecords) -> tuple[Tables, tuple[str, ...]]:
    """Run every check on a trial's records; return its rows of every table, and why it is not valid, if so."""
    key: dict[str, Any] = {**trial.cell.as_row(), "trial": trial.number}
    results = [(check, run_check(check, records)) for check in CHECKS]
    rows = {check.table.name: [{**key, **row} for row in result.rows.to_dicts()] for check, result in results}
    for check in CHECKS:
        for row, column in ((row, column) for row in rows[check.table.name] for column in check.examples):
            if row.get(column.name):
                row[column.name] = f"{trial.folder}:{row[column.name]}"
    rows[UNKNOWN.name] = [
        {**key, COLUMN.name: str(column), WHY.name: why} for _, result in results for column, why in result.unknown
    ]
    invalid = tuple(reason for _, result in results for reason in result.invalid)
    return Tables.from_rows(rows), invalid
