"""Lean task sets do what Locust's do."""

from __future__ import annotations

import random
from collections import deque
from types import SimpleNamespace
from typing import Any

from locust import TaskSet

from loadtest.users.lean import TaskQueue, make_lean
from loadtest.wire import sleep


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
    user: Any = SimpleNamespace(min_wait=None, max_wait=None, wait_function=None)
    taskset: Any = TaskSet(user)
    done: list[str] = []
    taskset.schedule_task(lambda _: done.append("second"))
    make_lean(taskset)
    taskset.schedule_task(lambda _: done.append("third"))
    taskset.schedule_task(lambda _: done.append("first"), first=True)
    for _ in range(3):
        taskset.execute_next_task()
    assert done == ["first", "second", "third"]
    assert taskset._sleep is sleep
