"""Two runs compared: exactness, verdicts, and how often they are wrong over many pairs of runs."""

from __future__ import annotations

from math import inf, isnan, log

import numpy as np
import pytest
from scipy import stats

from loadtest.stats.unpaired import Contrast, Ratio, ShareDifference, judge

ONE = (110.0, 121.0, 107.0, 118.0)
OTHER = (100.0, 104.0, 101.0)
MISSED = ((30, 200), (34, 200), (25, 200))
FEW = ((3, 200), (5, 200), (4, 200))

PAIRS = 400
COMPARISONS = 30


def ratio(one: tuple[float, ...], other: tuple[float, ...], matters: float = 0.05) -> Ratio:
    return Ratio(one=one, other=other, matters=matters)


def shares(
    one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...], matters: float = 0.05
) -> ShareDifference:
    return ShareDifference(one=one, other=other, matters=matters)


def test_ratio_when_compared_with_scipys_welch_test_then_it_is_the_same() -> None:
    theirs = stats.ttest_ind(list(map(log, ONE)), list(map(log, OTHER)), equal_var=False)
    ours = ratio(ONE, OTHER)
    assert ours.p_of_difference() == pytest.approx(theirs.pvalue)
    limits, interval = theirs.confidence_interval(0.95), ours.interval()
    assert (log(interval.low), log(interval.high)) == pytest.approx((limits.low, limits.high))


def test_ratio_when_turned_round_then_it_says_the_opposite() -> None:
    there, back = judge([ratio(ONE, OTHER), ratio(OTHER, ONE)])
    assert (there.verdict, back.verdict) == ("higher", "lower")
    assert there.difference.estimate == pytest.approx(1 / back.difference.estimate)
    assert there.seeable == pytest.approx(back.seeable)


def test_ratio_when_all_trials_are_equal_to_the_last_digit_then_they_are_the_same() -> None:
    (judged,) = judge([ratio((5.0, 5.0), (5.0, 5.0, 5.0))])
    assert (judged.verdict, judged.seeable) == ("same", 0.0)


@pytest.mark.parametrize("one", [(), (3.0,)])
def test_judge_when_a_run_has_less_than_two_trials_then_nothing_is_decided(one: tuple[float, ...]) -> None:
    (judged,) = judge([ratio(one, (2.0, 2.0))])
    assert (judged.verdict, judged.seeable) == ("not decided", inf)
    assert judged.difference.estimate == pytest.approx(1.5) if one else isnan(judged.difference.estimate)
    assert (judged.difference.low, judged.difference.high) == (0.0, inf)


def test_ratio_when_what_never_came_makes_a_figure_infinite_then_the_ranks_decide() -> None:
    (judged,) = judge([ratio((inf,) * 5, (80.0, 85.0, 91.0, 79.0, 88.0))])
    assert judged.p == pytest.approx(2 / 252), "two of the 252 ways to divide ten trials"
    assert (judged.verdict, judged.difference.estimate) == ("higher", inf)
    assert (judged.difference.low, judged.difference.high) == (0.0, inf)


def test_ratio_when_one_trial_is_all_there_is_and_nothing_came_then_nothing_is_decided() -> None:
    (judged,) = judge([ratio((inf,), (80.0, 85.0))])
    assert (judged.verdict, judged.difference.estimate) == ("not decided", inf)


def test_ratio_when_nothing_came_in_either_run_then_nothing_is_decided() -> None:
    (judged,) = judge([ratio((inf, inf, inf), (inf, inf, inf))])
    assert (judged.verdict, judged.difference.estimate) == ("not decided", 1.0)


def test_share_when_one_run_has_many_more_then_it_is_higher() -> None:
    there, back = judge([shares(MISSED, FEW), shares(FEW, MISSED)])
    assert (there.verdict, back.verdict) == ("higher", "lower")
    assert there.difference.estimate == pytest.approx(89 / 600 - 12 / 600)
    assert there.difference.low > 0


def test_share_when_nothing_happened_in_either_run_then_they_are_the_same() -> None:
    nothing = ((0, 1000), (0, 1000), (0, 1000))
    (judged,) = judge([shares(nothing, nothing)])
    assert (judged.verdict, judged.p) == ("same", 1.0)


@pytest.mark.parametrize("one", [(), ((3, 100),), ((3, 100), (0, 0))])
def test_share_when_a_run_has_less_than_two_trials_then_nothing_is_decided(one: tuple[tuple[int, int], ...]) -> None:
    (judged,) = judge([shares(one, MISSED)])
    assert (judged.verdict, judged.p, judged.p_same, judged.seeable) == ("not decided", 1.0, 1.0, inf)


def test_judge_when_there_are_many_then_what_one_alone_would_show_is_not_decided() -> None:
    close = ratio((1.0, 1.02, 1.04), (1.1, 1.12, 1.15))
    dull = ratio((1.0, 1.5, 2.0), (1.0, 1.5, 2.0))
    assert judge([close])[0].verdict == "lower"
    assert judge([close] + [dull] * 29)[0].verdict == "not decided"


def test_seeable_when_that_difference_is_planted_then_it_is_seen_in_four_of_five_runs() -> None:
    choice = np.random.default_rng(4)

    def drawn(true: float) -> Ratio:
        rows = np.exp(choice.normal((log(true), 0), 0.03, (5, 2))).T.tolist()
        return ratio(tuple(rows[0]), tuple(rows[1]))

    planted = 1 + float(np.median([drawn(1.0).seeable() for _ in range(500)]))
    seen = np.mean([drawn(planted).p_of_difference() < 0.05 for _ in range(500)])
    assert 0.7 < seen < 0.9


@pytest.mark.parametrize("trials", [3, 5])
@pytest.mark.parametrize("of", ["ratios", "shares"])
def test_judge_when_two_runs_are_equal_then_at_most_one_pair_in_twenty_has_a_false_verdict(
    of: str, trials: int
) -> None:
    choice = np.random.default_rng(7)
    draw = drawn_ratio if of == "ratios" else drawn_share
    families = [[draw(choice, trials) for _ in range(COMPARISONS)] for _ in range(PAIRS)]
    false = [any(judged.verdict in ("higher", "lower") for judged in judge(family)) for family in families]
    assert np.mean(false) <= 0.05


@pytest.mark.parametrize("trials", [3, 5])
def test_ratio_when_a_slowdown_of_a_tenth_is_planted_then_its_interval_holds_it(trials: int) -> None:
    choice = np.random.default_rng(8)
    covered = [1.1 in drawn_ratio(choice, trials, true=1.1).interval() for _ in range(1200)]
    assert np.mean(covered) >= 0.95 - 3 * (0.95 * 0.05 / len(covered)) ** 0.5, "95 %, but for three errors"


def test_judge_when_runs_differ_by_just_what_matters_then_hardly_a_pair_calls_one_the_same() -> None:
    choice = np.random.default_rng(2)
    families = [[drawn_ratio(choice, 5, true=1.05, noise=0.005) for _ in range(COMPARISONS)] for _ in range(PAIRS)]
    false = [any(judged.verdict == "same" for judged in judge(family)) for family in families]
    assert np.mean(false) <= 0.07, "5 % but for two standard errors of 400 pairs"


def drawn_ratio(choice: np.random.Generator, trials: int, *, true: float = 1.0, noise: float = 0.0) -> Contrast:
    """Lognormal trials of two runs that have the same noise: 1 to 20 % where it is not given."""
    spread = noise or 0.01 * 20 ** choice.random()
    one, other = np.exp(choice.normal(0, spread, (2, trials)))
    return ratio(tuple((one * true).tolist()), tuple(other.tolist()))


def drawn_share(choice: np.random.Generator, trials: int) -> Contrast:
    """Beta-binomial trials of 67: shares of 1 to 50 %, a variance of 1 to 5 times binomial."""
    share, deff, size = choice.choice([0.01, 0.05, 0.2, 0.5]), choice.choice([1.001, 2.2, 5]), 67
    spread = (size - 1) / (deff - 1) - 1
    drawn = choice.binomial(size, choice.beta(share * spread, (1 - share) * spread, (2, trials))).tolist()
    one, other = (tuple((events, size) for events in run) for run in drawn)
    return shares(one, other)
