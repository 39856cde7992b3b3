"""Held up: what a moment had to wait for the generator, worked out by hand and by looking at every moment."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.checks.held_up import held_up, wait_of_moments
from loadtest.checks.records import TrialRecords
from loadtest.checks.validity import invalid_because
from loadtest.checks.validity.hub import LATE_LIMIT_MS, PAUSE_LIMIT_MS, hub_was_held, hub_was_starved, sends_were_late
from loadtest.ledger.record import Event
from tests.unit.checks.histories import A, Line, client, joined, phases, records, sent


def pause(t_ms: float, long_ms: float, *, starved_ms: float = 0) -> Line:
    """Return a late beat of the generator's hub."""
    return Line(t_ms=t_ms, event=Event.HELD_UP, argument=round(starved_ms * 1000), value=round(long_ms * 1e6))


def trial(*lines: Line | list[Line], **others: Any) -> TrialRecords:
    return records(client(phases(), joined(100, A), *lines), **others)


def gates(of: TrialRecords) -> list[str]:
    """Return the names of the gates that are closed."""
    assert of.window is not None
    return [gate.__name__ for gate in (hub_was_held, hub_was_starved, sends_were_late) if gate(of, of.window)]


def test_wait_when_one_pause_is_a_tenth_of_the_time_then_one_moment_in_a_hundred_waits_nine_tenths_of_it() -> None:
    assert wait_of_moments([100], 1000, 0.99) == pytest.approx(90)
    assert wait_of_moments([100] * 10, 10_000, 0.99) == pytest.approx(90)


def test_wait_when_all_pauses_together_are_less_than_a_hundredth_then_it_is_nothing() -> None:
    assert wait_of_moments([4, 5], 1000, 0.99) == 0
    assert wait_of_moments([], 1000, 0.99) == 0


@given(st.lists(st.integers(1, 400), max_size=8))
def test_wait_when_every_moment_is_looked_at_then_it_is_their_quantile(pauses: list[int]) -> None:
    whole = 10_000
    waits = sorted(left for length in pauses for left in range(1, length + 1))
    beyond = whole // 100
    expected = waits[-beyond - 1] if len(waits) > beyond else 0
    assert wait_of_moments(pauses, whole, 0.99) == pytest.approx(expected, abs=2)


def test_held_up_when_the_thread_waited_for_a_processor_then_that_part_is_not_its_own() -> None:
    of = trial(pause(2000, 400, starved_ms=300))
    assert of.window is not None
    found = held_up(of, of.window)
    assert (found.own_ms, found.longest_own_ms, found.starved_ms) == pytest.approx((60, 100, 260))


def test_held_up_when_two_generators_were_then_the_worse_one_counts_and_not_their_sum() -> None:
    other = client(pause(2000, 140), pid=99)
    one = client(phases(), joined(100, A), pause(2500, 240))
    of = records(one.vstack(other).sort("time_ns"))
    assert of.window is not None
    assert held_up(of, of.window).own_ms == pytest.approx(200)


def test_gates_when_the_hub_was_held_now_and_then_then_the_trial_is_not_valid() -> None:
    assert gates(trial(*(pause(1100 + 1000 * second, 120) for second in range(4)))) == ["hub_was_held"]
    assert gates(trial(pause(2000, PAUSE_LIMIT_MS + 1))) == ["hub_was_held"]


def test_gates_when_the_generator_waited_for_a_processor_then_that_is_told_apart() -> None:
    waited = LATE_LIMIT_MS + 45
    assert gates(trial(pause(2000, waited, starved_ms=waited))) == ["hub_was_starved"]


def test_gates_when_pauses_are_short_few_or_outside_of_the_window_then_all_are_open() -> None:
    assert gates(trial(*(pause(1100 + 100 * number, LATE_LIMIT_MS) for number in range(30)))) == []
    assert gates(trial(pause(2000, 60))) == []
    assert gates(trial(pause(999, 900), pause(5001, 900))) == []


def sends(late_ms: float, *, awaited: bool = False) -> list[Line]:
    """Return a hundred messages of which two were sent so late."""
    code = int(awaited)
    lines = [sent(2000 + number, A, number) for number in range(98)]
    late = [sent(3000 + number, A, 100 + number, late_us=round(late_ms * 1000), code=code) for number in (0, 1)]
    return lines + late


def test_gates_when_users_that_were_free_sent_late_then_the_trial_is_not_valid() -> None:
    assert gates(trial(sends(LATE_LIMIT_MS + 1))) == ["sends_were_late"]
    assert gates(trial(sends(LATE_LIMIT_MS))) == []


def test_gates_when_users_sent_late_because_they_awaited_an_answer_then_it_is_the_servers_doing() -> None:
    assert gates(trial(sends(900, awaited=True))) == []


def test_gates_when_contention_is_allowed_then_a_wait_for_a_processor_and_late_sends_close_none() -> None:
    lines = [*sends(300), pause(3000, 330, starved_ms=330)]
    assert gates(trial(*lines)) == ["hub_was_starved", "sends_were_late"]
    allowing = trial(*lines, allow_contention=True)
    assert allowing.window is not None
    told = " ".join(invalid_because(allowing, allowing.window))
    assert "waited for a CPU" not in told and "planned time" not in told
