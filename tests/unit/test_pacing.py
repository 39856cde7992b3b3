"""Pacing: due times come from the plan alone; a clock that the tests move."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, islice, pairwise, repeat
from random import Random
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from loadtest.users import pacing
from loadtest.users.pacing import NOW, Schedule, gaps_of, paced

S = 1_000_000_000
START = 50 * S

Arrivals = Literal["constant", "poisson"]


def evenly(rate: float, *, start_ns: int) -> Schedule:
    """Plan `rate` messages a second, the first of them at that time."""
    interval_ns = round(S / rate)
    return Schedule(repeat(interval_ns), start_ns=start_ns - interval_ns)


def due_s(arrivals: Arrivals, *, rate: float, count: int, seed: int = 1) -> list[float]:
    """Return the first due times after the beginning."""
    return [ns / S for ns in islice(accumulate(gaps_of(arrivals, rate, Random(seed))), count)]


@dataclass
class Clock:
    now_ns: int = START

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pacing, "monotonic_ns", clock)
    return clock


def test_schedule_when_asked_late_each_time_then_the_plan_does_not_drift(clock: Clock) -> None:
    schedule = evenly(100, start_ns=START)
    planned = []
    for _ in range(1000):
        clock.now_ns += S // 100 + 7_000_000  # each turn takes longer than the interval
        planned.append(schedule.take())
    assert planned == [START + number * S // 100 for number in range(1000)]


def test_schedule_when_a_message_is_late_then_it_keeps_its_planned_time_and_waits_no_more(clock: Clock) -> None:
    schedule = evenly(10, start_ns=START)
    clock.now_ns = START + 5 * S
    assert schedule.wait_s() == 0.0
    assert schedule.take() == START
    assert schedule.take() == START + S // 10


def test_schedule_when_it_is_early_then_it_waits_for_what_remains(clock: Clock) -> None:
    schedule = evenly(2, start_ns=START + S // 2)
    assert schedule.wait_s() == 0.5
    clock.now_ns += S // 4
    assert schedule.wait_s() == 0.25


@given(rate=st.floats(0.01, 1_000), away_ns=st.integers(-10 * S, 10 * S))
def test_skip_missed_when_away_then_only_the_future_is_left_and_it_stays_on_the_grid(rate: float, away_ns: int) -> None:
    schedule, interval_ns = evenly(rate, start_ns=START), round(S / rate)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pacing, "monotonic_ns", lambda: START + away_ns)
        schedule.skip_missed()
    due_ns = schedule.take()
    assert (due_ns - START) % interval_ns == 0
    assert due_ns > START + away_ns or due_ns == START
    assert due_ns <= max(START, START + away_ns + interval_ns)


def test_schedule_when_it_has_no_gaps_then_each_message_is_planned_for_when_it_is_sent(clock: Clock) -> None:
    schedule = Schedule()
    clock.now_ns = START + 123
    schedule.skip_missed()
    assert (schedule.wait_s(), schedule.take(), schedule.take()) == (0.0, NOW, NOW)


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_schedule_when_the_rate_is_beyond_all_senders_then_it_still_moves_on(clock: Clock, arrivals: Arrivals) -> None:
    schedule = Schedule(gaps_of(arrivals, 1e12, Random(1)), start_ns=START)
    clock.now_ns += S // 10
    schedule.skip_missed()
    assert START + S // 10 < schedule.take() < START + S


def test_arrivals_when_constant_then_they_are_even_and_their_phases_uniform() -> None:
    times = due_s("constant", rate=4, count=100)
    assert [later - sooner for sooner, later in pairwise(times)] == pytest.approx([0.25] * 99)
    phases = [due_s("constant", rate=4, count=1, seed=seed)[0] * 4 for seed in range(1000)]
    assert stats.kstest(phases, "uniform").pvalue > 0.01


def test_arrivals_when_poisson_then_their_gaps_are_exponential_from_the_first_on() -> None:
    gaps = [ns / S for ns in islice(gaps_of("poisson", 4, Random(1)), 2000)]
    assert stats.kstest(gaps, "expon", args=(0, 1 / 4)).pvalue > 0.01
    firsts = [due_s("poisson", rate=4, count=1, seed=seed)[0] for seed in range(1000)]
    assert stats.kstest(firsts, "expon", args=(0, 1 / 4)).pvalue > 0.01


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_arrivals_when_the_seed_is_the_same_then_so_are_the_times(arrivals: Arrivals) -> None:
    assert due_s(arrivals, rate=3, count=50) == due_s(arrivals, rate=3, count=50)
    assert due_s(arrivals, rate=3, count=50) != due_s(arrivals, rate=3, count=50, seed=2)


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_skip_missed_when_away_then_what_follows_is_what_was_planned_before(clock: Clock, arrivals: Arrivals) -> None:
    planned = [START + round(at_s * S) for at_s in due_s(arrivals, rate=5, count=100)]
    schedule = Schedule(gaps_of(arrivals, 5, Random(1)), start_ns=START)
    clock.now_ns = START + 3 * S
    schedule.skip_missed()
    assert schedule.take() == pytest.approx(next(at for at in planned if at > clock.now_ns), abs=100)


@dataclass
class Sender:
    schedule: Schedule
    may_send: bool


def test_paced_when_the_test_wants_no_more_messages_then_the_user_sleeps_on(clock: Clock) -> None:
    schedule = evenly(1, start_ns=START + S)
    assert paced()(Sender(schedule, may_send=True)) == 1.0
    assert paced()(Sender(schedule, may_send=False)) > 600
