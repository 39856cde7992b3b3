"""Limits that tell nothing: of few rounds that differ, and not of few rounds that agree."""

from __future__ import annotations

from math import exp, inf, log, sqrt
from statistics import stdev

import numpy as np
import pytest

from loadtest.stats.difference import Difference
from loadtest.stats.interval import Interval, t_of
from loadtest.stats.location import location_of
from loadtest.stats.paired import Paired, ratio_of
from loadtest.stats.share import difference_of, share_of
from loadtest.stats.survival import Times, quantiles_of
from loadtest.stats.unpaired import Ratio
from loadtest.stats.vague import MOST_OFF, as_amount, as_points, as_share


def interval(low: float, high: float, estimate: float = 100.0) -> Interval:
    return Interval(estimate=estimate, low=low, high=high)


@pytest.mark.parametrize(
    ("low", "high", "is_vague"),
    [(10, 1000, True), (10.1, 1000, False), (10, 999, False), (0.0033, 5_083_129, True), (-5, 1500, True)],
)
def test_amount_when_it_may_be_ten_times_less_and_ten_times_more_then_it_is_vague(
    low: float, high: float, is_vague: bool
) -> None:
    assert as_amount(interval(low, high)).is_vague is is_vague


@pytest.mark.parametrize("rounds", [2, 3, 4, 5])
def test_typical_value_when_rounds_spread_further_then_its_limits_tell_nothing_from_the_spread_that_is_documented(
    rounds: int,
) -> None:
    shape = [-1.0, 1.0, *[0.0] * (rounds - 2)]
    bound = log(MOST_OFF) * sqrt(rounds) / t_of(0.95, rounds - 1) / stdev(shape)
    below, above = (location_of([100 * exp(factor * bound * step) for step in shape]) for factor in (0.99, 1.01))
    assert (below.has_limits, above.has_limits) == (True, False)
    assert above.of == rounds


def test_typical_value_when_two_rounds_agree_then_their_limits_tell_something() -> None:
    found = location_of([129.0, 150.0])
    assert found.has_limits
    assert 129.0 in found and 150.0 in found


def test_typical_value_when_two_rounds_differ_then_it_stands_and_its_limits_are_as_computed() -> None:
    found = location_of([50.0, 330.0])
    assert not found.has_limits
    assert found.estimate == pytest.approx(sqrt(50 * 330))
    assert (round(found.low, 4), round(found.high, -6)) == (0.0008, 21_000_000)


@pytest.mark.parametrize("values", [[7.0], [1.0, 2.0, inf]])
def test_typical_value_when_there_is_no_spread_to_be_seen_then_it_has_no_limits(values: list[float]) -> None:
    found = location_of(values)
    assert not found.has_limits
    assert found.of == len(values)


@pytest.mark.parametrize("values", [[0.0, 0.0], [7.0, 7.0]])
def test_typical_value_when_rounds_are_equal_then_it_has_limits(values: list[float]) -> None:
    assert location_of(values).has_limits


def test_typical_value_when_one_of_two_rounds_was_0_then_its_limits_tell_nothing() -> None:
    assert not location_of([0.0, 100.0]).has_limits
    assert location_of([0.0, 100.0, 100.0, 100.0]).has_limits


def test_typical_value_when_it_is_no_float_any_more_then_it_is_infinite() -> None:
    found = location_of([1e-300, 1e300])
    assert (found.low, found.high) == (0.0, inf)


def test_ratio_when_it_tells_which_is_larger_then_it_tells_something() -> None:
    assert not ratio_of(Paired(logs=(0.0, 1.0))).has_limits
    far = ratio_of(Paired(logs=(3.0, 5.0, 7.0)))
    assert far.low > 1 and far.high > MOST_OFF * far.estimate
    assert far.has_limits


def test_ratio_of_two_runs_when_trials_are_few_and_differ_then_its_limits_tell_nothing() -> None:
    found = Ratio(one=(50.0, 330.0), other=(60.0, 200.0), matters=0.05).interval()
    assert (found.has_limits, found.of) == (False, 2)
    assert Ratio(one=(50.0, 51.0), other=(60.0, 62.0), matters=0.05).interval().has_limits


def test_difference_when_it_has_rounds_then_its_interval_says_how_many() -> None:
    assert Difference(estimate=0.1, error=0.1, df=2, rounds=3).interval().of == 3


@pytest.mark.parametrize(("low", "high", "is_vague"), [(0, 0.95, True), (0.03, 0.97, False), (0, 0.79, False)])
def test_share_when_nearly_all_shares_are_left_then_it_is_vague(low: float, high: float, is_vague: bool) -> None:
    assert as_share(interval(low, high, 0.5)).is_vague is is_vague


def test_share_when_one_of_two_rounds_missed_all_then_its_limits_tell_nothing() -> None:
    found = share_of([0, 80], [80, 80]).interval
    assert (found.estimate, found.has_limits, found.of) == (0.5, False, 2)
    assert found.low < 0.01 and found.high > 0.99


def test_share_when_rounds_agree_or_there_is_one_drop_then_its_limits_tell_something() -> None:
    assert share_of([10, 12], [80, 80]).interval.has_limits
    assert share_of([0], [1]).interval.has_limits


def test_points_when_both_shares_are_anything_then_their_difference_is_too() -> None:
    anything = share_of([0, 80], [80, 80])
    assert not difference_of(anything, anything).has_limits
    assert not difference_of(anything, share_of([1, 1], [80, 80])).has_limits
    assert difference_of(share_of([40, 30], [80, 80]), share_of([1, 1], [80, 80])).has_limits


@pytest.mark.parametrize(("low", "high", "is_vague"), [(-0.78, 0.78, True), (-2, 3, True), (-0.77, 0.9, False)])
def test_points_when_who_has_measured_nothing_knows_as_much_then_they_are_vague(
    low: float, high: float, is_vague: bool
) -> None:
    assert as_points(interval(low, high, 0.0)).is_vague is is_vague


def test_points_when_two_shares_can_be_anything_then_19_of_20_differences_lie_within_the_bound() -> None:
    shares = np.random.default_rng(1).uniform(size=(2, 100_000))
    within = np.abs(shares[0] - shares[1]) <= 1 - sqrt(0.05)
    assert within.mean() == pytest.approx(0.95, abs=0.003)


def test_quantile_when_two_rounds_differ_then_it_has_no_limit_on_either_side() -> None:
    slow, fast = Times(happened=[1000.0] * 40), Times(happened=[1.0] * 41)
    (median,) = quantiles_of([slow, fast], [0.5])
    assert (median.interval.low, median.interval.high, median.interval.has_limits) == (0.0, inf, False)


def test_quantile_when_one_limit_alone_is_not_known_then_the_other_tells_something() -> None:
    trials = [Times(happened=[20.0 + n for n in range(52)], until=[5200.0] * 48)] * 3
    (median,) = quantiles_of(trials, [0.5])
    assert median.interval.low > 0 and median.interval.high == inf
    assert not median.interval.is_vague
