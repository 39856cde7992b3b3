"""Waiting for an answer on gevent's hub: it comes, the connection ends, the time is over, or Locust ends the user."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import pytest
from gevent import GreenletExit, get_hub

from loadtest.users import waiting
from loadtest.users.waiting import ANSWER_TIMEOUT_S, ANSWERED, ENDED, TOO_LATE, Waiting

ASKED_NS = 1_000_000_000
ARRIVED_NS = ASKED_NS + 1_000_000
OVER_NS = ASKED_NS + round(ANSWER_TIMEOUT_S * 1e9)


def on_hub(action: Callable[[], None]) -> None:
    """Call it as watchers and timers are called, and let everything go on that it wakes."""
    get_hub().loop.run_callback(action)
    gevent.idle()


@pytest.fixture
def answers() -> Waiting:
    return Waiting()


def asking(answers: Waiting, asked_ns: int = ASKED_NS) -> gevent.Greenlet:
    """Return a greenlet that waits."""
    greenlet = gevent.spawn(answers.wait, asked_ns)
    gevent.idle()
    assert not greenlet.ready()
    return greenlet


def test_wait_when_the_answer_comes_then_it_goes_on_at_once(answers: Waiting) -> None:
    greenlet = asking(answers)
    on_hub(lambda: answers.answer(ARRIVED_NS))
    assert greenlet.value == ANSWERED
    assert answers.free_ns == ARRIVED_NS


def test_answer_when_nobody_waits_then_nothing_happens(answers: Waiting) -> None:
    on_hub(lambda: answers.answer(ARRIVED_NS))
    on_hub(answers.give_up)
    assert answers.free_ns == 0


def test_wait_when_the_connection_ends_then_it_goes_on_in_its_turn(answers: Waiting) -> None:
    greenlet = asking(answers)
    answers.give_up()  # as a member is dropped: by another greenlet, which goes on first
    assert not greenlet.ready()
    gevent.idle()
    assert greenlet.value == ENDED
    assert answers.free_ns == 0


def test_give_up_when_another_request_waits_by_then_then_that_one_waits_on(answers: Waiting) -> None:
    asking(answers)

    def both() -> None:
        answers.give_up()
        answers.answer(ARRIVED_NS)

    get_hub().loop.run_callback(both)
    second = gevent.spawn(answers.wait, ASKED_NS + 1)
    gevent.idle()
    assert not second.ready()
    on_hub(lambda: answers.answer(ARRIVED_NS))
    assert second.value == ANSWERED


def test_wait_when_its_greenlet_is_killed_then_nothing_of_it_is_left(answers: Waiting) -> None:
    greenlet = asking(answers)
    greenlet.kill(block=False)
    answers.give_up()
    gevent.idle()
    assert isinstance(greenlet.value, GreenletExit)
    on_hub(lambda: answers.answer(ARRIVED_NS))
    assert answers.free_ns == 0
    again = asking(answers, ASKED_NS + 1)
    on_hub(lambda: answers.answer(ARRIVED_NS))
    assert again.value == ANSWERED


def test_wait_when_the_time_is_over_then_it_is_too_late(answers: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "monotonic_ns", lambda: OVER_NS)
    greenlet = asking(answers)
    on_hub(answers._look_at_deadline)
    assert greenlet.value == TOO_LATE


def test_timer_when_it_fires_for_an_earlier_request_then_it_is_set_to_what_is_left(
    answers: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "monotonic_ns", lambda: OVER_NS - 2_000_000_000)
    set_to: list[float] = []
    greenlet = asking(answers)
    monkeypatch.setattr(answers, "_set_timer", set_to.append)
    on_hub(answers._look_at_deadline)
    assert not greenlet.ready()
    assert set_to == [pytest.approx(2.0)]
    greenlet.kill()


def test_timer_when_nobody_waits_as_it_fires_then_it_runs_out_and_the_next_request_sets_it(answers: Waiting) -> None:
    greenlet = asking(answers)
    timer = answers._timer
    on_hub(lambda: answers.answer(ARRIVED_NS))
    assert answers._timer is timer  # left running: setting one for each request costs 2 µs
    on_hub(answers._look_at_deadline)
    assert answers._timer is None
    assert greenlet.ready()
    greenlet = asking(answers)
    assert answers._timer is not None
    greenlet.kill()


def test_timer_when_it_really_fires_then_the_request_is_too_late(
    answers: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "ANSWER_TIMEOUT_S", 0.0)
    greenlet = gevent.spawn(answers.wait, ASKED_NS)
    greenlet.join()
    assert greenlet.value == TOO_LATE


def test_forget_timer_when_called_again_then_it_stays_forgotten(answers: Waiting) -> None:
    greenlet = asking(answers)
    answers.forget_timer()
    answers.forget_timer()
    assert answers._timer is None
    greenlet.kill()
