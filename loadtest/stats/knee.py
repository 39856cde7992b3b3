"""The knee of a curve of times against load: the load beyond which more of it costs more in time than it brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, isfinite, log
from typing import Final

LEAST_LOADS: Final = 4
"""Loads without which there is no curve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One measurement: the load, and the time at it; infinite where what was asked for never came."""

    load: float
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Knee:
    """Where the knee is: a load that was measured, the time there, and the loads measured next to it.

    Where none is below, the knee may be lower still.
    """

    load: float
    time: float
    below: float | None
    above: float | None


def knee_of(points: Sequence[Point]) -> Knee | None:
    """Return the load at which load / time is largest ("power": Kleinrock, ICC 1979); None where the curve has no knee.

    On the M/M/1 queue that is half of what it carries, the load at which one message is there on average. Times are
    made to rise with the load first, by the isotonic regression of their logs (Barlow et al., Statistical Inference
    under Order Restrictions, 1972), so that one lucky measurement is no knee. No knee: fewer than four loads, or the
    highest load is the best one, so that the knee is not among them.
    """
    ordered = sorted((point for point in points if point.load > 0 and point.time > 0), key=lambda point: point.load)
    loads = sorted({point.load for point in ordered})
    if len(loads) < LEAST_LOADS or not any(isfinite(point.time) for point in ordered):
        return None
    times = _rising(ordered)
    best = max(loads, key=lambda load: load / times[load])
    place = loads.index(best)
    if place == len(loads) - 1:
        return None
    below = loads[place - 1] if place else None
    return Knee(load=best, time=times[best], below=below, above=loads[place + 1])


def _rising(ordered: Sequence[Point]) -> dict[float, float]:
    """Return the time at each load, none shorter than that at a lower load; infinite from the first that mostly is."""
    from scipy import optimize  # here: seldom needed, and slow to import

    limit = 1e3 * max(point.time for point in ordered if isfinite(point.time))
    logs = [log(min(point.time, limit)) for point in ordered]
    fitted = optimize.isotonic_regression(logs).x
    return {
        point.load: inf if value >= log(limit) else exp(value) for point, value in zip(ordered, fitted, strict=True)
    }
