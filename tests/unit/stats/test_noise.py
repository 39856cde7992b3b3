"""The noise floor that an A/A pair shows."""

from __future__ import annotations

from math import inf, log

import numpy as np
import pytest

from loadtest.stats.noise import noise_floor, noise_of_shares
from loadtest.stats.paired import Paired


def test_noise_floor_when_equals_were_equal_then_it_is_0() -> None:
    assert noise_floor(Paired(logs=(0.0, 0.0, 0.0))).floor == 0.0


def test_noise_floor_when_computed_by_hand_then_it_is_the_same() -> None:
    """t of 2 rounds is 4.303, s0 is 5 %: a single round is within 4.303 * s0, both together within that / sqrt(2)."""
    floor = noise_floor(Paired(logs=(0.05, -0.05)))
    assert log(1 + floor.single) == pytest.approx(4.3027 * 0.05, rel=1e-4)
    assert log(1 + floor.floor) == pytest.approx(4.3027 * 0.05 / 2**0.5, rel=1e-4)


def test_noise_floor_when_there_was_no_round_then_it_is_not_known() -> None:
    assert noise_floor(Paired(logs=())).floor == inf


@pytest.mark.parametrize("rounds", [1, 3, 5])
def test_noise_floor_when_equals_are_measured_again_then_they_are_within_it(rounds: int) -> None:
    pairs = np.random.default_rng(8).normal(0, 0.04, (2, 1000, rounds))
    within = [
        abs(np.mean(again)) <= log(1 + noise_floor(Paired(logs=tuple(once))).floor)
        for once, again in zip(pairs[0].tolist(), pairs[1].tolist(), strict=True)
    ]
    assert 0.93 < np.mean(within) < 0.97


def test_noise_of_shares_when_computed_by_hand_then_it_is_the_same() -> None:
    floor = noise_of_shares([0.05, -0.05])
    assert (floor.single, floor.floor) == pytest.approx((4.3027 * 0.05, 4.3027 * 0.05 / 2**0.5), rel=1e-4)
    assert noise_of_shares([]).single == inf
