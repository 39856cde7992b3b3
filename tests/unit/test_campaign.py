"""A campaign on a made-up server: calibration comes first, is kept, and sets the rate of every trial."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench import campaign
from loadtest.bench.campaign import run_campaign
from loadtest.bench.measuring import Measured, Step
from loadtest.bench.plan import Trial
from loadtest.bench.run_folder import RunFolder
from loadtest.bench.trial import TrialFailed
from loadtest.dimensions import CONSUMER, LOAD, SCENARIO, CellKey
from loadtest.report.manifest import Capacity, read_manifest
from loadtest.report.tables import Tables
from tests.unit.plans import CHOICES, make_plan

CARRIES = {"sync": 2.0, "async": 6.0}
"""Messages a second from each sender, by consumer."""
GIVEN = {"scenarios": "echo,churn", "layers": "redis", "load": "30%,80%", "trials": 2}


class Server:
    """Measures without starting anything: as busy as the rate makes it, unless it is told to fail."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.trials: list[Trial] = []
        self.fails: set[str] = set()
        self.invalid: set[str] = set()
        self.disturbed: set[str] = set()
        """Trials, by folder, that are not valid the first time."""
        self.always_disturbed: set[str] = set()

    def measure(self, trial: Trial, setup: object, folder: Path) -> Measured:
        self.trials.append(trial)
        disturbed = trial.folder in self.disturbed | self.always_disturbed
        self.disturbed.discard(trial.folder)
        return self._measured(trial, 0.5, disturbed=disturbed)

    def measure_step(self, step: Step, setup: object, folder: Path) -> Measured:
        self.steps.append(step)
        assert folder.parts[-3] == "calibration"
        if step.cell[CONSUMER] in self.fails:
            raise TrialFailed("the server died")
        return self._measured(step.trial, min(1.0, step.rate / CARRIES[step.cell[CONSUMER]]))

    def _measured(self, trial: Trial, utilisation: float, *, disturbed: bool = False) -> Measured:
        invalid = ("the generator was busy",) if disturbed or trial.cell[CONSUMER] in self.invalid else ()
        row = {**trial.cell.as_row(), "trial": trial.number, "users": 5, "valid": "no" if invalid else "yes",
               "utilisation": None if trial.cell[CONSUMER] in self.invalid else utilisation}  # fmt: skip
        return Measured(tables=Tables.from_rows({"throughput": [row]}), invalid=invalid, identity={})


class Told:
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.calibrated_cells: list[Capacity] = []
        self.refused: dict[CellKey, str] = {}
        self.repeats: list[int] = []

    def calibration_begins(self, cell: CellKey, *, place: int, of: int) -> None: ...
    def calibrated(self, capacity: Capacity) -> None:
        self.calibrated_cells.append(capacity)

    def cell_refused(self, cell: CellKey, why: str) -> None:
        self.refused[cell] = why

    def repeats_begin(self, count: int) -> None:
        self.repeats.append(count)

    def trial_begins(self, trial: Trial, *, place: int, of: int) -> None: ...
    def trial_done(self, trial: Trial, tables: Tables, invalid: tuple[str, ...]) -> None: ...
    def trial_failed(self, trial: Trial, why: str) -> None: ...


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server()
    monkeypatch.setattr(campaign, "measure", server.measure)
    monkeypatch.setattr(campaign, "measure_step", server.measure_step)
    monkeypatch.setattr(campaign, "short_folder", lambda: nullcontext(Path("/nowhere")))
    yield server


def carry_out(run: RunFolder) -> Told:
    told = Told()
    target: Any = type("Target", (), {"prepare": lambda self, folder, users: None})()
    run_campaign(run, target, addresses={}, watcher=told)
    return told


def new_run(folder: Path, **given: object) -> RunFolder:
    return RunFolder.create(folder, make_plan({**GIVEN, **given}), command="")


def rates(trials: list[Trial]) -> set[tuple[str, str, float | None]]:
    return {(trial.cell[CONSUMER], trial.cell[LOAD], trial.rate) for trial in trials}


def test_campaign_when_loads_are_relative_then_each_cell_is_calibrated_before_the_first_trial(
    tmp_path: Path, server: Server
) -> None:
    run = new_run(tmp_path)
    told = carry_out(run)
    assert [capacity.cell[CONSUMER] for capacity in told.calibrated_cells] == ["sync", "async"]
    assert {step.cell[SCENARIO] for step in server.steps} == {"churn"}
    assert rates(server.trials) == {
        ("sync", "fixed", None), ("async", "fixed", None),
        ("sync", "30%", 0.6), ("async", "30%", 0.6), ("sync", "80%", 1.6), ("async", "80%", 1.6),
    }  # fmt: skip
    assert {(rate.cell[LOAD], rate.rate) for rate in read_manifest(run.folder).rates} == {("30%", 0.6), ("80%", 1.6)}


def test_campaign_when_each_cell_has_its_own_capacity_then_rates_differ(tmp_path: Path, server: Server) -> None:
    carry_out(new_run(tmp_path, load="50%", load_of="own", scenarios="churn"))
    assert rates(server.trials) == {("sync", "50%", 1.0), ("async", "50%", 3.0)}


def test_campaign_when_loads_are_fixed_then_nothing_is_calibrated(tmp_path: Path, server: Server) -> None:
    carry_out(new_run(tmp_path, load="fixed"))
    assert server.steps == [] and server.trials


def test_campaign_when_resumed_then_the_capacities_are_those_that_were_saved(tmp_path: Path, server: Server) -> None:
    run = new_run(tmp_path)
    carry_out(run)
    server.steps.clear()
    server.trials.clear()
    again = RunFolder.resume(run.folder, CHOICES)
    carry_out(again)
    assert (server.steps, server.trials) == ([], [])
    assert read_manifest(run.folder).capacity == tuple(run.capacities.values())


def test_campaign_when_a_few_trials_are_not_valid_then_they_are_run_again_and_the_manifest_says_why(
    tmp_path: Path, server: Server
) -> None:
    run = new_run(tmp_path)
    bad = run.plan.trials_in_order()[3]
    server.disturbed.add(bad.folder)
    told = carry_out(run)
    again = [trial for trial in server.trials if trial.folder == bad.folder]
    assert told.repeats == [1] and len(again) == 2 and again[0] == again[1], "at the same rate, with the same seed"
    manifest = read_manifest(run.folder)
    assert manifest.invalid == () and [(it.cell, it.trial) for it in manifest.repeated] == [(bad.cell, bad.number)]
    assert "the generator was busy" in manifest.repeated[0].why
    assert manifest.done == manifest.planned, "each trial has one row"


def test_campaign_when_a_trial_stays_not_valid_then_it_is_run_again_so_often_and_not_more(
    tmp_path: Path, server: Server
) -> None:
    run = new_run(tmp_path, repeats=2)
    bad = run.plan.trials_in_order()[3]
    server.always_disturbed.add(bad.folder)
    carry_out(run)
    assert [trial.folder for trial in server.trials].count(bad.folder) == 3
    manifest = read_manifest(run.folder)
    assert len(manifest.repeated) == 2 and len(manifest.invalid) == 1


def test_campaign_when_a_tenth_of_the_trials_was_run_again_then_no_more_are(tmp_path: Path, server: Server) -> None:
    run = new_run(tmp_path, trials=5, repeats=1)
    trials = run.plan.trials_in_order()
    a_tenth = len(trials) // 10
    one, *_ = trials
    of_one_cell = [trial for trial in trials if trial.cell == one.cell][:2]
    of_others = [trial for trial in trials[len(trials) // 2 :] if trial.cell != one.cell][:a_tenth]
    server.disturbed.update(trial.folder for trial in [*of_others, *of_one_cell])
    carry_out(run)
    repeated = [(it.cell, it.trial) for it in read_manifest(run.folder).repeated]
    assert len(repeated) == a_tenth
    assert repeated[:2] == [(trial.cell, trial.number) for trial in of_one_cell], "the cell that lacks most comes first"


def test_campaign_when_many_trials_are_not_valid_then_none_is_run_again(tmp_path: Path, server: Server) -> None:
    run = new_run(tmp_path)
    server.always_disturbed.update(trial.folder for trial in run.plan.trials_in_order()[::3])
    carry_out(run)
    assert len(server.trials) == len(run.plan.trials_in_order())
    assert read_manifest(run.folder).repeated == ()


def test_campaign_when_one_cell_cannot_be_calibrated_then_none_that_is_compared_with_it_is_run_and_it_is_not_valid(
    tmp_path: Path, server: Server
) -> None:
    server.invalid.add("sync")
    run = new_run(tmp_path)
    told = carry_out(run)
    assert [capacity.cell[CONSUMER] for capacity in told.calibrated_cells] == ["sync"], "the others are of no use then"
    assert {trial.cell[SCENARIO] for trial in server.trials} == {"echo"}
    assert len(told.refused) == 4 and all("the generator was busy" in why for why in told.refused.values())
    assert run.has_cell_without_valid_trial and not run.failed
    assert {trouble.cell[LOAD] for trouble in read_manifest(run.folder).invalid} >= {"30%", "80%"}


def test_campaign_when_calibration_fails_then_the_trials_of_its_loads_have_failed(
    tmp_path: Path, server: Server
) -> None:
    server.fails.add("async")
    run = new_run(tmp_path, load_of="own")
    told = carry_out(run)
    assert {cell[CONSUMER] for cell in told.refused} == {"async"}
    assert {trouble.cell[CONSUMER] for trouble in run.failed} == {"async"}
    assert all("the server died" in trouble.why for trouble in run.failed)
    assert rates(server.trials) >= {("sync", "30%", 0.6), ("sync", "80%", 1.6)}


def test_campaign_when_what_could_not_be_calibrated_is_resumed_then_it_is_tried_again(
    tmp_path: Path, server: Server
) -> None:
    server.fails.add("async")
    run = new_run(tmp_path)
    carry_out(run)
    server.fails.clear()
    again = RunFolder.resume(run.folder, CHOICES)
    carry_out(again)
    assert not again.failed and not again.has_cell_without_valid_trial
    assert len({trial.folder for trial in server.trials}) == len(run.plan.trials_in_order())
