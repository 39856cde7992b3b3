"""An interval: an estimate and the limits between which the true value lies, with the quantiles that limits need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scipy import special

LEVEL: Final = 0.95
"""Of the intervals of this level, that share holds the true value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with its limits, all in the unit of the samples; a limit that is not known is infinite."""

    estimate: float
    low: float
    high: float
    level: float = LEVEL

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def widened(self, factor: float) -> Interval:
        """The interval of a value above 0 of which each sample is known to that factor only."""
        return Interval(estimate=self.estimate, low=self.low / factor, high=self.high * factor, level=self.level)


def z_of(level: float) -> float:
    """The two-sided critical value of the normal distribution: 1.960 at 0.95."""
    return float(special.ndtri((1 + level) / 2))


def t_of(level: float, df: float) -> float:
    """The two-sided critical value of Student's t with df degrees of freedom: 4.303 at 0.95 and 2."""
    return float(special.stdtrit(df, (1 + level) / 2))


def above_t(t: float, df: float) -> float:
    """The chance of a value of Student's t above this one."""
    return float(special.stdtr(df, -t))
