"""Relative loads: which cells take them, what a plan refuses, and which rate each comes to."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench.generator import rate_of
from loadtest.bench.plan import PlanError, Trial
from loadtest.bench.relative_load import share_of_load
from loadtest.dimensions import CONSUMER, FIXED_LOAD, LAYER, LOAD, SCENARIO, CellKey
from tests.unit.plans import make_plan


@pytest.mark.parametrize(
    ("given", "loads"),
    [
        ("30%,80%", ("30%", "80%")),
        (["30%", "80%"], ("30%", "80%")),
        ("80 %, 080%, 30.0%", ("80%", "30%")),
        ("fixed,12.5%", ("fixed", "12.5%")),
    ],
)
def test_load_when_given_then_it_is_as_cells_have_it(given: object, loads: tuple[str, ...]) -> None:
    assert make_plan({"load": given}).load == loads


def test_load_when_a_plan_file_lists_it_then_it_is_taken(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text('load = ["30%", "80%"]\nload_of = "own"\n')
    plan = make_plan({}, tmp_path / "plan.toml")
    assert (plan.load, plan.load_of) == (("30%", "80%"), "own")


@pytest.mark.parametrize("load", ["30", "0%", "-5%", "1001%", "much", "", "nan%", [30], [True], 30])
def test_load_when_it_is_no_percentage_then_it_is_refused_with_how_one_is_written(load: object) -> None:
    with pytest.raises(PlanError, match=r"load: .*30%"):
        make_plan({"load": load})


def test_load_when_a_rate_is_given_too_then_both_are_named() -> None:
    with pytest.raises(PlanError, match=r"rate: 2 is absolute, and the load 30% .*; give one"):
        make_plan({"load": "fixed,30%", "rate": 2})


def test_load_when_only_a_rate_is_given_then_it_is_fixed_in_every_profile() -> None:
    for profile in ("quick", "standard", "full"):
        assert make_plan({"profile": profile, "rate": 2}).load == (FIXED_LOAD,)


def test_load_when_no_scenario_takes_it_then_it_is_refused_where_it_was_asked_for() -> None:
    with pytest.raises(PlanError, match=r"load: echo has no rate .* churn"):
        make_plan({"scenarios": "echo", "load": "30%"})
    assert make_plan({"scenarios": "echo"}).load == (FIXED_LOAD,)


def test_cells_when_a_scenario_waits_for_answers_then_it_has_a_fixed_load_and_one_layer() -> None:
    plan = make_plan({"scenarios": "echo,churn", "load": "30%,80%"})
    found = Counter((cell[SCENARIO], cell[LOAD]) for cell in plan.cells())
    assert found == {("echo", "fixed"): 2, ("churn", "30%"): 6, ("churn", "80%"): 6}
    assert {cell[LAYER] for cell in plan.cells() if cell[SCENARIO] == "echo"} == {"inmemory"}
    assert {cell[CONSUMER] for cell in plan.cells() if cell[SCENARIO] == "echo"} == {"sync", "async"}


def test_share_when_a_load_is_read_then_it_is_a_part_of_one() -> None:
    assert [share_of_load(load) for load in ("30%", "12.5%", "fixed")] == [0.3, 0.125, None]


def trial(load: str, rate: float | None = None) -> Trial:
    return Trial(cell=CellKey(scenario="churn", load=load), number=1, seed=1, rate=rate)


@pytest.mark.parametrize(
    ("given", "of", "rate"),
    [
        ({}, trial("fixed"), 1.0),
        ({"rate": 7}, trial("fixed"), 7.0),
        ({"load": "30%"}, trial("30%", 1.25), 1.25),
    ],
)
def test_rate_when_asked_for_then_it_is_the_loads_or_the_plans_or_the_scenarios(
    given: dict[str, Any], of: Trial, rate: float
) -> None:
    assert rate_of(make_plan(given), of) == rate


def test_rate_when_what_the_load_is_of_was_not_measured_then_there_is_none() -> None:
    with pytest.raises(ValueError, match="has no rate"):
        rate_of(make_plan({"load": "30%"}), trial("30%"))
