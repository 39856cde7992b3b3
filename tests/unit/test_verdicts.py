"""What is decided of whole runs whose truth is known: from the trials' figures through cells to verdicts."""

from __future__ import annotations

import os
from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from loadtest.checks.disconnects.kinds import standing_out
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.figures.evidence import Evidence
from loadtest.report.comparisons import Comparison, comparisons_of
from loadtest.report.noise import noise_of, noise_words
from loadtest.report.questions import CARRIED, MISSING, asked_of
from tests.unit.simulated_run import Truth, manifest_of, simulated_runs

RUNS = 400
DECIDED = ("higher", "lower")
SLOWDOWN = 1.1

EQUAL = Truth()
OTHERS = [
    Truth(rounds=3),
    Truth(rounds=5),
    Truth(noise=(0.01, 0.5)),
    Truth(effect=(5.0,)),
    Truth(missed={"sync": 0.02, "async": 0.02}),
    Truth(missed={"sync": 0.5, "async": 0.5}, effect=(1.0, 5.0)),
    Truth(loads=("fixed",), twins=False),
]
"""Other runs of equals: they are simulated in the long form of the tests (make soak)."""

soak = pytest.mark.skipif("LOADTEST_SOAK" not in os.environ, reason="takes a minute; `make soak` runs it")


def is_false(comparison: Comparison) -> bool:
    """Of equals any claim of a difference is false, of all layers or of one."""
    return bool({comparison.verdicts.whole, *comparison.verdicts.parts} & set(DECIDED))


def false_runs(truth: Truth) -> float:
    """The share of runs of equals in which something is said to differ, a kind of drop from the others too."""
    manifest = manifest_of(truth)
    false = []
    for evidence in simulated_runs(truth, runs=RUNS, seed=1):
        of_kinds = standing_out([evidence.at_risk(cells) for cells in evidence.by_drop(DISCONNECTS)])
        false.append(any(map(is_false, comparisons_of(evidence, manifest))) or bool(of_kinds))
    return float(np.mean(false))


def test_run_when_nothing_differs_then_at_most_one_in_twenty_claims_a_difference() -> None:
    assert false_runs(EQUAL) <= 0.05


@soak
@pytest.mark.parametrize("truth", OTHERS, ids=repr)
def test_run_of_any_sort_when_nothing_differs_then_at_most_one_in_twenty_claims_a_difference(truth: Truth) -> None:
    assert false_runs(truth) <= 0.05


def covered_ratios(truth: Truth) -> list[bool]:
    """Whether the interval of each ratio, async over sync, holds the truth; rates are higher where times are lower."""
    manifest = manifest_of(truth)
    return [
        (truth.slower if comparison.asked.metric is CARRIED else 1 / truth.slower) in comparison.interval
        for evidence in simulated_runs(truth, runs=RUNS, seed=2)
        for comparison in comparisons_of(evidence, manifest)
        if not comparison.asked.metric.is_share
    ]


def least_coverage(cases: int) -> float:
    """95 % but for three standard errors: one false alarm in 700."""
    return 0.95 - 3 * sqrt(0.95 * 0.05 / cases)


def test_slowdown_when_it_is_planted_then_the_intervals_hold_it() -> None:
    covered = covered_ratios(Truth(slower=SLOWDOWN))
    assert len(covered) == RUNS * 7
    assert np.mean(covered) >= least_coverage(len(covered))


@soak
@pytest.mark.parametrize("rounds", [3, 5])
def test_slowdown_when_it_is_planted_with_other_rounds_then_the_intervals_hold_it(rounds: int) -> None:
    covered = covered_ratios(Truth(slower=SLOWDOWN, rounds=rounds))
    assert np.mean(covered) >= least_coverage(len(covered))


def first_run(truth: Truth) -> tuple[Evidence, dict[str, Comparison]]:
    (evidence,) = simulated_runs(truth, runs=1, seed=3)
    return evidence, {f"{comparison.asked.metric.what} {comparison.asked.key.as_row()['load']}": comparison
                      for comparison in comparisons_of(evidence, manifest_of(truth))}  # fmt: skip


def test_difference_when_it_is_large_then_it_is_decided_over_all_layers() -> None:
    _, found = first_run(Truth(slower=2.0, missed={"sync": 0.3, "async": 0.05}, noise=(0.05, 0.1)))
    assert {name: comparison.verdicts.whole for name, comparison in found.items()} == {
        "missed disconnects 30%": "lower",
        "missed disconnects 80%": "lower",
        "messages a second fixed": "higher",
        **{f"latency p99 {load}": "lower" for load in ("30%", "80%")},
        **{f"server CPU for 1,000 messages {load}": "lower" for load in ("30%", "80%")},
    } | {name: "lower" for name in found if name.startswith("latency")}


def test_questions_when_asked_of_the_default_matrix_then_they_are_those_that_the_method_names() -> None:
    (evidence,) = simulated_runs(EQUAL, runs=1, seed=1)
    asked = asked_of(evidence, manifest_of(EQUAL))
    said = [(one.metric.what, one.key.as_row()["scenario"], one.key.as_row()["load"], len(one.pairs)) for one in asked]
    assert said == [
        ("missed disconnects", "churn", "30%", 3),
        ("missed disconnects", "churn", "80%", 3),
        ("messages a second", "echo", "fixed", 1),
        ("latency p99", "broadcast", "30%", 3),
        ("latency p99", "churn", "30%", 3),
        ("latency p99", "broadcast", "80%", 3),
        ("latency p99", "churn", "80%", 3),
        ("server CPU for 1,000 messages", "broadcast", "30%", 3),
        ("server CPU for 1,000 messages", "broadcast", "80%", 3),
    ]


def test_twins_when_a_cell_has_them_then_they_are_no_rounds_of_their_own() -> None:
    (evidence,) = simulated_runs(EQUAL, runs=1, seed=1)
    twice = [cell for cell in evidence.cells if len(cell.trials) == 2 * EQUAL.rounds]
    assert len(twice) == 3 + 4  # echo, broadcast and churn, and churn's kinds of drop
    assert all(len(cell.by_round(column)) == EQUAL.rounds for cell in twice for column in cell.medians)
    assert {comparison.whole.rounds for comparison in comparisons_of(evidence, manifest_of(EQUAL))} == {EQUAL.rounds}


def test_noise_floor_when_cells_are_measured_twice_then_it_is_that_of_their_twins() -> None:
    truth = Truth(noise=(0.05, 0.05), effect=(1.0,))
    floors = [noise_of(evidence, manifest_of(truth)) for evidence in simulated_runs(truth, runs=100, seed=4)]
    single = np.median([[noise.floor.single for noise in found] for found in floors], axis=0)
    names = [noise.metric for noise in floors[0]]
    assert names[0] is MISSING
    assert single[0] == pytest.approx(2.78 * (2 * 0.1 * 0.9 / 48) ** 0.5, rel=0.25), "t of 4 rounds, binomial"
    assert single[2] == pytest.approx(np.expm1(2.31 * 0.05 * 2**0.5), rel=0.25), "t of 8 rounds, twice the variance"


def test_noise_floor_when_it_is_told_then_with_its_cells_and_else_that_it_is_not_known() -> None:
    (evidence,) = simulated_runs(EQUAL, runs=1, seed=1)
    told = noise_words(noise_of(evidence, manifest_of(EQUAL)), evidence.namer)
    assert told.startswith("Noise floor: two measurements of the same thing in one round of this run differed by ")
    assert "points in missed disconnects" in told and "% in latency p99" in told
    assert "inmemory, async, broadcast, 80% load" in told
    (bare,) = simulated_runs(Truth(twins=False), runs=1, seed=1)
    unknown = noise_words(noise_of(bare, manifest_of(EQUAL)), bare.namer)
    assert unknown.endswith("nothing was measured twice in this run.")


def test_noise_floor_when_so_few_twins_differ_so_much_that_it_tells_nothing_then_it_has_no_bound() -> None:
    (evidence,) = simulated_runs(EQUAL, runs=1, seed=1)
    bounds = {True: (0.77, 0.79), False: (8.9, 9.1)}
    for place, words in enumerate((("77 points", "890 %"), ("no known bound", "no known bound"))):
        noise = [replace(found, floor=replace(found.floor, single=bounds[found.metric.is_share][place]))
                 for found in noise_of(evidence, manifest_of(EQUAL))]  # fmt: skip
        told = noise_words(noise, evidence.namer)
        assert all(word in told for word in words), told
