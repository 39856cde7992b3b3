"""The universal scalability law, fitted to what invented workers carry."""

from __future__ import annotations

import random
from math import exp, inf, sqrt

import pytest

from loadtest.stats import scaling
from loadtest.stats.scaling import scaling_of

COUNTS = (1, 2, 4, 8)
RATE, CONTENTION, COHERENCE = 100.0, 0.1, 0.005


def law(workers: int, contention: float = CONTENTION, coherence: float = COHERENCE) -> float:
    return RATE * workers / (1 + contention * (workers - 1) + coherence * workers * (workers - 1))


def test_scaling_when_rates_follow_the_law_then_its_parameters_are_found() -> None:
    found = scaling_of({count: [law(count)] * 3 for count in COUNTS}, seed=1)
    assert found is not None
    assert found.rate.estimate == pytest.approx(RATE, rel=1e-3)
    assert found.contention.estimate == pytest.approx(CONTENTION, rel=1e-2)
    assert found.coherence.estimate == pytest.approx(COHERENCE, rel=1e-2)
    assert found.best == pytest.approx(sqrt((1 - CONTENTION) / COHERENCE), rel=1e-2)
    assert found.at(16) == pytest.approx(law(16), rel=1e-2)


def test_scaling_when_workers_share_nothing_then_more_always_carry_more() -> None:
    found = scaling_of({count: [law(count, 0, 0)] * 2 for count in COUNTS}, seed=1)
    assert found is not None
    assert found.contention.estimate == pytest.approx(0, abs=1e-4)
    assert found.best > 50 or found.best == inf


def test_scaling_when_rates_scatter_then_the_intervals_hold_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "RESAMPLES", 100)  # enough for the share of intervals that hold it
    chance, runs = random.Random(2), 40
    held = 0
    for seed in range(runs):
        rates = {count: [law(count) * exp(chance.gauss(0, 0.05)) for _ in range(3)] for count in COUNTS}
        found = scaling_of(rates, seed=seed)
        assert found is not None
        held += (RATE in found.rate) + (CONTENTION in found.contention) + (COHERENCE in found.coherence)
    assert held >= 0.9 * 3 * runs


def test_scaling_when_asked_again_then_the_intervals_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "RESAMPLES", 20)
    rates = {count: [law(count), law(count) * 1.05] for count in COUNTS}
    assert scaling_of(rates, seed=3) == scaling_of(rates, seed=3)


def test_scaling_when_there_are_three_numbers_of_workers_then_nothing_is_fitted() -> None:
    assert scaling_of({count: [law(count)] * 5 for count in COUNTS[:3]}, seed=1) is None
