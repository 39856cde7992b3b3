"""By how much shares differ: against known tests, and how often equals are said to differ."""

from __future__ import annotations

from math import inf, isnan

import numpy as np
import pytest
from scipy import stats

from loadtest.stats.share_difference import TrialCounts, mean_of_shares, of_shares

RUNS = 1000


def counts(*events: int, of: int = 50) -> TrialCounts:
    return TrialCounts(events=events, of=[of] * len(events))


def test_shares_when_trials_agree_then_it_is_the_two_sample_score_test() -> None:
    found = of_shares(counts(10, 10, 10, 10), counts(5, 5, 5, 5))
    pooled = 61 / 402  # with one more of each kind, so that it is never 0
    z = (0.2 - 0.1) / (pooled * (1 - pooled) * 2 / 200) ** 0.5
    assert found.p_of_difference() == pytest.approx(2 * stats.norm.sf(z))


def test_shares_when_trials_differ_then_their_dispersion_is_in_the_error() -> None:
    found = of_shares(counts(2, 18), counts(10, 10))
    expected = ((2 - 10) ** 2 + (18 - 10) ** 2) / (50 * 0.2 * 0.8) / 2  # Pearson's chi square over 1 + 1 degrees
    assert found.error == pytest.approx(found.least * expected**0.5)
    assert found.df == 2


def test_shares_when_one_cell_missed_none_and_the_other_many_then_it_is_decided() -> None:
    assert of_shares(counts(0, 0, 0, 0, of=108), counts(9, 11, 10, 11, of=108)).p_of_difference() < 0.05 / 9


def test_shares_when_all_or_none_happened_then_how_trials_differ_is_not_seen() -> None:
    none = of_shares(counts(0, 0, 0), counts(0, 0, 0))
    assert (none.estimate, none.df) == (0.0, 2)
    assert none.p_of_sameness(0.02) > 0.05
    assert of_shares(counts(0, 0, 0), counts(50, 50, 50)).p_of_difference() < 0.01


def test_shares_when_there_is_one_trial_or_none_then_nothing_is_decided() -> None:
    assert of_shares(counts(5), counts(25)).error == inf
    assert isnan(of_shares(counts(), counts(25)).estimate)
    assert of_shares(counts(5), counts(25)).p_of_difference() == 1.0


def test_mean_of_shares_when_layers_differ_in_their_level_then_the_difference_within_them_counts() -> None:
    layers = [(counts(10, 11, 9), counts(5, 4, 6)), (counts(40, 42, 41), counts(36, 35, 37))]
    found = mean_of_shares(layers)
    assert found.estimate == pytest.approx(0.1, abs=0.01)
    assert found.df > of_shares(*layers[0]).df


@pytest.mark.parametrize("effect", [1.0, 2.2, 5.0])
@pytest.mark.parametrize("share", [0.03, 0.3])
def test_shares_when_they_are_equal_then_a_difference_is_seldom_seen(effect: float, share: float) -> None:
    chance = np.random.default_rng(9)
    p_values = [of_shares(*pair).p_of_difference() for pair in simulated_pairs(chance, effect, share)]
    assert np.mean(np.array(p_values) < 0.05) <= 0.05 + 2 * (0.05 * 0.95 / RUNS) ** 0.5
    assert np.mean(np.array(p_values) < 0.01) <= 0.01 + 3 * (0.01 * 0.99 / RUNS) ** 0.5


@pytest.mark.parametrize("effect", [1.0, 2.2])
def test_shares_when_they_differ_by_what_matters_then_they_are_seldom_the_same(effect: float) -> None:
    chance = np.random.default_rng(9)
    pairs = simulated_pairs(chance, effect, 0.01, 0.03)
    same = [of_shares(*pair).p_of_sameness(0.02) < 0.05 for pair in pairs]
    assert np.mean(same) <= 0.05 + 2 * (0.05 * 0.95 / RUNS) ** 0.5


def simulated_pairs(
    chance: np.random.Generator, effect: float, one: float, other: float | None = None
) -> list[tuple[TrialCounts, TrialCounts]]:
    """Beta-binomial counts of 4 trials of 50."""
    both = [_beta_binomial(chance, share, effect) for share in (one, one if other is None else other)]
    return [
        (counts(*first), counts(*second)) for first, second in zip(*(events.tolist() for events in both), strict=True)
    ]


def _beta_binomial(chance: np.random.Generator, share: float, effect: float) -> np.ndarray[tuple[int, ...], np.dtype]:
    spread = 49 / (effect - 1) - 1 if effect > 1 else 1e9
    return chance.binomial(50, chance.beta(share * spread, (1 - share) * spread, (RUNS, 4)))
