"""The knee of a curve, on queues whose knee is known."""

from __future__ import annotations

import random
from math import exp, inf

import pytest

from loadtest.stats.knee import Point, knee_of

LOADS = [0.05 * n for n in range(1, 20)]


def queue(load: float) -> float:
    """The mean time in an M/M/1 queue that carries 1 a second."""
    return 1 / (1 - load) if load < 1 else inf


def test_knee_when_the_curve_is_that_of_a_simple_queue_then_it_is_half_of_what_it_carries() -> None:
    knee = knee_of([Point(load=load, time=queue(load)) for load in LOADS])
    assert knee is not None
    assert knee.load == pytest.approx(0.5)
    assert knee.time == pytest.approx(2)
    assert knee.below == pytest.approx(0.45)
    assert knee.above == pytest.approx(0.55)


def test_knee_when_times_scatter_then_it_is_near_and_one_lucky_measurement_is_none() -> None:
    chance = random.Random(4)
    for _ in range(100):
        points = [Point(load=load, time=queue(load) * exp(chance.gauss(0, 0.1))) for load in LOADS]
        points.append(Point(load=0.9, time=0.8))
        knee = knee_of(points)
        assert knee is not None and 0.25 <= knee.load <= 0.8


def test_knee_when_a_line_breaks_then_it_is_the_last_load_before() -> None:
    points = [Point(load=load, time=5.0 if load <= 8 else 400.0) for load in (1, 2, 4, 8, 9, 16)]
    knee = knee_of([*points, Point(load=32, time=inf)])
    assert knee is not None
    assert (knee.load, knee.above) == (8, 9)
    assert knee.time == pytest.approx(5.0)


def test_knee_when_the_lowest_load_is_the_best_then_nothing_is_below_it() -> None:
    knee = knee_of([Point(load=load, time=load**2) for load in (1, 2, 4, 8)])
    assert knee is not None and (knee.load, knee.below) == (1, None)


@pytest.mark.parametrize(
    "points",
    [
        [],
        [Point(load=1, time=5), Point(load=2, time=5), Point(load=4, time=50)],
        [Point(load=load, time=5) for load in (1, 2, 4, 8)],
        [Point(load=load, time=inf) for load in (1, 2, 4, 8)],
    ],
)
def test_knee_when_the_curve_has_too_few_loads_or_does_not_bend_then_there_is_none(points: list[Point]) -> None:
    assert knee_of(points) is None
