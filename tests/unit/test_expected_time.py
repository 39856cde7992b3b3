"""Expected time: what a run will take follows from its plan, and gets less as trials are done."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.bench.expected_time import AROUND_S, left_s
from loadtest.bench.run_folder import RunFolder
from loadtest.report.tables import Tables
from tests.unit.plans import make_plan

ONE_CELL = {"layers": "redis", "consumers": "async", "trials": 1}


def run_of(folder: Path, **given: object) -> RunFolder:
    return RunFolder.create(folder, make_plan({**ONE_CELL, **given}), command="")


@pytest.mark.parametrize(
    ("given", "phases_s"),
    [
        ({"scenarios": "broadcast", "load": "fixed", "duration": 7.0, "warm_up": 2.0}, 9.0),
        ({"scenarios": "churn", "load": "fixed", "duration": 7.0, "warm_up": 2.0, "offline": 2.0}, 12.0),
        ({"scenarios": "churn", "load": "fixed", "duration": 7.0, "warm_up": 2.0, "offline": 2.0,
          "drops": "zombie", "server_ping": "20/10", "settle": 5.0}, 47.0),
    ],
)  # fmt: skip
def test_time_when_a_plan_has_one_trial_then_it_is_that_of_its_phases_and_of_starting_and_ending(
    tmp_path: Path, given: dict[str, object], phases_s: float
) -> None:
    assert left_s(run_of(tmp_path, **given)) == pytest.approx(AROUND_S + phases_s)


def test_time_when_trials_are_done_then_they_take_none(tmp_path: Path) -> None:
    run = run_of(tmp_path, scenarios="echo", trials=4, twins=False)
    before_s = left_s(run)
    for trial in run.plan.trials_in_order()[:3]:
        row = {**trial.cell.as_row(), "trial": trial.number, "valid": "yes"}
        run.save(trial, Tables.from_rows({"throughput": [row]}), ())
    assert left_s(run) == pytest.approx(before_s / 4)


def test_time_when_a_load_is_relative_then_calibration_takes_some(tmp_path: Path) -> None:
    fixed_s = left_s(run_of(tmp_path, scenarios="churn", load="fixed"))
    assert left_s(run_of(tmp_path, scenarios="churn", load="30%")) > fixed_s + 2 * AROUND_S


def test_time_when_nothing_is_asked_for_then_the_default_bench_leaves_room_for_its_installation(tmp_path: Path) -> None:
    assert left_s(RunFolder.create(tmp_path, make_plan({}), command="")) + 45 < 8 * 60
