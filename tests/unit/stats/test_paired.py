"""Comparisons by round: exactness, verdicts, and how often they are wrong over many runs of a bench."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from math import inf, isnan, log

import numpy as np
import pytest
from scipy import stats

from loadtest.stats.holm import holm
from loadtest.stats.paired import (
    Paired,
    compare,
    p_of_difference,
    p_of_sameness,
    paired,
    ratio_of,
    seeable_of,
)

ONE = {1: 110.0, 2: 121.0, 3: 107.0, 4: 118.0}
OTHER = {1: 100.0, 2: 108.0, 3: 101.0, 4: 104.0}

RUNS = 400
SEED = 7
Cells = Mapping[str, Mapping[int, float]]


def logs(figures: Mapping[int, float]) -> list[float]:
    return [log(value) for value in figures.values()]


def test_p_of_difference_when_compared_with_scipys_paired_t_test_then_it_is_the_same() -> None:
    theirs = stats.ttest_rel(logs(ONE), logs(OTHER))
    assert p_of_difference(paired(ONE, OTHER)) == pytest.approx(theirs.pvalue)
    limits = theirs.confidence_interval(0.95)
    ratio = ratio_of(paired(ONE, OTHER))
    assert (log(ratio.low), log(ratio.high)) == pytest.approx((limits.low, limits.high))


def test_p_of_sameness_when_compared_with_two_of_scipys_one_sided_tests_then_it_is_the_larger() -> None:
    differences = paired(ONE, OTHER).logs
    above = stats.ttest_1samp(differences, log(1.2), alternative="less").pvalue
    below = stats.ttest_1samp(differences, -log(1.2), alternative="greater").pvalue
    assert p_of_sameness(paired(ONE, OTHER), matters=0.2) == pytest.approx(max(above, below))


def test_holm_when_given_a_known_table_then_it_gives_its_values() -> None:
    """R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_paired_when_a_round_is_in_one_cell_alone_then_it_does_not_count() -> None:
    assert paired({1: 2.0, 2: 4.0, 3: 9.0}, {2: 1.0, 3: 9.0, 4: 5.0}) == Paired(logs=(log(4), 0.0))


@pytest.mark.parametrize("value", [0.0, inf, float("nan")])
def test_compare_when_a_figure_has_no_ratio_then_nothing_is_decided(value: float) -> None:
    (comparison,) = compare([paired({**ONE, 2: value}, OTHER)], matters=0.05)
    assert (comparison.verdict, comparison.p, comparison.p_same) == ("not decided", 1.0, 1.0)
    assert isnan(comparison.ratio.estimate) and comparison.seeable == inf


def test_compare_when_there_is_one_round_then_nothing_is_decided_but_the_ratio_stands() -> None:
    (comparison,) = compare([paired({1: 3.0}, {1: 2.0})], matters=0.05)
    assert comparison.verdict == "not decided"
    assert comparison.ratio.estimate == pytest.approx(1.5)
    assert (comparison.ratio.low, comparison.ratio.high) == (0.0, inf)


def test_compare_when_all_rounds_differ_alike_then_it_says_which_is_higher() -> None:
    there, back = compare([paired(ONE, OTHER), paired(OTHER, ONE)], matters=0.02)
    assert (there.verdict, back.verdict) == ("higher", "lower")
    assert 1 / back.ratio.estimate == pytest.approx(there.ratio.estimate)


def test_compare_when_a_difference_is_smaller_than_what_matters_then_it_is_the_same() -> None:
    (comparison,) = compare([Paired(logs=(0.010, 0.011, 0.0105))], matters=0.05)
    assert comparison.p < 0.05, "the difference is real"
    assert comparison.verdict == "same"


def test_compare_when_figures_are_equal_to_the_last_digit_then_they_are_the_same() -> None:
    (comparison,) = compare([paired({1: 100.0, 2: 100.0}, {1: 100.0, 2: 100.0})], matters=0.05)
    assert (comparison.verdict, comparison.seeable) == ("same", 0.0)


def test_compare_when_rounds_are_too_noisy_then_it_says_what_would_have_been_seen() -> None:
    (comparison,) = compare([Paired(logs=(0.1, -0.1, 0.05))], matters=0.05)
    assert comparison.verdict == "not decided"
    assert comparison.seeable > comparison.matters


def test_compare_when_there_are_many_then_what_one_alone_would_show_is_not_decided() -> None:
    one = Paired(logs=(0.09, 0.10, 0.14))
    assert compare([one], matters=0.05)[0].verdict == "higher"
    assert compare([one] + [Paired(logs=(0.1, -0.1, 0.05))] * 26, matters=0.05)[0].verdict == "not decided"


def test_compare_when_nothing_is_to_matter_then_it_is_refused() -> None:
    with pytest.raises(ValueError, match=r"give 0.05 for 5 %"):
        compare([], matters=0.0)


def test_seeable_when_that_difference_is_planted_then_it_is_seen_in_four_of_five_runs() -> None:
    noise = np.random.default_rng(4).normal(0, 0.03, (1000, 5))
    true = log(1.0 + float(np.median([seeable_of(Paired(logs=tuple(row))) for row in noise.tolist()])))
    seen = np.mean([p_of_difference(Paired(logs=tuple(row))) < 0.05 for row in (noise + true).tolist()])
    assert 0.7 < seen < 0.9, "Bloom's formula is a little off with few degrees of freedom"


@pytest.mark.parametrize("rounds", [3, 5])
def test_compare_when_all_cells_are_equal_then_at_most_one_run_in_twenty_has_a_false_verdict(rounds: int) -> None:
    false = [
        any(comparison.verdict in ("higher", "lower") for comparison in compare(family(cells), matters=0.05))
        for cells in simulated_runs(rounds, slowdown=1.0)
    ]
    assert len(family(next(simulated_runs(rounds, slowdown=1.0)))) == 27
    assert np.mean(false) <= 0.05


@pytest.mark.parametrize("rounds", [3, 5])
def test_ratio_when_a_slowdown_of_a_tenth_is_planted_then_its_interval_holds_it(rounds: int) -> None:
    covered = [
        1.1 in ratio_of(paired(cells[f"{scenario} sync a"], cells[f"{scenario} async a"]))
        for cells in simulated_runs(rounds, slowdown=1.1)
        for scenario in (1, 2, 3)
    ]
    assert len(covered) == 1200
    assert np.mean(covered) >= 0.95 - 3 * (0.95 * 0.05 / len(covered)) ** 0.5, "95 % exactly, but for three errors"


def test_compare_when_cells_differ_by_just_what_matters_then_hardly_a_run_calls_one_the_same() -> None:
    """The false claim of the other kind: 27 pairs differ by 5 %, and 5 % is what matters."""
    choice = np.random.default_rng(2)
    false = []
    for _ in range(RUNS):
        pairs = [Paired(logs=tuple(row)) for row in choice.normal(log(1.05), 0.005, (27, 5)).tolist()]
        false.append(any(comparison.verdict == "same" for comparison in compare(pairs, matters=0.05)))
    assert np.mean(false) <= 0.07, "5 % but for two standard errors of 400 runs"


def simulated_runs(rounds: int, *, slowdown: float) -> Iterator[Cells]:
    """Quick runs: three scenarios of two consumers on three layers; rounds have a pace, cells noise of 1 to 20 %."""
    choice = np.random.default_rng(SEED)
    for _ in range(RUNS):
        pace = choice.normal(0, 0.1, rounds)
        yield {
            f"{scenario} {consumer} {layer}": dict(enumerate(figures.tolist()))
            for scenario in (1, 2, 3)
            for consumer in ("sync", "async")
            for layer in "abc"
            for noise in [0.01 * 20 ** choice.random()]
            for figures in [np.exp(pace + choice.normal(0, noise, rounds)) * (slowdown if consumer == "sync" else 1)]
        }


def family(cells: Cells) -> list[Paired]:
    """Both consumers on each layer, and each two layers with one consumer: 27 comparisons."""
    names = [tuple(name.split()) for name in cells]
    pairs = [(one, other) for one, other in combinations(names, 2)
             if one[0] == other[0] and (one[1] == other[1]) != (one[2] == other[2])]  # fmt: skip
    return [paired(cells[" ".join(one)], cells[" ".join(other)]) for one, other in pairs]
