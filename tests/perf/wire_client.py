"""Our wire as the client; with --statistics also Locust's statistics, batched."""

from __future__ import annotations

import time

import gevent
import locust
from locust import User, constant, task
from locust.env import Environment

from loadtest.users.statistics import BatchedStatistics
from loadtest.wire import Connection, open_connection, sleep
from tests.perf.window import (
    FIRST_IDLERS,
    SPAWN_RATE,
    WARM_UP_S,
    Task,
    Window,
    resident_bytes,
    task_from_arguments,
    tell,
)

_now_ns = time.monotonic_ns


class Sender:
    """One connection that sends its message again as soon as it is back."""

    __slots__ = ("_statistics", "_text", "connection", "count", "sent_ns")

    def __init__(self, given: Task, statistics: BatchedStatistics | None) -> None:
        self._text = given.payload
        self._statistics = statistics
        self.count = 0
        self.sent_ns = 0
        self.connection = open_connection(
            given.url, on_message=self.count_message if statistics is None else self.log_message
        )

    def begin(self) -> None:
        self.sent_ns = _now_ns()
        self.connection.send(self._text)

    def count_message(self, connection: Connection, message: str | bytes, arrival_ns: int) -> None:
        self.count += 1
        connection.send(self._text)

    def log_message(self, connection: Connection, message: str | bytes, arrival_ns: int) -> None:
        self.count += 1
        assert self._statistics is not None
        self._statistics.log("echo", (arrival_ns - self.sent_ns) / 1e6, len(message))
        self.sent_ns = _now_ns()
        connection.send(self._text)


def echo(given: Task) -> dict[str, float]:
    environment = Environment()
    statistics = BatchedStatistics(environment) if given.statistics else None
    senders = [Sender(given, statistics) for _ in range(given.connections)]
    window = Window()
    for sender in senders:
        sender.begin()
    gevent.sleep(WARM_UP_S)
    window.begin(sum(sender.count for sender in senders))
    gevent.sleep(given.seconds)
    count = sum(sender.count for sender in senders)
    result = window.end(count)
    if statistics is not None:
        statistics.flush()
        assert environment.stats.total.num_requests >= count
    return result


def opening(given: Task) -> dict[str, float]:
    open_connection(given.url).reset()  # imports, look-ups
    window = Window()
    window.begin()
    connections = [open_connection(given.url, on_message=lambda *_: None) for _ in range(given.connections)]
    result = window.end(len(connections))
    for connection in connections:
        connection.reset()
    return result


def idle(given: Task) -> dict[str, float]:
    opened = [0]

    class Idler(User):
        """A Locust user with an idle connection, waiting for its next task."""

        wait_time = constant(3600)

        def on_start(self) -> None:
            self.ws = open_connection(given.url, on_message=ignore)
            self._taskset_instance._sleep = sleep

        @task
        def nothing(self) -> None:
            opened[0] += 1

    environment = Environment(user_classes=[Idler])
    runner = environment.create_local_runner()
    for goal in (FIRST_IDLERS, given.connections):
        before = resident_bytes()
        runner.start(goal, spawn_rate=SPAWN_RATE)
        wait_for(opened, goal)
    added = given.connections - FIRST_IDLERS
    return {"connections": given.connections, "bytes_each": (resident_bytes() - before) / added}


def ignore(connection: Connection, message: str | bytes, arrival_ns: int) -> None:
    pass


def wait_for(counter: list[int], goal: int) -> None:
    with gevent.Timeout(120):
        while counter[0] < goal:
            gevent.sleep(0.05)


def fanout(given: Task) -> dict[str, float]:
    got = [0]

    def count(connection: Connection, message: str | bytes, arrival_ns: int) -> None:
        got[0] += 1

    connections = [open_connection(given.url, on_message=count) for _ in range(given.connections)]
    each = max(int(1_000_000 * given.seconds / 2) // given.connections // 500, 1) * 500
    window = Window()
    window.begin()
    for connection in connections:
        connection.send(f"!burst {each} {given.payload_bytes}")
    with gevent.Timeout(120):
        while got[0] < each * given.connections:
            gevent.sleep(0.005)
    return window.end(got[0])


if __name__ == "__main__":
    assert locust.__version__
    told = task_from_arguments()
    tell({"echo": echo, "open": opening, "idle": idle, "fanout": fanout}[told.scenario](told))
