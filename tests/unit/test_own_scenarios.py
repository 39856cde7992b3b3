"""A plan with locustfiles of a user's own: each is a scenario as those that come with the tool."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench.calibration import cells_to_calibrate
from loadtest.bench.choices import values_in
from loadtest.bench.fitting import fitted
from loadtest.bench.generator import duration_of, job_of, rate_of, users_of
from loadtest.bench.like import plan_like
from loadtest.bench.plan import PlanError, Trial
from loadtest.bench.run_folder import RunFolder
from loadtest.capacity.plan import make_capacity_plan
from loadtest.dimensions import CLOSED_LOOP, DROP, SCENARIO
from loadtest.report.compare import Run, obstacles_between, read_run, warnings_of
from loadtest.report.manifest import MANIFEST, read_manifest
from loadtest.shipped import LOCUSTFILES
from loadtest.targets.reference import ReferenceApp
from tests.unit.plans import CHOICES, make_plan
from tests.unit.report_folder import write_folder

TALK = '{"users": 6, "rate": 2, "room_size": 3, "drops": True, "duration": 1.5}'
ASK = '{"users": 4, "rate": 0, "room_size": 1, "drops": False, "uses_layer": False}'

Own = Callable[..., Path]


@pytest.fixture
def own(tmp_path: Path) -> Own:
    def write(name: str = "theirs.py", load: str = TALK) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'"""Theirs: what they do."""\nSCENARIO = {load}\n')
        return path

    return write


def trial_of(plan: Any) -> Trial:
    trial: Trial = plan.trials_in_order()[0]
    return trial


def problem_with(*paths: Path | str, **given: Any) -> str:
    with pytest.raises(PlanError) as raised:
        make_plan({"locustfile": list(map(str, paths)), **given})
    return str(raised.value)


def test_plan_when_a_locustfile_is_given_then_it_alone_is_measured_by_what_it_says(own: Own, tmp_path: Path) -> None:
    plan = make_plan({"locustfile": str(own()), "load": "fixed", "consumers": "async", "trials": 1})
    trial = trial_of(plan)
    assert plan.scenarios == ("theirs",)
    assert (users_of(plan, trial), rate_of(plan, trial), duration_of(plan, trial)) == (6, 2, 1.5)
    assert job_of(plan, trial, folder=tmp_path).room_size == 3
    assert plan.drops_of(trial.cell)
    assert plan.scenario_of(trial.cell).locustfile == tmp_path / "theirs.py"


def test_plan_when_its_file_has_rooms_and_a_rate_then_it_takes_loads_and_is_calibrated(own: Own) -> None:
    plan = make_plan({"locustfile": own(), "load": "40%"})
    assert {cell[SCENARIO] for cell in cells_to_calibrate(plan)} == {"theirs"}
    with pytest.raises(PlanError, match="load: asking has no rate that could be set to 40%"):
        make_plan({"locustfile": own("asking.py", ASK), "load": "40%"})
    assert make_plan({"locustfile": own("asking.py", ASK)}).load == ("fixed",)


def test_plan_when_scenarios_are_named_beside_files_then_both_are_measured(own: Own) -> None:
    both = {"locustfile": [own(), own("asking.py", ASK)], "load": "fixed"}
    assert make_plan({**both, "scenarios": "echo"}).scenarios == ("theirs", "asking", "echo")
    assert make_plan({**both, "scenarios": "asking,echo"}).scenarios == ("theirs", "asking", "echo")
    plan = make_plan({**both, "scenarios": "echo,theirs,asking"})
    assert plan.scenarios == ("echo", "theirs", "asking")
    assert {cell[SCENARIO] for cell in plan.cells() if cell[DROP] != "none"} == {"theirs"}


def test_plan_file_when_it_names_a_locustfile_then_it_is_taken(own: Own, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(f'locustfile = "{own()}"\n')
    assert make_plan({}, tmp_path / "plan.toml").scenarios == ("theirs",)


def test_values_when_a_scenario_is_somebodys_own_then_the_manifest_says_what_it_is(own: Own) -> None:
    plan = make_plan({"locustfile": [own(), own("asking.py", ASK)]})
    told = values_in(CHOICES, plan.chosen, plan.locustfile)["scenario"]
    assert [(value.name, value.summary, value.kind) for value in told] == [
        ("theirs", "what they do", ""),
        ("asking", "what they do", CLOSED_LOOP),
    ]


def test_capacity_plan_when_a_locustfile_is_given_then_its_own_is_searched(own: Own) -> None:
    assert make_capacity_plan({"locustfile": own()}, choices=CHOICES).scenarios == ("theirs",)
    with pytest.raises(PlanError, match="asking has no rate that could be raised"):
        make_capacity_plan({"locustfile": own("asking.py", ASK)}, choices=CHOICES)


def test_file_when_it_cannot_be_a_scenario_then_one_problem_says_why(own: Own, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere.py"
    assert problem_with(nowhere) == f"locustfile: {nowhere} cannot be read: No such file or directory"
    assert "cannot be read: Is a directory" in problem_with(tmp_path)
    assert "there is a scenario churn that comes with the tool; rename the file" in problem_with(own("churn.py"))
    assert "rename the file" in problem_with(LOCUSTFILES / "echo.py")
    assert "use letters, digits, _ and - only" in problem_with(own("my chat.py"))
    twins = problem_with(own(), own("more/theirs.py"))
    assert "would both be the scenario theirs; rename one" in twins and twins.count("\n") == 0
    assert "SCENARIO: drops is missing" in problem_with(own(load='{"users": 1, "rate": 1, "room_size": 1}'))


def test_file_when_it_and_other_keys_are_wrong_then_all_of_it_is_named_at_once(own: Own, tmp_path: Path) -> None:
    said = problem_with(tmp_path / "nowhere.py", layers="typo", trials=0)
    assert {line.partition(":")[0] for line in said.splitlines()} == {"layers", "locustfile", "trials"}
    assert "unknown scenario 'typo'" in problem_with(own(), scenarios="typo")


def test_file_when_it_is_given_twice_then_it_counts_once(own: Own) -> None:
    assert make_plan({"locustfile": [own(), own()]}).scenarios == ("theirs",)


def test_reaches_when_an_own_scenario_waits_for_its_answer_then_others_are_refused(own: Own) -> None:
    assert "with asking each sender waits" in problem_with(own("asking.py", ASK), reaches="others")


@pytest.fixture
def run(own: Own, tmp_path: Path) -> RunFolder:
    plan = make_plan({"locustfile": own(), "load": "fixed", "trials": 1, "layers": "inmemory"})
    return RunFolder.create(tmp_path / "out", plan, command="")


def test_manifest_when_a_run_begins_then_it_has_name_path_and_hash_of_the_file(run: RunFolder, tmp_path: Path) -> None:
    (file,) = json.loads((run.folder / MANIFEST).read_text())["plan"]["locustfile"]
    assert file["name"] == "theirs"
    assert file["locustfile"] == str(tmp_path / "theirs.py")
    assert len(file["sha256"]) == 64


def test_run_when_it_is_resumed_then_its_file_is_what_it_was_or_that_is_told(run: RunFolder, own: Own) -> None:
    assert RunFolder.resume(run.folder, CHOICES).plan == run.plan
    path = own(load=TALK.replace("2", "3"))
    with pytest.raises(PlanError, match=f"{path} has been changed since that run began; put it back as it was, or"):
        RunFolder.resume(run.folder, CHOICES)
    path.unlink()
    with pytest.raises(PlanError, match=f"{path} cannot be read"):
        RunFolder.resume(run.folder, CHOICES)


def test_like_when_a_run_had_a_file_then_it_is_measured_again_unless_other_scenarios_are_asked_for(
    run: RunFolder,
) -> None:
    earlier = read_manifest(run.folder)
    assert plan_like(earlier, {}, choices=CHOICES).locustfile == run.plan.locustfile
    assert plan_like(earlier, {"scenarios": "churn"}, choices=CHOICES).scenarios == ("churn",)
    assert plan_like(earlier, {"scenarios": "churn,theirs"}, choices=CHOICES).scenarios == ("churn", "theirs")


def test_compare_when_a_file_was_changed_between_two_runs_then_that_is_an_obstacle_and_its_place_is_none(
    tmp_path: Path,
) -> None:
    def run_with(name: str, **file: str) -> Run:
        folder = write_folder(tmp_path / name, scenarios=("theirs",))
        told = json.loads((folder / MANIFEST).read_text())
        told["plan"]["locustfile"] = [{"name": "theirs", **file}]
        (folder / MANIFEST).write_text(json.dumps(told))
        return read_run(folder)

    one = run_with("1", locustfile="/a/theirs.py", sha256="1")
    moved, changed = run_with("2", locustfile="/b/theirs.py", sha256="1"), run_with("3", sha256="2")
    assert obstacles_between(one, moved) == []
    assert obstacles_between(one, changed) == ["the locustfile of the scenario theirs was changed between the two"]
    assert not any("locustfile" in warning for warning in warnings_of(one, moved))


def test_rooms_when_users_of_the_file_say_them_then_the_file_tells_how_large_they_are(own: Own) -> None:
    """Where nothing else tells them apart; beside a scenario whose users do not, the two are refused."""
    offer = replace(ReferenceApp().offer, tells_rooms_apart=False)
    plan = make_plan({"locustfile": own()})
    assert fitted(plan, offer, {"theirs"}).room_size is None
    assert fitted(plan, offer).room_size == 6
    both = make_plan({"locustfile": own(), "scenarios": "churn"})
    with pytest.raises(PlanError, match="scenarios: in churn there is one room only"):
        fitted(both, offer, {"theirs"})
