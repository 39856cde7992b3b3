"""Measuring: one trial from its start to its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loadtest.bench.plan import Trial
from loadtest.bench.trial import TrialSetup, run_trial
from loadtest.checks import CHECKS, Check, TrialRecords, run_check
from loadtest.dimensions import CellKey
from loadtest.report.columns import COLUMN, UNKNOWN, WHY
from loadtest.report.tables import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A trial's figures, why they do not count, if so, and the versions of everything that ran in its target."""

    tables: Tables
    invalid: tuple[str, ...]
    identity: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A cell at a rate of one's choice, outside the trials of a plan: messages a second from each sender."""

    cell: CellKey
    number: int
    """Which one of the cell it is, from 1."""
    rate: float
    duration_s: float
    warm_up_s: float
    seed: int

    @property
    def trial(self) -> Trial:
        """The trial that it is."""
        return Trial(cell=self.cell, number=self.number, seed=self.seed, rate=self.rate)


def measure(trial: Trial, setup: TrialSetup, folder: Path) -> Measured:
    """Run one trial and return its figures; logs, ledgers and Locust's CSV files stay in `folder`.

    Raises EnvironmentFailed when a part cannot be started, TrialFailed when one dies or gets stuck later.
    """
    measured = run_trial(trial, setup, folder)
    tables, invalid = check_trial(trial, measured.records)
    return Measured(tables=tables, invalid=invalid, identity=measured.identity)


def measure_step(step: Step, setup: TrialSetup, folder: Path) -> Measured:
    """Run one step and return its figures; as `measure`, under everything that the plan says but rate and times."""
    plan = setup.plan.noting(duration=step.duration_s, warm_up=step.warm_up_s)
    return measure(step.trial, replace(setup, plan=plan), folder)


def check_trial(
    trial: Trial, records: TrialRecords, checks: Sequence[Check] = CHECKS
) -> tuple[Tables, tuple[str, ...]]:
    """Run checks on a trial's records; return its rows of every table, and why it is not valid, if so."""
    key: dict[str, Any] = {**trial.cell.as_row(), "trial": trial.number}
    results = [(check, run_check(check, records)) for check in checks]
    rows = {check.table.name: [{**key, **row} for row in result.rows.to_dicts()] for check, result in results}
    for check in checks:
        for row, column in ((row, column) for row in rows[check.table.name] for column in check.examples):
            if row.get(column.name):
                row[column.name] = f"{trial.folder}:{row[column.name]}"
    rows[UNKNOWN.name] = [
        {**key, COLUMN.name: str(column), WHY.name: why} for _, result in results for column, why in result.unknown
    ]
    invalid = tuple(reason for _, result in results for reason in result.invalid)
    return Tables.from_rows(rows), invalid
