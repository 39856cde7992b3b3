"""Median and range over the trials of a cell, and whether two of them clearly differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from statistics import median
from typing import Literal

Difference = Literal["higher", "lower", "same", "no clear difference", "one trial", "unknown"]

SAME_WITHIN = 0.02
"""Medians less than 2 % apart are called the same: paced scenarios differ by rounding alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """The median of a number over the trials where it is known, with the lowest and the highest.

    `trials` counts those in which the number applies; `left_out` those left out because they are not valid.
    """

    median: float | None
    low: float | None
    high: float | None
    known: int
    trials: int
    left_out: int = 0

    @property
    def is_known(self) -> bool:
        return self.median is not None

    @property
    def applies(self) -> bool:
        """False where there is nothing the number could be of (no drop, no message)."""
        return self.trials + self.left_out > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A count summed over the trials where it is known; None if it is known in no trial.

    `trials` counts those in which the count applies; `left_out` those left out because they are not valid.
    """

    total: int | None
    known: int
    trials: int
    left_out: int = 0

    @property
    def applies(self) -> bool:
        """False where there is nothing that could be counted."""
        return self.trials + self.left_out > 0


def figure_of(values: Sequence[float | None], *, left_out: int = 0) -> Figure:
    """Median and range of the known values; unknown (None), never 0, where no value is known."""
    known = [value for value in values if value is not None]
    return Figure(
        median=median(known) if known else None,
        low=min(known, default=None),
        high=max(known, default=None),
        known=len(known),
        trials=len(values),
        left_out=left_out,
    )


def total_of(values: Sequence[int | None], *, left_out: int = 0) -> Total:
    """The sum of the known values; None, never 0, where no value is known."""
    known = [value for value in values if value is not None]
    return Total(total=sum(known) if known else None, known=len(known), trials=len(values), left_out=left_out)


def difference(one: Figure, other: Figure) -> Difference:
    """How the first compares with the second: "higher" and "lower" only where the ranges do not overlap."""
    if one.median is None or other.median is None:
        return "unknown"
    if min(one.known, other.known) < 2:
        return "one trial"
    if one.median == other.median == inf:
        return "no clear difference"
    larger = max(abs(one.median), abs(other.median))
    if larger < inf and abs(one.median - other.median) <= SAME_WITHIN * larger:
        return "same"
    return _by_range(one, other)


def _by_range(one: Figure, other: Figure) -> Difference:
    assert one.low is not None and one.high is not None and other.low is not None and other.high is not None
    if one.low > other.high:
        return "higher"
    if one.high < other.low:
        return "lower"
    return "no clear difference"
