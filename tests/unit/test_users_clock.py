"""The clock of a test with a stage: the stage is told once, when all has been measured and before it is let go of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gevent
import pytest

from loadtest.ledger import Phase
from loadtest.phases import Conductor, Happened, Order, Report, Task, Timing
from loadtest.users.clock import Clock, clock_of
from loadtest.users.stages import put_stage

HELD = Timing(ramp_s=30, steady_s=1000, recover_s=5, drain_s=5, hold_s=60)


class Environment:
    """What a clock wants of Locust's: nothing, as long as the test goes on."""


class Stage:
    hold_s = 60.0

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def measured(self) -> None:
        self.log.append("audited")


@pytest.fixture
def log() -> list[str]:
    return []


def clock(environment: Any, log: list[str]) -> Clock:
    def give(orders: Iterable[Order]) -> None:
        log.extend(f"{order.task.value} {order.name or order.phase or ''}".strip() for order in orders)

    put_stage(environment, Stage(log))
    return Clock(Conductor(HELD, {1}), give, environment)


def tell(it: Clock, *happened: Happened, held: int = 0) -> None:
    for one in happened:
        it.told(Report(generator=1, happened=one, held=held if one is Happened.CLOSED else 0))


def to_the_end(it: Clock, *, held: int) -> None:
    tell(it, Happened.READY, Happened.OPEN)
    while not it.finish():
        gevent.sleep(0)
    tell(it, Happened.BACK, Happened.QUIET, Happened.CLOSED, held=held)
    gevent.sleep(0)


@pytest.mark.parametrize("held", [0, 3])
def test_stage_when_all_has_been_measured_then_it_is_told_once_and_what_is_held_is_let_go_of_after_it(
    held: int, log: list[str]
) -> None:
    environment = Environment()
    it = clock(environment, log)
    to_the_end(it, held=held)
    assert log.count("audited") == 1
    assert log.count("let go") == 1
    assert not held or log.index("audited") < log.index("let go")
    it.stop()


def test_drop_now_when_it_would_not_count_then_nothing_is_dropped(log: list[str]) -> None:
    environment = Environment()
    it = clock(environment, log)
    assert not it.drop_now("fin", 0.5)
    tell(it, Happened.READY, Happened.OPEN)
    assert log[-2:] == [f"begin {Phase.WARM_UP}", "drop"]
    assert not it.drop_now("fin", 0.5), "the plan's own drops have begun, and do not count yet either"
    while not it.counts:
        gevent.sleep(0)
    assert it.drop_now("fin", 0.5)
    assert log[-1] == f"{Task.DROP_NOW.value} fin"
    to_the_end(it, held=1)
    assert not it.drop_now("fin", 0.5)
    it.stop()


def test_clock_when_its_test_has_ended_then_it_is_not_found_any_more(log: list[str]) -> None:
    environment = Environment()
    it = clock(environment, log)
    assert clock_of(environment) is it
    it.stop()
    assert clock_of(environment) is None
