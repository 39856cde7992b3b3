"""When shares are called the same: against a known test, and how often shares that differ are."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy import stats

from loadtest.stats.share_difference import TrialCounts, mean_of_shares
from loadtest.stats.share_sameness import Side, Stratum, p_of_same
from loadtest.stats.unpaired import ShareDifference

RUNS = 600
SIZE = 200
MATTERS = 0.05
Drawn = tuple[list[int], list[int]]


def side(events: int, of: int, effect: float = 1.0, df: int = 1000) -> Side:
    return Side(events=events, of=of, effect=effect, df=df)


def test_same_when_trials_agree_then_it_is_the_score_test_of_a_difference_that_matters() -> None:
    found = p_of_same([Stratum(one=side(30, 300), other=side(27, 300))], 0.05)
    high, low = 0.12, 0.07  # 57 of 600 in all, and 5 points apart
    error = (high * (1 - high) / 300 + low * (1 - low) / 300) ** 0.5
    assert found == pytest.approx(stats.t.sf((0.05 - 0.01) / error, 2000), rel=0.01)


def test_same_when_turned_round_or_counted_by_what_did_not_happen_then_it_is_the_same() -> None:
    one, other = side(30, 300, 2.0, 4), side(41, 280, 1.5, 4)
    found = p_of_same([Stratum(one=one, other=other)], 0.05)
    assert p_of_same([Stratum(one=other, other=one)], 0.05) == found
    mirrored = [side(it.of - it.events, it.of, it.effect, it.df) for it in (one, other)]
    assert p_of_same([Stratum(one=mirrored[0], other=mirrored[1])], 0.05) == pytest.approx(found)


def test_same_when_one_side_missed_none_then_the_clusters_of_the_other_count_for_both() -> None:
    none = side(0, 1000, float("nan"), 2)
    alone = p_of_same([Stratum(one=side(25, 1000, 8.0, 4), other=none)], 0.05)
    assert alone > p_of_same([Stratum(one=side(25, 1000, 5.0, 4), other=none)], 0.05) > 0.05 / 30


def test_same_when_nothing_happened_then_it_takes_as_many_as_clusters_would_hide() -> None:
    def nothing(of: int) -> float:
        return p_of_same([Stratum(one=side(0, of, float("nan"), 2), other=side(0, of, float("nan"), 2))], 0.05)

    assert nothing(201) > 0.05 > nothing(600), "59 independent ones would do"
    assert nothing(1000) < 0.05 / 30


@pytest.mark.parametrize("trials", [3, 5, 10])
@pytest.mark.parametrize("effects", [(1, 1), (5, 5), (5, 1), (1, 5)])
@pytest.mark.parametrize("lower", [0.0, 0.002, 0.05])
def test_compare_when_shares_differ_by_what_matters_then_they_are_seldom_the_same(
    trials: int, effects: tuple[float, float], lower: float
) -> None:
    found = [compared(pair).p_of_sameness() for pair in drawn(trials, effects, (lower + MATTERS, lower))]
    assert np.mean(np.array(found) < 0.05) <= most_of(0.05)
    assert np.mean(np.array(found) < 0.05 / 30) <= most_of(0.05 / 30)


@pytest.mark.parametrize("trials", [3, 5])
@pytest.mark.parametrize("effect", [1, 5])
def test_compare_when_one_side_can_miss_none_then_a_difference_is_seldom_seen_between_equals(
    trials: int, effect: float
) -> None:
    for share in (0.0, 0.002, 0.02):
        found = [compared(pair).p_of_difference() for pair in drawn(trials, (effect, effect), (share, share))]
        assert np.mean(np.array(found) < 0.05) <= most_of(0.05)


@pytest.mark.parametrize("effects", [(1, 1), (5, 1)])
def test_layers_when_shares_differ_by_what_matters_on_each_then_they_are_seldom_the_same(
    effects: tuple[float, float],
) -> None:
    layers = drawn(3 * 4, effects, (MATTERS, 0.0))
    found = []
    for one, other in layers:
        places = [(counts(one[place : place + 4]), counts(other[place : place + 4])) for place in (0, 4, 8)]
        found.append(mean_of_shares(places).p_of_sameness(MATTERS))
    assert np.mean(np.array(found) < 0.05) <= most_of(0.05)


@pytest.mark.parametrize(("trials", "share"), [(3, 0.02), (5, 0.0), (5, 0.02), (5, 0.1)])
def test_compare_when_shares_are_equal_and_do_not_cluster_then_most_are_found_the_same(
    trials: int, share: float
) -> None:
    found = [compared(pair).p_of_sameness() for pair in drawn(trials, (1, 1), (share, share))]
    assert np.mean(np.array(found) < 0.05) >= 2 / 3


def compared(pair: Drawn) -> ShareDifference:
    one, other = (tuple((events, SIZE) for events in side) for side in pair)
    return ShareDifference(one=one, other=other, matters=MATTERS)


def counts(events: list[int]) -> TrialCounts:
    return TrialCounts(events=events, of=[SIZE] * len(events))


def most_of(chance: float) -> float:
    """That chance, but for three standard errors of RUNS."""
    return chance + 3 * sqrt(chance * (1 - chance) / RUNS)


def drawn(trials: int, effects: tuple[float, float], shares: tuple[float, float]) -> list[Drawn]:
    """Beta-binomial counts of both sides, of each run."""
    choice = np.random.default_rng(6)
    one, other = (_counts(choice, trials, *of) for of in zip(effects, shares, strict=True))
    return list(zip(one.tolist(), other.tolist(), strict=True))


def _counts(
    choice: np.random.Generator, trials: int, effect: float, share: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    shape = (RUNS, trials)
    if share == 0 or effect == 1:
        return choice.binomial(SIZE, share, shape)
    spread = (SIZE - 1) / (effect - 1) - 1
    return choice.binomial(SIZE, choice.beta(share * spread, (1 - share) * spread, shape))
