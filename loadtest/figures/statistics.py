"""Median and range over the trials of a cell, and sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


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
