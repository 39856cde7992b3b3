"""Lean task sets do what Locust's do."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import repeat
from types import SimpleNamespace
from typing import Any

import pytest
from locust import TaskSet, constant
from locust.exception import InterruptTaskSet, RescheduleTaskImmediately, StopUser
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, DefaultTaskSet

from loadtest.users.lean import TURNS, LeanTasks, TaskQueue, make_lean
from loadtest.users.pacing import Schedule, paced
from loadtest.wire import sleep

AnyTask = Callable[[Any], None]


def test_task_queue_when_used_as_locust_does_gives_what_a_deque_gives() -> None:
    choice = random.Random(5)
    ours, theirs = TaskQueue(), deque[int]()
    for number in range(1000):
        way = choice.choice(("append", "appendleft", "popleft"))
        if way == "popleft":
            if theirs:
                assert ours.popleft() == theirs.popleft()
        else:
            getattr(ours, way)(number)
            getattr(theirs, way)(number)
        assert list(ours) == list(theirs)


def test_task_set_when_made_lean_keeps_its_tasks_in_order_and_sleeps_our_way() -> None:
    taskset: Any = DefaultTaskSet(User(nothing, rate=1.0))  # type: ignore[arg-type]  # a user without a test
    done: list[str] = []
    taskset.schedule_task(lambda _: done.append("second"))
    make_lean(taskset)
    taskset.schedule_task(lambda _: done.append("third"))
    taskset.schedule_task(lambda _: done.append("first"), first=True)
    for _ in range(3):
        taskset.execute_next_task()
    assert done == ["first", "second", "third"]
    assert taskset._sleep is sleep


class User:
    """A user as task sets see it."""

    min_wait = max_wait = wait_function = None
    wait_time = paced()

    def __init__(self, *tasks: Any, rate: float = 0.0) -> None:
        self.tasks = tasks
        self.schedule = Schedule(repeat(10) if rate else None)
        self.ws = SimpleNamespace(free_ns=0)
        self.session = SimpleNamespace(may_send=True)
        self._state = LOCUST_STATE_RUNNING
        self.done = 0

    def ask(self) -> None:
        """Do what a task does that waits for an answer and gets it."""
        self.done += 1
        self.ws.free_ns += 1


class Waiter(User):
    """A user who waits between tasks."""

    wait_time = constant(0)


def nothing(user: User) -> None:
    user.done += 1


def echo(user: User) -> None:
    user.ask()


def turn_of(user: User) -> LeanTasks:
    """Have one turn of Locust's loop take place, and return the task set."""
    taskset: Any = DefaultTaskSet(user)  # type: ignore[arg-type]  # as above
    make_lean(taskset)
    taskset.schedule_task(taskset.get_next_task())
    taskset.execute_next_task()
    lean: LeanTasks = taskset
    return lean


def test_turn_when_the_one_task_waits_for_answers_only_then_it_is_done_again_and_again() -> None:
    user = User(echo)
    turn_of(user)
    assert user.done == TURNS


class Nested(TaskSet):
    """Tasks within a task, done once."""

    def on_start(self) -> None:
        """Interrupt them at once."""
        vars(self.user)["done"] += 1
        self.interrupt()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    "user",
    [User(echo, rate=5.0), User(echo, echo), Waiter(echo), User(nothing), User(Nested)],
    ids=["planned", "two tasks", "another wait_time", "waits for no answer", "nested tasks"],
)
def test_turn_when_locust_would_do_more_between_two_tasks_then_it_is_one_task(user: User) -> None:
    with suppress(RescheduleTaskImmediately):  # of the nested ones
        turn_of(user)
    assert user.done == 1


def stops(user: User) -> None:
    user._state = LOCUST_STATE_STOPPING


def drains(user: User) -> None:
    user.session.may_send = False


def asks_in_vain(user: User) -> None:
    user.ws.free_ns -= 1  # what it was: no answer has come


@pytest.mark.parametrize("happens", [stops, drains, asks_in_vain])
def test_turn_when_something_changes_then_it_ends_with_that_task(happens: Callable[[User], None]) -> None:
    def task(user: User) -> None:
        user.ask()
        if user.done == 3:
            happens(user)

    user = User(task)
    turn_of(user)
    assert user.done == 3


def test_turn_when_a_task_schedules_another_then_that_one_is_next() -> None:
    user = User(echo)
    taskset: Any = None

    def task(user: User) -> None:
        user.ask()
        if user.done == 3:
            taskset.schedule_task(nothing)

    user.tasks = (task,)
    taskset = DefaultTaskSet(user)  # type: ignore[arg-type]  # as above
    make_lean(taskset)
    taskset.schedule_task(task)
    taskset.execute_next_task()
    assert user.done == 3
    assert list(taskset._task_queue) == [nothing]


@pytest.mark.parametrize("raised", [InterruptTaskSet(), StopUser(), ValueError("of the task")])
def test_turn_when_a_task_raises_then_it_is_for_locusts_loop(raised: Exception) -> None:
    def task(user: User) -> None:
        user.ask()
        if user.done == 3:
            raise raised

    user = User(task)
    with pytest.raises(type(raised)):
        turn_of(user)
    assert user.done == 3
