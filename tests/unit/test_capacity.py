"""Capacity runs on a made-up server, from the plan to the answers: what is found is what was planted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadtest.bench.plan import PlanError
from loadtest.bench.run_manifest import LATEST
from loadtest.capacity.expected_time import expected_s
from loadtest.capacity.plan import DEFAULT_LEVEL
from loadtest.capacity.run import limits_of
from loadtest.cli.capacity import exit_code
from loadtest.cli.exit_codes import ENVIRONMENT_FAILED, INTERRUPTED, NOT_VALID
from loadtest.dimensions import CONSUMER, LAYER, WORKERS
from loadtest.report.capacity import CapacityAnswers, answers_of, read_steps
from loadtest.report.manifest import read_manifest
from tests.unit.capacity_runs import QueueServer, capacity_plan, carry_out, highest_load

ONE_CELL = {"consumers": "async", "searches": 3}


def answers(folder: Path) -> CapacityAnswers:
    return answers_of(read_steps(folder), read_manifest(folder))


# the plan


def test_plan_when_nothing_is_given_then_the_level_is_fast_and_whole_and_nobody_is_dropped() -> None:
    plan = capacity_plan()
    assert plan.keep == DEFAULT_LEVEL
    assert list(plan.scenarios) == ["broadcast"]
    assert expected_s(plan) == pytest.approx(2 * expected_s(capacity_plan(consumers="sync")))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"workers": "2", "servers": "daphne"}, "workers: daphne runs 1 at most, got 2"),
        ({"workers": "0"}, "workers.0: .* greater than or equal to 1"),
        ({"workers": "1,x"}, "workers.1: .* integer"),
        ({"workers": ""}, "workers: name at least one"),
        ({"workers": "2", "layers": "inmemory"}, "workers: inmemory stays inside one process"),
        ({"rate": 3.0}, "of: --rate is what is raised; leave it out, or pass --of users"),
        ({"of": "users", "users": 3}, "of: --users is what is raised; leave it out, or pass --of rate"),
        ({"of": "users", "rate": 0.0}, "of: a rate of 0 is a closed loop"),
        ({"of": "threads"}, "of: .*'rate' or 'users'"),
        ({"keep": ["latency < 100"]}, "keep: .* no figure 'latency'; there are .*latency_ms_p99"),
        ({"keep": ["consumer=none: latency_ms_p99 < 100"]}, "keep: .* the plan has no consumer 'none'"),
        ({"keep": ["missed_share < 0.05"]}, "keep: missed_share < 0.05: nobody is dropped; .* bursts or churn"),
        ({"keep": ["consumer=sync: latency_ms_p99 < 100"]}, "keep: nothing of .* is about redis async broadcast"),
        ({"scenarios": "echo"}, "scenarios: echo has no rate that could be raised; there are broadcast"),
        ({"scenarios": "nothing"}, "scenarios: unknown scenario 'nothing'"),
        ({"scenarios": "churn", "drops": "server-pause"}, "drops: server-pause is an outage"),
        ({"resolution": 0.0}, "resolution: "),
        ({"searches": 0}, "searches: "),
    ],
)
def test_plan_when_something_is_wrong_then_it_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(PlanError, match=says):
        capacity_plan(**given)


def test_plan_when_several_things_are_wrong_then_all_are_told_at_once() -> None:
    with pytest.raises(PlanError) as refused:
        capacity_plan(workers="2", servers="daphne", resolution=9.0, keep=["nothing > 0"], layers="none")
    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == [
        "layers", "workers", "keep", "resolution"
    ]  # fmt: skip


def test_plan_when_there_are_workers_then_a_layer_inside_one_process_is_left_out_with_them_and_that_is_noted() -> None:
    plan = capacity_plan(layers="inmemory,redis", workers="1,2", consumers="sync")
    assert [(cell[LAYER], cell[WORKERS]) for cell in plan.cells()] == [("inmemory", 1), ("redis", 1), ("redis", 2)]
    (note,) = plan.notes
    assert "inmemory" in note and "2 workers" in note


def test_plan_when_drops_are_part_of_the_level_then_it_is_that_of_scenarios_with_drops_alone() -> None:
    plan = capacity_plan(scenarios="broadcast,churn", keep=["missed_share < 0.1", "latency_ms_p99 < 50"])
    assert {len(plan.level_of(cell)) for cell in plan.cells()} == {1, 2}


def test_searches_when_they_begin_then_each_has_a_first_value_of_its_own_and_all_cells_the_same() -> None:
    plan = capacity_plan(searches=3)
    firsts = [{limits_of(plan, cell, search).first for cell in plan.cells()} for search in (1, 2, 3)]
    assert [len(values) for values in firsts] == [1, 1, 1]
    assert len(set.union(*firsts)) == 3
    assert all(1 <= value <= 2 for values in firsts for value in values), "half of the scenario's own rate and up"


# the run


def test_run_when_it_has_ended_then_the_answers_hold_what_was_planted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = QueueServer()
    folder, told = carry_out(tmp_path, server, monkeypatch)
    found = answers(folder)
    assert [cell.cell[CONSUMER] for cell in found.cells] == ["sync", "async"]
    for cell in found.cells:
        assert cell.interval is not None and cell.beside == 50
        assert highest_load(cell.cell) / 50 in cell.interval
        assert len(cell.singles) == 3 and len(set(cell.singles)) == 3
        assert cell.gave_way is not None and cell.gave_way.is_busy
        assert cell.knee is not None and cell.knee.load < cell.interval.estimate
    assert [cell.gave_way.busiest for cell in found.cells if cell.gave_way] == ["sync thread", "event loop"]
    assert len(told.searches) == 6 and len(told.steps) == len(server.steps) == len(read_steps(folder))
    assert exit_code(found, interrupted=False, failed=False) == 0


def test_run_when_it_has_ended_then_the_folder_says_so_and_has_one_seed_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = QueueServer()
    folder, _ = carry_out(tmp_path, server, monkeypatch)
    manifest = read_manifest(folder)
    assert folder.name.endswith("-capacity") and (tmp_path / LATEST).resolve() == folder.resolve()
    assert (manifest.state, manifest.done, manifest.planned) == ("finished", 6, 6)
    assert manifest.plan["keep"] == list(DEFAULT_LEVEL) and "trials" not in manifest.plan
    assert manifest.identity == {"django": "5.2"}
    steps = read_steps(folder)
    seeds = {(step.search, step.step): measured.seed for step, (measured, _) in zip(steps, server.steps, strict=True)}
    assert len(set(seeds.values())) == len(seeds), "the same step of all cells has one, and each other its own"


def test_run_when_users_are_raised_then_the_answer_is_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = QueueServer()
    folder, _ = carry_out(tmp_path, server, monkeypatch, of="users", rate=4.0, **ONE_CELL)
    (cell,) = answers(folder).cells
    assert cell.interval is not None and cell.beside == 4
    assert highest_load(cell.cell) / 4 in cell.interval
    assert {step.rate for step in cell.steps} == {4.0}
    assert all(users == round(users) for _, users in server.steps)


def test_run_when_the_generator_is_the_limit_then_the_answer_is_at_least_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = QueueServer()
    server.invalid_above = 300.0
    folder, _ = carry_out(tmp_path, server, monkeypatch, **ONE_CELL)
    (cell,) = answers(folder).cells
    assert (cell.kind, cell.interval, cell.gave_way) == ("at least", None, None)
    assert cell.bound is not None and 300 / 50 / 1.06 <= cell.bound <= 300 / 50
    assert cell.why == "the generator was busy 97% of the time"
    assert exit_code(answers(folder), interrupted=False, failed=False) == 0


def test_run_when_others_use_the_machine_then_nothing_is_known_and_it_is_not_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = QueueServer()
    server.disturbed = True
    folder, _ = carry_out(tmp_path, server, monkeypatch, **ONE_CELL)
    found = answers(folder)
    assert (found.cells[0].kind, found.cells[0].why) == ("not known", "others had the CPUs")
    assert {step.outcome for step in found.cells[0].steps} == {"disturbed"}
    assert exit_code(found, interrupted=False, failed=False) == NOT_VALID


def test_run_when_every_step_fails_then_that_is_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = QueueServer()
    server.fails_above = 0.0
    folder, _ = carry_out(tmp_path, server, monkeypatch, **ONE_CELL)
    found = answers(folder)
    assert (found.cells[0].kind, found.cells[0].why) == ("not known", "the server died")
    assert exit_code(found, interrupted=False, failed=True) == ENVIRONMENT_FAILED
    assert {trouble.why for trouble in found.manifest.failed} == {"the server died"}


def test_run_when_messages_are_lost_at_any_rate_then_even_the_lowest_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = QueueServer()
    server.loses = 3
    folder, _ = carry_out(tmp_path, server, monkeypatch, **ONE_CELL)
    (cell,) = answers(folder).cells
    assert cell.kind == "below" and "lost == 0" in cell.why
    assert cell.gave_way is not None and not cell.gave_way.is_busy
    assert {step.lost_share for step in cell.steps} == {0.03}


def test_run_when_it_is_interrupted_then_what_was_measured_is_there_and_searches_without_an_end_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = QueueServer()
    server.interrupted_after = 18
    with pytest.raises(KeyboardInterrupt):
        carry_out(tmp_path, server, monkeypatch, **ONE_CELL)
    found = answers(tmp_path / LATEST)
    assert found.manifest.state == "interrupted" and found.manifest.done == 1
    assert len(found.cells[0].steps) == 18
    assert len(found.cells[0].singles) == 1
    assert exit_code(found, interrupted=True, failed=False) == INTERRUPTED


def test_run_when_it_is_interrupted_at_once_then_there_is_a_folder_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = QueueServer()
    server.interrupted_after = 0
    with pytest.raises(KeyboardInterrupt):
        carry_out(tmp_path, server, monkeypatch, **ONE_CELL)
    assert answers(tmp_path / LATEST).cells == ()


# workers


def test_workers_when_there_are_four_numbers_then_the_law_is_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = carry_out(tmp_path, QueueServer(cpus=8), monkeypatch, workers="1,2,4,8", consumers="async")
    (scaling,) = answers(folder).scalings
    assert scaling.scaling is not None and scaling.why == ""
    assert 570 in scaling.scaling.rate
    assert scaling.scaling.contention.low <= 0.05 <= scaling.scaling.contention.high
    assert scaling.scaling.coherence.low <= 0.002 <= scaling.scaling.coherence.high


def test_workers_when_there_are_more_than_cpus_then_they_are_left_out_and_too_few_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = carry_out(tmp_path, QueueServer(cpus=1), monkeypatch, workers="1,2", consumers="async", searches=1)
    found = answers(folder)
    (scaling,) = found.scalings
    assert scaling.scaling is None
    assert scaling.why == "2 workers have 1 CPU; the law needs 4 numbers of workers, and 1 count"
    crowded = [cell for cell in found.cells if cell.cell[WORKERS] == 2]
    assert [cell.gave_way.busiest for cell in crowded if cell.gave_way] == ["CPUs"]
