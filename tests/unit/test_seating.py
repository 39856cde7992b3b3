"""Seating: each worker of Locust's gets a number of its own, and one that comes too late gets none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from loadtest.load.fields import MOST_GENERATORS
from loadtest.users.links import Seat
from loadtest.users.options import OptionsError
from loadtest.users.seating import Seating


def runner(*workers: str, users: int = 7) -> Any:
    """A master whose workers joined in this order, and which names them in another one."""
    there = [SimpleNamespace(id=worker) for worker in reversed(workers)]
    clients = SimpleNamespace(ready=there[:1], running=there[1:], spawning=[])
    return SimpleNamespace(clients=clients, target_user_count=users, get_worker_index=workers.index)


def test_seats_when_workers_have_joined_then_they_are_numbered_from_1_in_that_order() -> None:
    seating = Seating.of(runner("b", "a", "c"))
    seats = {worker: seating.seat_of(worker) for worker in "abc"}
    assert seats == {
        "b": Seat(generator=1, generators=3, users=7),
        "a": Seat(generator=2, generators=3, users=7),
        "c": Seat(generator=3, generators=3, users=7),
    }


def test_seats_when_sent_among_the_options_then_a_worker_reads_the_same() -> None:
    options = SimpleNamespace(rate=1.0)
    seating = Seating.of(runner("b", "a"))
    seating.put_among(options)
    assert Seating.among(options) == seating


@pytest.mark.parametrize("options", [SimpleNamespace(), SimpleNamespace(loadtest_seating={"numbers": {}, "users": 1})])
def test_seat_when_a_worker_joined_late_then_it_is_refused(options: Any) -> None:
    with pytest.raises(OptionsError, match="joined after the test had begun; stop the test and start it again"):
        Seating.among(options).seat_of("late")


def test_seats_when_there_are_more_workers_than_numbers_then_that_is_refused() -> None:
    with pytest.raises(OptionsError, match="there are 256 workers; use 255 at most"):
        Seating.of(runner(*(f"worker-{number}" for number in range(MOST_GENERATORS + 1))))
