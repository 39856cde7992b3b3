"""An interval: an estimate and the limits between which the true value lies, with the quantiles that limits need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import exp, inf, isfinite
from typing import Final

from scipy import special

LEVEL: Final = 0.95
"""Of the intervals of this level, that share holds the true value."""

MOST_LOG: Final = 700.0
"""exp() of more is no float any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with its limits, all in the unit of the samples; a limit that is not known is infinite."""

    estimate: float
    low: float
    high: float
    level: float = LEVEL
    of: int = field(default=0, compare=False)
    """How many values it is made of that have nothing in common, rounds say; 0 where that is not told."""
    is_vague: bool = field(default=False, compare=False)
    """Its limits are true and tell nothing: see `loadtest.stats.vague`."""

    @property
    def has_limits(self) -> bool:
        """Whether its limits are known and tell anything."""
        return not self.is_vague and isfinite(self.high)

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def widened(self, factor: float) -> Interval:
        """The interval of a value above 0 of which each sample is known to that factor only."""
        return replace(self, low=self.low / factor, high=self.high * factor)

    def scaled(self, factor: float) -> Interval:
        """The same in another unit: times 100 for percent."""
        return replace(self, estimate=factor * self.estimate, low=factor * self.low, high=factor * self.high)

    def exp(self) -> Interval:
        """Of the interval of logs that of the values."""
        return replace(self, estimate=exp_of(self.estimate), low=exp_of(self.low), high=exp_of(self.high))


def exp_of(logarithm: float) -> float:
    """Return exp() of it; infinite where that is no float any more."""
    return exp(logarithm) if not logarithm >= MOST_LOG else inf


def z_of(level: float) -> float:
    """The two-sided critical value of the normal distribution: 1.960 at 0.95."""
    return float(special.ndtri((1 + level) / 2))


def t_of(level: float, df: float) -> float:
    """The two-sided critical value of Student's t with df degrees of freedom: 4.303 at 0.95 and 2."""
    return float(special.stdtrit(df, (1 + level) / 2))


def above_t(t: float, df: float) -> float:
    """The chance of a value of Student's t above this one."""
    return float(special.stdtr(df, -t))


def satterthwaite(variances: Sequence[tuple[float, float]]) -> float:
    """The degrees of freedom of a sum of variances, each given with its own (Biometrics Bulletin 2, 1946)."""
    total, parts = sum(variance for variance, _ in variances), sum(variance**2 / df for variance, df in variances)
    return total**2 / parts if parts > 0 else sum(df for _, df in variances)
