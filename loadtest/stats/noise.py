"""The noise floor of a run: the spread that equals show, from a pair of cells that differ in nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1, inf, sqrt
from typing import Final

from loadtest.stats.interval import LEVEL, MOST_LOG, t_of
from loadtest.stats.paired import Paired

EQUAL: Final = 0.0
"""The true log of the ratio of equals: no mean is taken away, so no degree of freedom is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseFloor:
    """By how much equals differ, as shares: 0.05 is 5 %; infinite where it is not known."""

    floor: float
    """The ratio over all rounds of two equal cells is within it, up or down, in that share (level) of runs."""
    single: float
    """So is the ratio of one round."""
    rounds: int


def noise_floor(equals: Paired, *, level: float = LEVEL) -> NoiseFloor:
    """Return the noise floor that an A/A pair shows.

    exp(t_n s0 / sqrt(n)) - 1 with s0 = sqrt(sum d_r^2 / n), d_r the log of the ratio in round r and n the rounds: the
    mean is known to be 0, so one round is enough, if for little (t_1 is 12.7).
    """
    found = noise_of_shares(equals.logs, level=level)
    return NoiseFloor(floor=_share(found.floor), single=_share(found.single), rounds=found.rounds)


def noise_of_shares(differences: Sequence[float], *, level: float = LEVEL) -> NoiseFloor:
    """Return the same of differences that are no logs, those of two shares: 0.05 is 5 points."""
    n = len(differences)
    if n == 0:
        return NoiseFloor(floor=inf, single=inf, rounds=0)
    single = t_of(level, n) * sqrt(sum((value - EQUAL) ** 2 for value in differences) / n)
    return NoiseFloor(floor=single / sqrt(n), single=single, rounds=n)


def _share(logarithm: float) -> float:
    return expm1(logarithm) if logarithm < MOST_LOG else inf
