"""The universal scalability law: what n workers carry together, when they share something and wait for each other.

X(n) = rate * n / (1 + contention * (n - 1) + coherence * n * (n - 1))   (Gunther, CMG 1993; Guerrilla Capacity
Planning, 2007, chapter 4). Contention is the share of the work that only one of them can do at a time (Amdahl's law is
coherence 0), coherence the cost of each pair of them keeping in step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, log, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from loadtest.stats.interval import LEVEL, Interval

LEAST_COUNTS: Final = 4
"""Numbers of workers for three parameters: with three the curve passes through every point, whatever the law."""
RESAMPLES: Final = 1000
"""Enough for the 2.5 % quantile of each parameter to two digits."""
_PARAMETERS: Final = 3

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """The fitted law, each parameter with its interval."""

    rate: Interval
    """What one worker carries, in the unit of the rates."""
    contention: Interval
    coherence: Interval

    @property
    def best(self) -> float:
        """Return the number of workers that carry the most; infinite where more always carry more."""
        return _best(self.contention.estimate, self.coherence.estimate)

    def at(self, workers: float) -> float:
        """Return what so many workers carry."""
        parameters = np.array([log(self.rate.estimate), self.contention.estimate, self.coherence.estimate])
        return float(np.exp(_logs(parameters, np.array([workers]))[0]))


def scaling_of(rates: Mapping[int, Sequence[float]], *, seed: int, level: float = LEVEL) -> Scaling | None:
    """Fit the law to what so many workers carried, by number of workers, each measured several times.

    Least squares of the logs, for rates vary by factors; no parameter below 0. The intervals are quantiles of fits to
    the fitted curve with its residuals drawn anew (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, 9.4),
    which are made larger by sqrt(n / (n - 3)), for three parameters took some of them away. Drawing from the few
    measurements of each number instead gives intervals that are too short. None with fewer than four numbers.

    Simulated coverage at 0.95 with 3 measurements each that scatter by 5 % at 1, 2, 4 and 8 workers: rate 95 %,
    contention 98 %, coherence 100 %; where coherence is in truth 0: 93, 83 and 95 %.
    """
    counts = np.array([count for count, values in rates.items() for _ in values], dtype=float)
    logs = np.log(np.array([value for values in rates.values() for value in values], dtype=float))
    if len(set(counts)) < LEAST_COUNTS:
        return None
    fitted = _fit(counts, logs)
    curve = _logs(fitted, counts)
    spare = len(logs) - _PARAMETERS
    residuals = (logs - curve) * sqrt(len(logs) / spare)
    chance = np.random.default_rng(seed)
    drawn = [_fit(counts, curve + chance.choice(residuals, len(logs))) for _ in range(RESAMPLES)]
    rate, contention, coherence = (
        _interval(estimate, np.array(values), level)
        for estimate, values in zip(fitted, zip(*drawn, strict=True), strict=True)
    )
    rate = Interval(estimate=exp(rate.estimate), low=exp(rate.low), high=exp(rate.high), level=level)
    return Scaling(rate=rate, contention=contention, coherence=coherence)


def _logs(parameters: Floats, counts: Floats) -> Floats:
    """Return the log of the law; the first parameter is the log of the rate."""
    log_rate, contention, coherence = parameters
    loss: Floats = np.log1p(contention * (counts - 1) + coherence * counts * (counts - 1))
    return np.asarray(log_rate + np.log(counts) - loss, dtype=np.float64)


def _slopes(parameters: Floats, counts: Floats) -> Floats:
    """Return the derivatives of `_logs` by the parameters: found by differences they take twice the time."""
    _, contention, coherence = parameters
    others, pairs = counts - 1, counts * (counts - 1)
    loss = 1 + contention * others + coherence * pairs
    return np.stack([np.ones_like(counts), -others / loss, -pairs / loss], axis=1)


def _fit(counts: Floats, logs: Floats) -> Floats:
    from scipy import optimize  # here: seldom needed, and slow to import

    start = np.array([float(np.mean(logs - np.log(counts))), 0.05, 0.001])
    lowest = [-inf, 0.0, 0.0]
    found = optimize.least_squares(
        lambda at: _logs(at, counts) - logs,
        start,
        jac=lambda at: _slopes(at, counts),
        bounds=(lowest, inf),
        x_scale=[1, 0.1, 0.01],
    )
    return np.asarray(found.x, dtype=np.float64)


def _interval(estimate: float, drawn: Floats, level: float) -> Interval:
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(estimate=float(estimate), low=float(low), high=float(high), level=level)


def _best(contention: float, coherence: float) -> float:
    return sqrt(max(0.0, 1 - contention) / coherence) if coherence > 0 else inf
