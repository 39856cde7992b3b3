"""The share of events: against Wilson's own figures, at its ends, and its coverage where trials differ."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from scipy import stats

from loadtest.stats.share import design_effect, difference_of, share_of, wilson


@pytest.mark.parametrize(("events", "of"), [(0, 10), (1, 29), (15, 148), (81, 263), (148, 148)])
def test_wilson_when_compared_with_scipys_then_it_is_the_same(events: int, of: int) -> None:
    theirs = stats.binomtest(events, of).proportion_ci(0.95, method="wilson")
    ours = wilson(events / of, of)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilson_when_compared_with_newcombes_table_then_it_is_the_same() -> None:
    interval = wilson(81 / 263, 263)  # Newcombe, Statistics in Medicine 17, 1998, table I
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.2553, 0.3662)


def test_design_effect_when_trials_differ_then_it_is_their_variance_over_the_binomial_one() -> None:
    assert design_effect(np.array([0, 10]), np.array([20, 20])) == pytest.approx(2 * (25 + 25) / (40 * 0.25 * 0.75))


def test_share_when_trials_agree_then_it_is_no_surer_than_independent_events() -> None:
    assert share_of([10, 10, 10], [50, 50, 50]).interval == wilson(30 / 150, 150)


def test_share_when_trials_differ_then_the_interval_is_wider_than_that_of_independent_events() -> None:
    share = share_of([0, 0, 30], [50, 50, 50])
    assert share.interval.estimate == 0.2
    assert share.interval.high - share.interval.low > 0.5


def test_share_when_nothing_happened_then_its_lower_limit_is_0_and_its_upper_pays_for_what_is_not_seen() -> None:
    share = share_of([0, 0, 0], [67, 67, 67])
    assert share.interval.low == share.interval.estimate == 0
    assert wilson(0, 201).high < share.interval.high < 0.09
    assert isnan(share.design_effect)


def test_share_when_all_happened_then_it_mirrors_nothing() -> None:
    none, every = (share_of([count * 67] * 3, [67] * 3).interval for count in (0, 1))
    assert every.low == pytest.approx(1 - none.high)
    assert every.high == 1.0


def test_share_when_there_is_one_trial_then_it_says_that_it_knows_no_other() -> None:
    share = share_of([5], [50])
    assert share.within_one_trial
    assert share.interval == wilson(0.1, 50)


def test_share_when_trials_had_nothing_to_count_then_they_do_not_count() -> None:
    share = share_of([5, 0], [50, 0])
    assert (share.trials, share.of, share.interval) == (1, 50, wilson(0.1, 50))
    nothing = share_of([0], [0])
    assert (nothing.interval.low, nothing.interval.high, nothing.trials) == (0.0, 1.0, 0)
    assert isnan(nothing.interval.estimate)


def test_difference_when_compared_with_newcombes_table_then_it_is_the_same() -> None:
    interval = difference_of(share_of([56], [70]), share_of([48], [80]))  # 873-890, table II, method 10
    assert [round(value, 4) for value in (interval.estimate, interval.low, interval.high)] == [0.2, 0.0524, 0.3339]


def test_difference_when_nothing_was_missed_in_both_then_it_holds_0_and_is_not_sure() -> None:
    none = share_of([0, 0, 0], [67, 67, 67])
    assert difference_of(none, none).estimate == 0
    assert difference_of(none, none).high == -difference_of(none, none).low == none.interval.high


def test_difference_when_one_had_nothing_to_count_then_it_is_not_known() -> None:
    interval = difference_of(share_of([0], [0]), share_of([1], [2]))
    assert isnan(interval.estimate) and (interval.low, interval.high) == (-1.0, 1.0)


def test_difference_when_levels_differ_then_it_is_refused() -> None:
    with pytest.raises(ValueError, match="one level"):
        difference_of(share_of([0], [1]), share_of([0], [1], level=0.99))


@pytest.mark.parametrize(("events", "of"), [([1], [1, 2]), ([3], [2]), ([-1], [2])])
def test_share_when_counts_cannot_be_then_it_is_refused(events: list[int], of: list[int]) -> None:
    with pytest.raises(ValueError, match=r"trial|between"):
        share_of(events, of)


@pytest.mark.parametrize("trials", [3, 5, 10])
@pytest.mark.parametrize("effect", [1.0, 2.2, 5.0, 10.0])
@pytest.mark.parametrize("share", [0.01, 0.2])
def test_share_when_trials_are_overdispersed_then_its_interval_holds_the_true_one(
    trials: int, effect: float, share: float
) -> None:
    """At least 94 % of many runs in these places; the bound is three standard errors of 400 runs below 95."""
    runs = simulated_counts(np.random.default_rng(9), trials=trials, effect=effect, share=share, runs=400)
    covered = [share in share_of(events.tolist(), [67] * trials).interval for events in runs]
    assert np.mean(covered) > 0.917


def simulated_counts(
    choice: np.random.Generator, *, trials: int, effect: float, share: float, runs: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Beta-binomial counts of 67 a trial, whose variance is `effect` times that of independent events."""
    size = 67
    spread = (size - 1) / (effect - 1) - 1 if effect > 1 else 1e9
    return choice.binomial(size, choice.beta(share * spread, (1 - share) * spread, (runs, trials)))
