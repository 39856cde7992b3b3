"""A run's folder: what is done is always there, and a run goes on where it stopped."""

from __future__ import annotations

import json
import os
import shutil
import stat
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench import run_manifest
from loadtest.bench.plan import Plan, PlanError, Trial
from loadtest.bench.run_folder import RunFolder
from loadtest.dimensions import LOAD, CellKey, Value
from loadtest.report.csv_files import read_tables
from loadtest.report.errors import ReportError
from loadtest.report.manifest import CalibrationStep, Capacity, read_manifest
from loadtest.report.tables import Tables
from loadtest.stack.errors import EnvironmentFailed
from tests.unit.plans import CHOICES, make_plan

PLAN = make_plan({"layers": "inmemory", "trials": 2, "seed": 3, "pin": False})
"""Not pinned: a machine with one CPU would note that it cannot be."""


def new_run(out: Path, plan: Plan = PLAN) -> RunFolder:
    return RunFolder.create(out, plan, command="channels-loadtest bench")


def manifest(run: RunFolder) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run.folder / "manifest.json").read_text())
    return content


def figures(trial: Trial, *, valid: str = "yes") -> Tables:
    key = {**trial.cell.as_row(), "trial": trial.number}
    return Tables.from_rows(
        {
            "throughput": [{**key, "users": 5, "messages_per_s": 12.5, "valid": valid}],
            "disconnects": [
                {**key, "drop": drop, "dropped": 1, "codes": {}, "example": ""} for drop in PLAN.drops_of(trial.cell)
            ],
            "unknown": [{**key, "column": "latency_ms_p50", "why": 'none came, "sorry"'}],
        }
    )


def test_run_when_created_then_its_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    run = new_run(tmp_path / "results")
    os.umask(before)
    assert stat.S_IMODE(run.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("error", [KeyboardInterrupt, ReportError])
def test_run_when_it_is_ended_while_its_end_is_written_then_it_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    run = new_run(tmp_path)

    def fail_once(*_: object) -> None:
        monkeypatch.undo()
        raise error

    with pytest.raises(error), run.under_way():
        monkeypatch.setattr("loadtest.bench.run_folder.write_folder", fail_once)
    assert manifest(run)["state"] == "interrupted"
    assert [path.name for path in run.folder.glob(".*")] == []


def test_run_when_created_then_the_folder_says_what_is_planned(tmp_path: Path) -> None:
    run = new_run(tmp_path / "results")
    content = manifest(run)
    assert run.folder.name.endswith("-quick")
    assert (content["state"], content["done"], content["planned"]) == ("running", 0, len(PLAN.trials_in_order()))
    assert content["versions"]["channels"]
    assert content["command"] == "channels-loadtest bench"
    assert make_plan(content["plan"]) == PLAN
    assert read_tables(run.folder).frame("throughput").is_empty()


def test_runs_when_two_begin_in_one_second_then_each_has_its_folder_and_latest_is_the_newer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls(2030, 1, 2, 3, 4, 5, tzinfo=tz)

    monkeypatch.setattr(run_manifest, "datetime", Stopped)
    first, second = new_run(tmp_path), new_run(tmp_path)
    assert (first.folder.name, second.folder.name) == ("20300102T030405Z-quick", "20300102T030405Z-quick-2")
    for run in (first, second):
        run.new_trial_folder(PLAN.trials_in_order()[0])
    assert (tmp_path / "latest").resolve() == second.folder.resolve()


def test_latest_when_something_else_has_that_name_then_it_stays(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    new_run(tmp_path).new_trial_folder(PLAN.trials_in_order()[0])
    assert not (tmp_path / "latest").is_symlink()


def test_latest_when_it_points_nowhere_then_it_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to("gone")
    run = new_run(tmp_path)
    run.new_trial_folder(PLAN.trials_in_order()[0])
    assert (tmp_path / "latest").resolve() == run.folder.resolve()


def test_run_when_a_trial_is_saved_then_it_is_done_and_on_disk(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    first, second = PLAN.trials_in_order()[:2]
    run.save(first, figures(first), ())
    run.save(second, figures(second, valid="no"), ("the generator was busy",))
    assert run.is_done(first) and run.is_done(second)
    assert not run.is_done(PLAN.trials_in_order()[2])
    assert read_tables(run.folder).frame("throughput").height == 2
    content = manifest(run)
    assert content["done"] == 2
    assert [(trouble["trial"], trouble["why"]) for trouble in content["invalid"]] == [
        (second.number, "the generator was busy")
    ]


def test_run_when_resumed_then_what_is_done_stays_and_the_rest_is_to_do(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    order = PLAN.trials_in_order()
    for trial in order[:3]:
        run.save(trial, figures(trial), ())
    again = RunFolder.resume(run.folder, CHOICES)
    assert again.plan == PLAN
    assert [trial for trial in again.plan.trials_in_order() if not again.is_done(trial)] == order[3:]
    again.save(order[3], figures(order[3]), ())
    assert manifest(again)["done"] == 4
    assert manifest(again)["notes"] == []


def test_run_when_resumed_and_written_then_no_figure_has_changed(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    for trial in PLAN.trials_in_order()[:6]:
        run.save(trial, figures(trial), ())
    before = {path.name: path.read_text() for path in run.folder.glob("*.csv")}
    with RunFolder.resume(run.folder, CHOICES).under_way():
        pass
    assert {path.name: path.read_text() for path in run.folder.glob("*.csv")} == before


def test_run_when_killed_while_it_saved_a_trial_then_that_trial_is_to_do_and_leaves_no_rows(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    first, second = PLAN.trials_in_order()[:2]
    run.save(first, figures(first), ())
    throughput = (run.folder / "throughput.csv").read_text()
    run.save(second, figures(second), ())
    (run.folder / "throughput.csv").write_text(throughput)  # it is the one that is written last
    again = RunFolder.resume(run.folder, CHOICES)
    assert not again.is_done(second)
    again.save(second, figures(second), ())
    assert read_tables(run.folder).frame("unknown").height == 2


def test_run_when_a_trial_failed_then_it_is_noted_and_to_do_again_when_resumed(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    trial = PLAN.trials_in_order()[0]
    run.note_failed(trial, "the server died")
    assert [trouble.why for trouble in run.failed] == ["the server died"]
    assert not run.is_done(trial)
    assert manifest(run)["failed"][0]["why"] == "the server died"
    assert RunFolder.resume(run.folder, CHOICES).failed == ()


def test_state_when_the_run_ends_then_it_is_finished(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    with run.under_way():
        assert (manifest(run)["state"], manifest(run)["finished_utc"]) == ("running", None)
    assert manifest(run)["state"] == "finished"
    assert manifest(run)["finished_utc"]


def test_state_when_it_is_interrupted_then_that_is_said_and_the_interruption_goes_on(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    with pytest.raises(KeyboardInterrupt), run.under_way():
        raise KeyboardInterrupt
    assert manifest(run)["state"] == "interrupted"


def test_run_when_its_folder_is_removed_meanwhile_then_no_empty_one_is_written_in_its_place(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    with pytest.raises(ReportError, match="was removed while the bench ran"), run.under_way():
        shutil.rmtree(run.folder)
        run.new_trial_folder(PLAN.trials_in_order()[0])
        raise EnvironmentFailed("the target died at start")
    assert not (run.folder / "manifest.json").exists()


def test_run_when_versions_changed_since_it_began_then_that_is_noted_once(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    content = manifest(run)
    content["versions"] |= {"channels": "1.0", "gone": "2.0"}
    (run.folder / "manifest.json").write_text(json.dumps(content))
    for _ in range(2):
        with RunFolder.resume(run.folder, CHOICES).under_way():
            pass
    notes = manifest(run)["notes"]
    assert len(notes) == 2
    assert any("resumed with channels" in note and "begun with 1.0" in note for note in notes)
    assert "resumed with gone missing, begun with 2.0" in notes


def test_resume_when_the_folder_is_no_run_then_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"manifest\.json"):
        RunFolder.resume(tmp_path, CHOICES)


def test_resume_when_the_plan_is_of_another_version_then_it_is_refused(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    content = manifest(run)
    content["plan"]["coffee"] = True
    (run.folder / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(PlanError, match="coffee"):
        RunFolder.resume(run.folder, CHOICES)


def test_resume_when_this_version_makes_another_plan_of_it_then_it_is_refused_and_says_which_key(
    tmp_path: Path,
) -> None:
    run = new_run(tmp_path)
    content = manifest(run)
    del content["plan"]["offline"]
    (run.folder / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(PlanError, match=r"another version.*\(offline differ\)"):
        RunFolder.resume(run.folder, CHOICES)


CAPACITY = Capacity(
    cell=CellKey(scenario="churn", consumer="sync"), rate=2.5, steps=(CalibrationStep(rate=1, utilisation=0.4),)
)


def test_capacity_when_the_run_is_resumed_then_what_is_known_stays_and_the_rest_is_to_be_found(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    unknown = Capacity(cell=CellKey(scenario="churn"), rate=None, steps=(), why="no two agree")
    for capacity in (CAPACITY, unknown):
        run.save_capacity(capacity)
    assert len(manifest(run)["capacity"]) == 2
    assert RunFolder.resume(run.folder, CHOICES).capacities == {CAPACITY.cell: CAPACITY}


def test_rates_when_written_then_the_manifest_has_them_by_cell(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    cell = CAPACITY.cell.having(LOAD, "30%")
    run.save_rates({cell: 0.75})
    assert manifest(run)["rates"] == [{"cell": cell.as_row(), "rate": 0.75}]


def test_manifest_when_written_then_it_names_the_twins(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    assert read_manifest(run.folder).twins == PLAN.twin_cells() != ()


@pytest.mark.parametrize("failed", [True, False])
def test_refused_trials_when_noted_then_they_are_to_do_again_when_resumed(tmp_path: Path, failed: bool) -> None:
    run = new_run(tmp_path)
    first = PLAN.trials_in_order()[0]
    run.note_refused([first], "not calibrated", failed=failed)
    content = manifest(run)
    assert [trouble["why"] for trouble in content["failed" if failed else "invalid"]] == ["not calibrated"]
    assert bool(run.failed) == failed
    assert run.has_cell_without_valid_trial == (not failed)
    again = RunFolder.resume(run.folder, CHOICES)
    assert not again.is_done(first) and not again.failed and not again.has_cell_without_valid_trial


def test_calibration_folder_when_made_then_it_is_beside_the_trials_and_empty(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    trial = Trial(cell=CAPACITY.cell, number=2, seed=1, rate=1.0)
    folder = run.new_calibration_folder(trial)
    assert folder.relative_to(run.folder.resolve()) == Path("calibration") / trial.folder
    assert list(folder.iterdir()) == []


def test_trial_folder_when_an_earlier_attempt_left_something_then_it_is_empty(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    trial = PLAN.trials_in_order()[0]
    folder = run.new_trial_folder(trial)
    (folder / "rest").write_text("of an earlier attempt")
    assert list(run.new_trial_folder(trial).iterdir()) == []
    assert folder.is_absolute() and folder.is_relative_to(run.folder.resolve() / "trials")


def test_validity_when_a_cell_has_only_trials_that_are_not_valid_then_that_is_told(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    assert not run.has_cell_without_valid_trial
    first = PLAN.trials_in_order()[0]
    run.save(first, figures(first, valid="no"), ("busy",))
    assert run.has_cell_without_valid_trial
    second = next(trial for trial in PLAN.trials_in_order() if trial.cell == first.cell and trial.number == 2)
    run.save(second, figures(second), ())
    assert not run.has_cell_without_valid_trial


def test_run_when_created_with_values_then_the_manifest_describes_them_and_a_resumed_run_keeps_them(
    tmp_path: Path,
) -> None:
    values = {"consumer": (Value(name="sync-guarded", kind="sync", variant_of="sync"),)}
    run = RunFolder.create(tmp_path, PLAN, command="channels-loadtest bench", values=values)
    run.note_failed(PLAN.trials_in_order()[0], "the server died")
    assert manifest(run)["values"]["consumer"][0]["variant_of"] == "sync"
    with RunFolder.resume(run.folder, CHOICES).under_way():
        pass
    again = read_manifest(run.folder)
    assert again.values["consumer"] == values["consumer"]
    assert [value.name for value in again.values["layer"]] == ["inmemory"], "as the plan lists them"


def test_manifest_when_a_cell_has_a_value_of_a_wrong_type_then_it_is_refused(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    content = manifest(run)
    content["failed"] = [{"cell": {"layer": 7}, "trial": 1, "why": "none"}]
    (run.folder / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(ReportError, match=r"layer is 7, must be str"):
        read_manifest(run.folder)


def test_latest_when_a_run_is_named_by_it_then_it_still_points_there(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    run_manifest.point_latest(tmp_path / "run")
    run_manifest.point_latest(tmp_path / "latest")
    assert (tmp_path / "latest").readlink() == Path("run")
