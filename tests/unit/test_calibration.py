"""Calibration: the capacity of a made-up server is found, and what cannot be found is said and never guessed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import cycle
from random import Random

import pytest

from loadtest.bench import calibration
from loadtest.bench.calibration import (
    DROP_OF_STEPS,
    MOST_DISTURBED,
    MOST_STEPS,
    NotCalibrated,
    agreed_capacity,
    calibrated_cell,
    cells_to_calibrate,
    rate_of_load,
    step_of,
)
from loadtest.bench.measuring import Measured, Step
from loadtest.bench.scenarios import SCENARIOS
from loadtest.dimensions import CONSUMER, DROP, LOAD, MIXED_DROPS, NO_DROP, SCENARIO, SERVER, WORKERS, CellKey
from loadtest.report.manifest import CalibrationStep, Capacity
from loadtest.report.tables import Tables
from tests.unit.plans import make_plan

CELL = CellKey(scenario="churn", layer="redis", consumer="sync", drop=DROP_OF_STEPS)

find_capacity = partial(calibration.find_capacity, typical=SCENARIOS["churn"].rate)

Server = Callable[[float], float]
"""The utilisation at a rate."""


def served(server: Server) -> Callable[[CellKey, int, float], CalibrationStep]:
    return lambda cell, number, rate: CalibrationStep(rate=rate, utilisation=server(rate), busiest="event loop")


@pytest.mark.parametrize("carries", [0.2, 0.9, 1.0, 1.1, 3.0, 6.0, 18.0, 100.0])
def test_capacity_when_the_cost_of_a_message_is_constant_then_it_is_found_from_any_distance(carries: float) -> None:
    found = find_capacity(CELL, served(lambda rate: min(1.0, rate / carries)))
    assert found.rate == pytest.approx(carries)
    assert found.cell == CELL and len(found.steps) <= MOST_STEPS


def test_capacity_when_it_is_near_then_two_steps_do() -> None:
    found = find_capacity(CELL, served(lambda rate: min(1.0, rate / 5)))
    assert [step.rate for step in found.steps] == pytest.approx([SCENARIOS["churn"].rate / 2, 3.0])


@pytest.mark.parametrize("fixed", [0.02, 0.1, 0.25])
@pytest.mark.parametrize("cost", [0.1, 0.4, 2.0])
def test_capacity_when_the_server_does_other_things_too_then_these_are_there_at_any_rate(
    fixed: float, cost: float
) -> None:
    found = find_capacity(CELL, served(lambda rate: min(1.0, fixed + rate * cost)))
    assert found.rate == pytest.approx((1 - fixed) / cost)


def test_capacity_when_a_real_server_has_fixed_costs_then_three_steps_do() -> None:
    measured = ((0.245, 0.19), (0.534, 0.32), (1.01, 0.49))
    steps = [CalibrationStep(rate=rate, utilisation=busy) for rate, busy in measured]
    assert agreed_capacity(steps[:2]) is None, "neither is busy enough"
    assert agreed_capacity(steps) == pytest.approx(2.31, rel=0.02)


def test_capacity_when_each_step_is_off_by_chance_then_it_is_right_on_the_whole() -> None:
    chance = Random(5)

    def busy(rate: float) -> float:
        return min(1.0, 0.1 + rate * 0.4 + chance.gauss(0, 0.015))

    found = [find_capacity(CELL, served(busy)).rate or 0.0 for _ in range(400)]
    assert sorted(found)[200] == pytest.approx(2.25, rel=0.03)
    assert sum(abs(rate - 2.25) > 0.15 * 2.25 for rate in found) <= 20, "19 of 20 are right to 15 %"


def test_capacity_when_one_step_was_disturbed_then_it_is_left_out() -> None:
    disturbed = iter([1.0, 1.5])
    found = find_capacity(CELL, served(lambda rate: min(1.0, rate / 5 * next(disturbed, 1.0))))
    assert found.rate == pytest.approx(5) and found.why == ""


def test_capacity_when_steps_differ_somewhat_then_it_is_known_roughly_and_says_so() -> None:
    swing = cycle([0.85, 1.15])
    found = find_capacity(CELL, served(lambda rate: min(1.0, rate / 5 * next(swing))))
    assert found.rate == pytest.approx(5, rel=0.3)
    assert found.why.startswith(f"{MOST_STEPS} short trials do not lie near one line, or none was busy: busy ")


def test_capacity_when_estimates_go_apart_then_there_is_none_and_every_step_is_told() -> None:
    shares = cycle([0.5, 0.1])
    found = find_capacity(CELL, served(lambda rate: next(shares)))
    assert found.rate is None and len(found.steps) == MOST_STEPS
    assert found.why.startswith(
        f"{MOST_STEPS} short trials do not lie near one line, or none was busy: busy 50% at 0.5/s; busy 10% at"
    )


def test_capacity_when_a_step_is_in_trouble_then_a_lower_rate_is_tried() -> None:
    def measure(cell: CellKey, number: int, rate: float) -> CalibrationStep:
        if rate > 0.3:
            return CalibrationStep(rate=rate, trouble="the generator was busy")
        return CalibrationStep(rate=rate, utilisation=rate / 0.8, busiest="event loop")

    found = find_capacity(CELL, measure)
    assert found.rate == pytest.approx(0.8)
    assert "the generator was busy" in found.why, "no step was as busy as it should be"
    assert found.steps[0].trouble and found.steps[1].rate < found.steps[0].rate


def test_capacity_when_other_processes_disturb_a_step_then_it_does_not_count() -> None:
    disturbed = iter([True, True, False])

    def measure(cell: CellKey, number: int, rate: float) -> CalibrationStep:
        if next(disturbed, False):
            return CalibrationStep(rate=rate, utilisation=min(1.0, rate / 2), trouble="others used 40 % of a core")
        return CalibrationStep(rate=rate, utilisation=min(1.0, rate / 5))

    found = find_capacity(CELL, measure)
    assert found.rate == pytest.approx(5) and found.why == ""


def test_capacity_when_every_step_is_disturbed_then_it_is_known_roughly_and_says_so() -> None:
    found = find_capacity(
        CELL,
        lambda cell, number, rate: CalibrationStep(rate=rate, utilisation=min(1.0, rate / 5), trouble="steal of 9 %"),
    )
    assert found.rate == pytest.approx(5) and "steal of 9 %" in found.why
    assert len(found.steps) == MOST_DISTURBED, "more of them would show no more"


def test_capacity_when_every_step_failed_then_that_is_known_of_it() -> None:
    found = find_capacity(CELL, lambda cell, number, rate: CalibrationStep(rate=rate, trouble="it died", failed=True))
    assert found.rate is None and found.has_failed_step
    assert "it died" in found.why


def step(figures: dict[str, float], *, invalid: tuple[str, ...] = ()) -> CalibrationStep:
    row = {**CELL.as_row(), "trial": 1, "users": 5, "valid": "yes", "duration_s": 2.0, **figures}
    measured = Measured(tables=Tables.from_rows({"throughput": [row]}), invalid=invalid, identity={})
    return step_of(Step(cell=CELL, number=1, rate=3, duration_s=2, warm_up_s=0, seed=1), measured)


@pytest.mark.parametrize(
    ("figures", "busiest"),
    [
        ({"utilisation": 0.6, "loop_busy": 0.6, "sync_thread_busy": 0.5}, "event loop"),
        ({"utilisation": 0.6, "loop_busy": 0.4, "sync_thread_busy": 0.6}, "sync thread"),
        ({"utilisation": 0.6, "loop_busy": 0.4, "sync_thread_busy": 0.5}, "broker"),
        ({"utilisation": 0.6, "loop_busy": 0.4}, "broker"),
    ],
)
def test_step_when_it_is_measured_then_it_tells_what_was_busiest(figures: dict[str, float], busiest: str) -> None:
    found = step(figures)
    assert (found.rate, found.utilisation, found.busiest) == (3, 0.6, busiest)


def test_step_when_it_is_not_valid_or_says_nothing_of_the_server_then_it_says_why() -> None:
    found = step({"utilisation": 0.5}, invalid=("the generator was busy",))
    assert (found.trouble, found.utilisation) == ("the generator was busy", 0.5)
    assert "not known how busy" in step({}).trouble


def test_step_when_no_message_went_then_what_the_server_did_does_not_count() -> None:
    found = step({"utilisation": 0.1, "sent": 0, "received": 0}, invalid=("only 0 of 5 users had a connection",))
    assert (found.trouble, found.utilisation) == ("only 0 of 5 users had a connection", None)
    assert step({"utilisation": 0.1, "sent": 0, "received": 9}).utilisation == 0.1, "the app pushes them"


def capacities(**rates: float | None) -> dict[CellKey, Capacity]:
    cells = {name: CELL.having(CONSUMER, name.replace("_", "-")) for name in rates}
    return {cells[name]: Capacity(cell=cells[name], rate=rate, steps=(), why="no two agree")
            for name, rate in rates.items()}  # fmt: skip


AT_HALF = CELL.having(LOAD, "50%").having(DROP, MIXED_DROPS)


def test_rate_when_the_slowest_cell_sets_it_then_all_cells_of_the_scenario_have_it() -> None:
    known = capacities(sync=2.0, **{"async": 6.0})
    assert rate_of_load(AT_HALF, known, "slowest") == 1.0
    assert rate_of_load(AT_HALF.having(CONSUMER, "async"), known, "slowest") == 1.0


def test_rate_when_each_cell_sets_its_own_then_they_differ() -> None:
    known = capacities(sync=2.0, **{"async": 6.0})
    assert rate_of_load(AT_HALF, known, "own") == 1.0
    assert rate_of_load(AT_HALF.having(CONSUMER, "async"), known, "own") == 3.0


def test_rate_when_cells_of_another_scenario_or_server_are_slower_then_that_does_not_matter() -> None:
    slow = {
        cell: Capacity(cell=cell, rate=0.1, steps=())
        for cell in (CELL.having(SCENARIO, "broadcast"), CELL.having(SERVER, "daphne"), CELL.having(WORKERS, 2))
    }
    assert rate_of_load(AT_HALF, {**capacities(sync=2.0), **slow}, "slowest") == 1.0  # fmt: skip


def test_rate_when_the_load_is_fixed_then_there_is_nothing_to_set() -> None:
    assert rate_of_load(CELL, {}, "slowest") is None


def test_rate_when_a_cell_that_it_depends_on_has_no_capacity_then_it_is_refused_and_says_whose() -> None:
    known = capacities(sync=2.0, **{"async": None})
    with pytest.raises(NotCalibrated, match="what redis async churn rst carries at most is not known: no two agree"):
        rate_of_load(AT_HALF, known, "slowest")
    assert rate_of_load(AT_HALF, known, "own") == 1.0


def test_cells_to_calibrate_when_a_plan_has_loads_then_each_cell_is_there_once_with_one_kind_of_drop() -> None:
    plan = make_plan({"scenarios": "echo,churn", "load": "fixed,30%,80%", "mix_drops": False, "layers": "redis"})
    assert cells_to_calibrate(plan) == [CELL, CELL.having(CONSUMER, "async")]
    assert cells_to_calibrate(make_plan({"rate": 1})) == []


def test_cells_to_calibrate_when_nobody_is_dropped_by_the_clients_then_nor_are_they_there() -> None:
    assert calibrated_cell(CELL.having(DROP, NO_DROP)) == CELL.having(DROP, NO_DROP)
    assert calibrated_cell(CELL.having(DROP, "server-pause")) == CELL.having(DROP, NO_DROP)
