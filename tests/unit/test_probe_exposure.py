"""Sampling: every open connection is asked at random times, and what was late is made up for."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from loadtest.ledger import Event
from loadtest.probe import exposure
from loadtest.probe.exposure import A_SECOND, MOST, Sampling
from loadtest.probe.handling import Handling

MESSAGE = {"type": "chat.message"}
LONG_S = 100.0
NS_A_S = 1_000_000_000


class Loop:
    """An event loop whose clock is turned by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due: list[tuple[float, Callable[..., None], Any]] = []
        self.soon: list[tuple[Callable[..., None], Any]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[..., None], *arguments: Any) -> None:
        self.due.append((when, callback, arguments))

    def call_soon(self, callback: Callable[..., None], *arguments: Any) -> None:
        self.soon.append((callback, arguments))

    def run_until(self, end: float, *, late_by: float = 0.0) -> None:
        while self.due[0][0] <= end:
            when, callback, arguments = self.due.pop()
            self.now = when + late_by
            callback(*arguments)
            self.turn()

    def turn(self) -> None:
        while self.soon:
            callback, arguments = self.soon.pop(0)
            callback(*arguments)


class Noting:
    """A recorder that sums up what was asked."""

    def __init__(self) -> None:
        self.records = self.in_midst = self.asked = 0
        self.times_ns: list[int] = []

    def record(self, event: int, connection: int, code: int, argument: int, value: int, time_ns: int) -> None:
        assert event == Event.ASKED
        self.records += 1
        self.in_midst += code * value
        self.asked += value
        self.times_ns.append(time_ns)


NOTED = Noting()
LEDGER: Any = NOTED
"""The same, where a recorder is wanted."""


@pytest.fixture
def noted() -> Noting:
    NOTED.__init__()  # type: ignore[misc]
    return NOTED


def waiting(number: int) -> Handling:
    handling = Handling(number, LEDGER)
    handling.is_open = handling.is_dispatched = handling.is_receiving = True
    return handling


def busy(number: int) -> Handling:
    handling = waiting(number)
    handling.message = MESSAGE
    return handling


def sample(*handlings: Handling, seed: int = 1, late_by: float = 0.0) -> None:
    loop = Loop()
    Sampling(loop, {handling.connection: handling for handling in handlings}, Random(seed))  # type: ignore[arg-type]
    loop.run_until(LONG_S, late_by=late_by)


def test_sampling_when_connections_are_open_then_each_is_asked_so_many_times_a_second(noted: Noting) -> None:
    sample(waiting(1), busy(2), busy(3), waiting(4))
    assert noted.asked == noted.records == pytest.approx(4 * A_SECOND * LONG_S, rel=0.05)
    assert noted.in_midst == noted.asked / 2


def test_sampling_when_it_comes_late_then_one_question_stands_for_all_that_were_due(noted: Noting) -> None:
    sample(waiting(1), busy(2), late_by=1.0)
    assert noted.records == pytest.approx(2 * LONG_S / (1.0 + 1 / A_SECOND), rel=0.05)
    assert noted.asked == pytest.approx(2 * A_SECOND * LONG_S, rel=0.05)
    assert noted.in_midst == noted.asked / 2


def test_sampling_when_it_comes_late_then_its_records_have_the_time_that_was_due(
    noted: Noting, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = Loop()
    monkeypatch.setattr(exposure, "monotonic_ns", lambda: round(loop.now * NS_A_S))
    Sampling(loop, {1: waiting(1)}, Random(1))  # type: ignore[arg-type]
    due_s = loop.due[0][0]
    loop.run_until(due_s, late_by=0.5 / A_SECOND / 1000)
    assert noted.times_ns == [pytest.approx(due_s * NS_A_S, abs=10)]


def test_sampling_when_a_connection_is_not_open_or_has_no_consumer_then_it_is_not_asked(noted: Noting) -> None:
    closed, plain = busy(1), busy(2)
    closed.is_open = plain.is_dispatched = False
    sample(closed, plain)
    assert noted.records == 0


def test_sampling_when_there_are_very_many_then_some_are_drawn(noted: Noting) -> None:
    sample(*(busy(number) for number in range(MOST)), *(waiting(number) for number in range(MOST, 2 * MOST)))
    assert noted.asked == pytest.approx(MOST * A_SECOND * LONG_S, rel=0.05)
    assert noted.in_midst == pytest.approx(noted.asked / 2, rel=0.05)


def test_sampling_when_the_consumer_sends_before_it_is_judged_then_it_counts_as_in_the_midst(noted: Noting) -> None:
    loop, quick = Loop(), waiting(1)
    Sampling(loop, {1: quick}, Random(1))  # type: ignore[arg-type]
    when, ask, arguments = loop.due.pop()
    loop.now = when
    ask(*arguments)
    imagine, times = loop.soon.pop()
    imagine(*times)
    quick.send()
    loop.turn()
    assert (noted.in_midst, noted.asked) == (1, 1)
