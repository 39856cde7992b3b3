"""Pacing: due times come from the plan alone; a clock that the tests move."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.users import pacing
from loadtest.users.pacing import Schedule, paced

S = 1_000_000_000
START = 50 * S


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
    schedule = Schedule(rate=100, start_ns=START)
    planned = []
    for _ in range(1000):
        clock.now_ns += S // 100 + 7_000_000  # each turn takes longer than the interval
        planned.append(schedule.take())
    assert planned == [START + number * S // 100 for number in range(1000)]


def test_schedule_when_a_message_is_late_then_it_keeps_its_planned_time_and_waits_no_more(clock: Clock) -> None:
    schedule = Schedule(rate=10, start_ns=START)
    clock.now_ns = START + 5 * S
    assert schedule.wait_s() == 0.0
    assert schedule.take() == START
    assert schedule.take() == START + S // 10


def test_schedule_when_it_is_early_then_it_waits_for_what_remains(clock: Clock) -> None:
    schedule = Schedule(rate=2, start_ns=START + S // 2)
    assert schedule.wait_s() == 0.5
    clock.now_ns += S // 4
    assert schedule.wait_s() == 0.25


@given(rate=st.floats(0.01, 10_000), away_ns=st.integers(-10 * S, 100 * S))
def test_skip_missed_when_away_then_only_the_future_is_left_and_it_stays_on_the_grid(rate: float, away_ns: int) -> None:
    schedule, interval_ns = Schedule(rate=rate, start_ns=START), round(S / rate)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pacing, "monotonic_ns", lambda: START + away_ns)
        schedule.skip_missed()
    due_ns = schedule.take()
    assert (due_ns - START) % interval_ns == 0
    assert due_ns > START + away_ns or due_ns == START
    assert due_ns <= max(START, START + away_ns + interval_ns)


def test_schedule_when_the_rate_is_zero_then_each_message_is_planned_for_now(clock: Clock) -> None:
    schedule = Schedule(rate=0, start_ns=START)
    clock.now_ns = START + 123
    schedule.skip_missed()
    assert (schedule.wait_s(), schedule.take(), schedule.take()) == (0.0, START + 123, START + 123)


def test_schedule_when_the_rate_is_beyond_the_clock_then_it_is_as_fast_as_can_be(clock: Clock) -> None:
    assert Schedule(rate=1e12, start_ns=0).take() == START


@dataclass
class Sender:
    schedule: Schedule
    may_send: bool


def test_paced_when_the_test_wants_no_more_messages_then_the_user_sleeps_on(clock: Clock) -> None:
    schedule = Schedule(rate=1, start_ns=START + S)
    assert paced()(Sender(schedule, may_send=True)) == 1.0
    assert paced()(Sender(schedule, may_send=False)) > 600
