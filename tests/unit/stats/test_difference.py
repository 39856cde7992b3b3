"""Differences with their errors: against scipy, by hand, and over many simulated pairs."""

from __future__ import annotations

from math import inf, isnan, log, log1p

import numpy as np
import pytest
from scipy import stats

from loadtest.stats.difference import UNKNOWN, Difference, mean_of, of_ratio
from loadtest.stats.paired import Paired, p_of_difference, p_of_sameness, paired, ratio_of, seeable_of

ONE = {1: 110.0, 2: 121.0, 3: 107.0, 4: 118.0}
OTHER = {1: 100.0, 2: 108.0, 3: 101.0, 4: 104.0}


def test_ratio_when_compared_with_the_paired_t_test_then_it_is_the_same() -> None:
    pair = paired(ONE, OTHER)
    found = of_ratio(pair)
    assert found.p_of_difference() == pytest.approx(p_of_difference(pair))
    assert found.p_of_sameness(log1p(0.2)) == pytest.approx(p_of_sameness(pair, matters=0.2))
    limits = ratio_of(pair)
    assert (found.interval().low, found.interval().high) == pytest.approx((log(limits.low), log(limits.high)))
    assert found.seeable(alpha=0.01) == pytest.approx(log1p(seeable_of(pair, comparisons=5)))


def test_ratio_when_there_is_one_round_then_nothing_is_known_but_its_estimate() -> None:
    found = of_ratio(Paired(logs=(0.3,)))
    assert not found.is_known and found.estimate == 0.3
    assert (found.p_of_difference(), found.p_of_sameness(0.1), found.seeable()) == (1.0, 1.0, inf)
    assert (found.interval().low, found.interval().high) == (-inf, inf)


def test_ratio_when_all_rounds_are_equal_then_it_is_sure() -> None:
    same, other = of_ratio(Paired(logs=(0.0, 0.0))), of_ratio(Paired(logs=(0.2, 0.2)))
    assert (same.p_of_difference(), same.p_of_sameness(0.1)) == (1.0, 0.0)
    assert (other.p_of_difference(), other.p_of_sameness(0.1)) == (0.0, 0.5)


def test_mean_when_parts_are_alike_then_it_has_their_mean_and_degrees_of_freedom_together() -> None:
    found = mean_of([Difference(estimate=value, error=0.3, df=3, rounds=4) for value in (0.1, 0.2, 0.6)])
    assert (found.estimate, found.error) == pytest.approx((0.3, 0.3 / 3**0.5))
    assert found.df == pytest.approx(9)
    assert found.rounds == 4


def test_mean_when_one_part_is_noisy_then_its_degrees_of_freedom_are_those_of_that_part() -> None:
    noisy, quiet = Difference(estimate=0.0, error=1.0, df=3), Difference(estimate=0.0, error=0.01, df=3)
    assert mean_of([noisy, quiet, quiet]).df == pytest.approx(3, abs=0.01)


def test_mean_when_two_parts_are_compared_with_welchs_test_then_it_is_the_same() -> None:
    one, other = [5.1, 4.7, 6.2, 5.5], [4.1, 4.4, 4.0]
    theirs = stats.ttest_ind(one, other, equal_var=False)
    parts = [Difference(estimate=float(np.mean(values)), error=float(stats.sem(values)), df=len(values) - 1)
             for values in (one, other)]  # fmt: skip
    parts[1] = Difference(estimate=-parts[1].estimate, error=parts[1].error, df=parts[1].df)
    found = mean_of(parts)
    assert (found.p_of_difference(), found.df) == pytest.approx((theirs.pvalue, theirs.df))


def test_mean_when_a_part_is_not_known_then_it_is_that_of_the_others() -> None:
    known = Difference(estimate=0.2, error=0.1, df=3, rounds=4)
    assert mean_of([known, UNKNOWN]).estimate == 0.2
    nothing = mean_of([of_ratio(Paired(logs=(0.3,))), of_ratio(Paired(logs=(0.3,)))])
    assert isnan(nothing.estimate) and nothing.rounds == 1


def test_difference_when_events_are_independent_at_least_then_agreeing_trials_know_no_more() -> None:
    sure = Difference(estimate=0.1, error=0.001, df=6, least=0.05, around=0.2)
    assert sure.p_of_difference() == pytest.approx(2 * stats.norm.sf(2))
    assert sure.interval().high == pytest.approx(0.1 + 1.96 * 0.05, abs=1e-4)


def test_seeable_share_when_nothing_was_missed_then_it_grows_with_the_share_that_would_have_been() -> None:
    """0 of 200 twice: (2.45 + 0.91) errors of t with 6 degrees, in arcsin(sqrt(p)), where an error is 0.05."""
    found = Difference(estimate=0.0, error=0.005, df=2, least=0.005, rounds=4, around=1 / 402)
    assert found.seeable() == pytest.approx(
        np.sin(0.05 + (2.447 + 0.906) * 0.005 / (2 * 0.0499)) ** 2 - 1 / 402, rel=0.01
    )
