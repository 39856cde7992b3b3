"""A search for the highest value that keeps a condition, on invented servers whose capacity is known."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import exp, log
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.stats.interval import Interval
from loadtest.stats.location import location_of
from loadtest.stats.search import DISTURBED_TRIES, MOST_TRIALS, RIG_TRIES, Ended, Outcome, Range, Tried, next_value

RUNS = 400
TRUTH = 7.3


def searched(outcome: Callable[[float], Outcome], limits: Range) -> tuple[Ended, list[Tried]]:
    tried: list[Tried] = []
    while not isinstance(value := next_value(tried, limits), Ended):
        tried.append(Tried(value=value, outcome=outcome(value)))
    return value, tried


def below(limit: float) -> Callable[[float], Outcome]:
    return lambda value: "kept" if value < limit else "broken"


def noisy_search(chance: random.Random, scatter: float) -> Ended:
    """A trial keeps the level where its value is below a capacity that is another one in each trial."""
    limits = Range(first=TRUTH / 16 * 2 ** chance.random(), resolution=0.05)
    ended, _ = searched(lambda value: below(TRUTH * exp(chance.gauss(0, scatter)))(value), limits)
    return ended


def test_search_when_nothing_is_left_to_chance_then_the_answer_holds_the_truth_and_is_fine_enough() -> None:
    ended, tried = searched(below(TRUTH), Range(first=0.5, resolution=0.05))
    assert ended.kind == "found" and ended.kept and ended.broken and ended.middle
    assert ended.kept < TRUTH <= ended.broken <= ended.kept * 1.05
    assert [one.value for one in tried[:5]] == [0.5, 1, 2, 4, 8], "up by factors, then halved"
    assert sum(one.value == ended.kept for one in tried) == sum(one.value == ended.broken for one in tried) == 2


@given(st.floats(0.02, 2000), st.floats(0.1, 10), st.floats(0.01, 0.5))
def test_search_when_it_starts_anywhere_then_it_finds_the_truth(truth: float, first: float, resolution: float) -> None:
    limits = Range(first=first, resolution=resolution)
    ended, tried = searched(below(truth), limits)
    assert len(tried) < MOST_TRIALS
    if truth <= limits.rounded(limits.lowest):
        assert ended.kind == "below" and ended.broken == limits.rounded(limits.lowest)
    else:
        assert ended.kind == "found" and ended.kept and ended.broken
        assert ended.kept < truth <= ended.broken <= ended.kept * (1 + resolution)


@given(st.integers(1, 3000), st.integers(1, 200))
def test_search_when_values_are_whole_then_the_two_ends_are_neighbours_at_most(truth: int, first: int) -> None:
    ended, tried = searched(below(truth + 0.5), Range(first=first, resolution=0.0001, whole=True))
    assert all(one.value == round(one.value) for one in tried)
    if ended.kind == "found":
        assert (ended.kept, ended.broken) == (truth, truth + 1)
    else:
        assert ended.kind == "below"


@pytest.mark.parametrize("scatter", [0.0, 0.02, 0.05, 0.1])
def test_search_when_trials_scatter_then_the_truth_is_found_on_average_and_held_by_95_of_100_intervals(
    scatter: float,
) -> None:
    chance = random.Random(9)
    middles = [[noisy_search(chance, scatter).middle or 0.0 for _ in range(3)] for _ in range(RUNS)]
    assert abs(fmean(log(middle / TRUTH) for run in middles for middle in run)) < 0.01
    held = sum(TRUTH in widened(location_of(run)) for run in middles)
    assert held >= 0.95 * RUNS


def widened(interval: Interval) -> Interval:
    return interval.widened(1.05**0.5)


def test_search_when_one_trial_far_below_breaks_by_chance_then_the_answer_is_the_same() -> None:
    seen: list[float] = []

    def with_a_glitch(value: float) -> Outcome:
        seen.append(value)
        return "broken" if len(seen) == 2 else below(TRUTH)(value)

    ended, _ = searched(with_a_glitch, Range(first=0.5, resolution=0.05))
    assert ended.kept and ended.broken and ended.kept < TRUTH <= ended.broken


def test_search_when_one_trial_above_is_kept_by_chance_then_the_answer_is_the_same() -> None:
    seen: list[float] = []

    def with_a_glitch(value: float) -> Outcome:
        seen.append(value)
        return "kept" if len(seen) == 5 else below(TRUTH)(value)

    ended, _ = searched(with_a_glitch, Range(first=0.5, resolution=0.05))
    assert ended.kept and ended.broken and ended.kept < TRUTH <= ended.broken


def test_search_when_the_rig_ends_first_then_it_says_at_least() -> None:
    ended, tried = searched(lambda value: "kept" if value < TRUTH else "rig", Range(first=0.5, resolution=0.05))
    assert ended.kind == "at least" and ended.middle is None
    assert ended.kept and TRUTH / 1.05 <= ended.kept < TRUTH
    assert max(sum(one.value == value for one in tried) for value in {one.value for one in tried}) == RIG_TRIES


def test_search_when_a_trial_does_not_count_once_then_it_is_repeated() -> None:
    seen: list[float] = []

    def disturbed(value: float) -> Outcome:
        seen.append(value)
        return "rig" if len(seen) % 3 == 0 else below(TRUTH)(value)

    ended, _ = searched(disturbed, Range(first=0.5, resolution=0.05))
    assert ended.kind == "found" and ended.kept and ended.broken and ended.kept < TRUTH <= ended.broken


def test_search_when_nothing_can_be_measured_then_it_gives_up_soon() -> None:
    ended, tried = searched(lambda value: "rig", Range(first=0.5, resolution=0.05))
    assert ended == Ended(kind="not known", kept=None, broken=None)
    assert len(tried) == 2 * RIG_TRIES


def test_search_when_something_disturbs_every_trial_then_that_is_no_bound_and_it_ends_with_nothing() -> None:
    ended, tried = searched(lambda value: "kept" if value < 2 else "disturbed", Range(first=0.5, resolution=0.05))
    assert ended.kind == "not known" and ended.kept == 1
    assert [one.value for one in tried] == [0.5, 1, *[2] * DISTURBED_TRIES]


def test_search_when_some_trials_are_disturbed_then_they_are_repeated() -> None:
    chance = random.Random(5)
    ended, _ = searched(
        lambda value: "disturbed" if chance.random() < 0.3 else below(TRUTH)(value), Range(first=0.5, resolution=0.05)
    )
    assert ended.kind == "found" and ended.kept and ended.broken and ended.kept < TRUTH <= ended.broken


def test_search_when_everything_is_kept_then_it_ends() -> None:
    ended, tried = searched(lambda value: "kept", Range(first=0.5, resolution=0.05))
    assert ended.kind == "at least" and len(tried) < 20


@given(st.randoms(use_true_random=False))
def test_search_when_trials_are_mere_chance_then_it_ends(chance: random.Random) -> None:
    outcomes: list[Outcome] = ["kept", "broken", "rig", "disturbed"]
    _, tried = searched(lambda value: chance.choice(outcomes), Range(first=1, resolution=0.05))
    assert len(tried) <= MOST_TRIALS
