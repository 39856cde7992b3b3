"""The typical value of a few trials."""

from __future__ import annotations

from math import exp, inf, isnan, log

import numpy as np
import pytest
from scipy import stats

from loadtest.stats.location import location_of, mean_of


def test_mean_when_compared_with_scipys_t_interval_then_it_is_the_same() -> None:
    values = [5.1, 4.7, 6.2, 5.5]
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    ours = mean_of(values)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_location_when_values_are_above_0_then_it_is_that_of_their_logs() -> None:
    interval, logs = location_of([1.0, 10.0, 100.0]), mean_of([0.0, log(10), log(100)])
    assert interval.estimate == pytest.approx(10)
    assert (interval.low, interval.high) == pytest.approx((exp(logs.low), exp(logs.high)))


def test_location_when_a_value_is_0_then_it_is_that_of_the_values() -> None:
    assert location_of([0.0, 1.0, 2.0]) == mean_of([0.0, 1.0, 2.0])


def test_location_when_all_are_equal_then_it_has_no_width() -> None:
    interval = location_of([7.0, 7.0, 7.0])
    assert interval.low == pytest.approx(7) and interval.high == pytest.approx(7)


def test_location_when_there_is_one_trial_then_its_interval_has_no_end() -> None:
    assert (location_of([7.0]).estimate, location_of([7.0]).low, location_of([7.0]).high) == (7.0, 0.0, inf)


def test_location_when_a_trial_is_infinite_then_its_median_stands_and_its_interval_has_no_end() -> None:
    assert location_of([1.0, 2.0, inf]).estimate == 2.0
    assert location_of([1.0, inf, inf]).estimate == inf
    assert location_of([1.0, 2.0, inf]).high == inf


def test_location_when_there_is_no_trial_then_it_is_not_a_number() -> None:
    assert isnan(location_of([]).estimate)


@pytest.mark.parametrize("trials", [3, 5, 10])
@pytest.mark.parametrize("noise", [0.01, 0.05, 0.2])
def test_location_when_noise_is_lognormal_then_its_interval_holds_the_median(trials: int, noise: float) -> None:
    samples = 250 * np.exp(np.random.default_rng(1).normal(0, noise, (1000, trials)))
    covered = np.mean([250.0 in location_of(values) for values in samples.tolist()])
    assert 0.93 < covered < 0.97, "95 % but for three standard errors of 1,000 runs"
