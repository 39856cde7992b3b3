"""Quantiles of times with those that never came."""

from __future__ import annotations

from math import exp, inf

import numpy as np
import pytest
from scipy import stats

from loadtest.stats.survival import Quantile, Times, joined, kaplan_meier, quantiles_of

FREIREICH = Times(happened=[6, 6, 6, 7, 10, 13, 16, 22, 23], until=[6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35])
"""Weeks of remission with 6-MP (Freireich and others, Blood 21, 1963); the example of most textbooks."""


def quantile(trials: list[Times], share: float) -> Quantile:
    return quantiles_of(trials, [share])[0]


def test_kaplan_meier_when_given_freireichs_remissions_then_it_gives_the_textbooks_curve() -> None:
    times = np.array([6.0, 6, 6, 6, 7, 9, 10, 10, 11, 13])
    happened = np.array([1, 1, 1, 0, 1, 0, 1, 0, 0, 1], dtype=bool)
    curve = kaplan_meier(np.append(times, np.full(11, 30.0)), np.append(happened, np.zeros(11, dtype=bool)))
    assert [round(float(curve[place]), 4) for place in (2, 4, 6, 9)] == [0.8571, 0.8067, 0.7529, 0.6902]


def test_quantiles_when_given_freireichs_remissions_then_the_median_is_the_textbooks() -> None:
    median = quantile([FREIREICH], 0.5)
    assert (median.interval.estimate, median.watched, median.events, median.of) == (23, 35, 9, 21)
    assert median.interval.low == 13, (
        "the curve is at 0.69 there, with Greenwood's error of 0.107: not surely above a half"
    )


def test_quantiles_when_compared_with_scipys_curve_then_they_lie_where_it_falls_below() -> None:
    choice = np.random.default_rng(1)
    times, waited = choice.exponential(1, 300).round(2), choice.exponential(3, 300).round(2)
    came = times <= waited
    theirs = stats.ecdf(stats.CensoredData(uncensored=times[came], right=waited[~came])).sf
    for found in quantiles_of([Times(happened=times[came], until=waited[~came])], [0.1, 0.5, 0.8]):
        below = theirs.quantiles[theirs.probabilities <= 1 - found.share + 1e-12]
        assert found.interval.estimate == below[0]


def test_quantiles_when_everything_happened_then_they_are_those_of_the_sample() -> None:
    times = list(range(1, 1001))
    estimates = [found.interval.estimate for found in quantiles_of([Times(happened=times)], [0.5, 0.99])]
    assert estimates == [500, 990]


def test_quantiles_when_more_is_missed_than_they_leave_then_they_are_more_than_was_watched() -> None:
    trials = [Times(happened=[0.01] * 95, until=[20.0] * 5)] * 3
    half, p99 = quantiles_of(trials, [0.5, 0.99])
    assert (half.interval.estimate, half.is_beyond) == (0.01, False)
    assert (p99.interval.estimate, p99.is_beyond, p99.watched) == (inf, True, 20.0)


def test_quantiles_when_messages_never_came_then_they_count_as_infinitely_late() -> None:
    p99 = quantile([Times(happened=[1.7] * 28, until=[inf] * 72)], 0.99)
    assert p99.is_beyond and p99.watched == 1.7


def test_quantiles_when_there_are_too_few_times_then_the_upper_limit_of_p99_is_not_known() -> None:
    p99 = quantile([Times(happened=range(1, 13))] * 3, 0.99)
    assert p99.interval.estimate == 12 and p99.interval.high == inf


def test_quantiles_when_trials_differ_then_the_interval_is_wider() -> None:
    choice = np.random.default_rng(3)
    alike = [Times(happened=choice.exponential(1, 200)) for _ in range(3)]
    apart = [Times(happened=np.asarray(trial.happened) * pace) for trial, pace in zip(alike, (0.5, 1, 2), strict=True)]
    narrow, wide = quantile(alike, 0.5).interval, quantile(apart, 0.5).interval
    assert wide.low < narrow.low < narrow.high < wide.high


def test_quantiles_when_there_is_one_trial_then_they_say_that_they_know_no_other() -> None:
    assert quantile([FREIREICH], 0.5).within_one_trial
    assert not quantile([FREIREICH, FREIREICH], 0.5).within_one_trial


def test_quantiles_when_there_is_nothing_then_nothing_is_known() -> None:
    nothing = quantile([], 0.5)
    assert (nothing.interval.low, nothing.interval.high, nothing.watched, nothing.of) == (0.0, inf, -inf, 0)


@pytest.mark.parametrize(("time", "share"), [(-1.0, 0.5), (float("nan"), 0.5), (1.0, 1.0)])
def test_quantiles_when_times_or_shares_cannot_be_then_they_are_refused(time: float, share: float) -> None:
    with pytest.raises(ValueError, match="must"):
        quantile([Times(happened=[time])], share)


@pytest.mark.parametrize("trials", [3, 5, 10])
@pytest.mark.parametrize("differ", [0.0, 0.2])
def test_quantiles_when_one_in_twenty_is_missed_then_their_intervals_hold_the_true_ones(
    trials: int, differ: float
) -> None:
    """At least 95 % of many runs in each place; the bound leaves three standard errors of 300 runs."""
    choice = np.random.default_rng(6)
    spread = (0.5**2 + differ**2) ** 0.5
    true = [exp(spread * float(stats.norm.ppf(share / 0.95))) for share in (0.5, 0.9)]
    covered = [
        [value in found.interval for value, found in zip(true, quantiles_of(run, [0.5, 0.9]), strict=True)]
        for run in ([simulated_trial(choice, differ) for _ in range(trials)] for _ in range(300))
    ]
    assert np.mean(covered, axis=0).min() > 0.91


def simulated_trial(choice: np.random.Generator, differ: float) -> Times:
    """67 drops: lognormal times with a factor of their trial; one in twenty is missed until 10 to 12."""
    times = np.exp(choice.normal(0, differ) + choice.normal(0, 0.5, 67))
    missed = choice.random(67) < 0.05
    return Times(happened=times[~missed], until=choice.uniform(10, 12, int(missed.sum())))


def test_quantiles_when_times_are_few_then_they_say_how_many_they_need() -> None:
    half, p90, p99 = quantiles_of([Times(happened=range(1, 41))] * 3, [0.5, 0.9, 0.99])
    assert (half.needs, p90.needs, p99.needs) == (4, 35, 381)
    assert (half.is_known, p90.is_known, p99.is_known) == (True, True, False)


def test_times_of_parts_of_a_trial_when_joined_then_they_stand_together() -> None:
    whole = joined([Times(happened=[1.0, 2.0], until=[9.0]), Times(happened=[3.0])])
    assert (list(whole.happened), list(whole.until)) == ([1, 2, 3], [9])
    assert joined([FREIREICH]) is FREIREICH
