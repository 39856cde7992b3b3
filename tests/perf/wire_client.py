"""Our wire as the client; with --statistics also Locust's statistics, batched."""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent
import locust
from locust.argument_parser import get_parser
from locust.env import Environment

from loadtest.users import user
from loadtest.users.sessions import session_of
from loadtest.users.statistics import BatchedStatistics
from loadtest.wire import Connection, open_connection
from locustfiles.idle import IdleUser
from tests.perf.idlers import memory_each
from tests.perf.window import PATIENCE_S, WARM_UP_S, Task, Window, task_from_arguments, tell

_now_ns = time.monotonic_ns


class Sender:
    """One connection that sends its message again as soon as it is back."""

    __slots__ = ("_fire", "_statistics", "_text", "connection", "count", "sent_ns")

    def __init__(self, given: Task, environment: Environment, statistics: BatchedStatistics | None) -> None:
        self._text = given.payload
        self._statistics = statistics
        self._fire: Callable[..., None] = environment.events.request.fire
        self.count = 0
        self.sent_ns = 0
        on_message = self.count_message if statistics is None else self.log_message
        self.connection = open_connection(given.url, on_message=self.fire_event if given.events else on_message)

    def begin(self) -> None:
        self.sent_ns = _now_ns()
        self.connection.send(self._text)

    def count_message(self, connection: Connection, message: str | bytes, arrival_ns: int) -> None:
        self.count += 1
        connection.send(self._text)

    def fire_event(self, connection: Connection, message: str | bytes, arrival_ns: int) -> None:
        self.count += 1
        self._fire(
            request_type="WS",
            name="echo",
            response_time=(arrival_ns - self.sent_ns) / 1e6,
            response_length=len(message),
            exception=None,
            context={},
        )
        self.sent_ns = _now_ns()
        connection.send(self._text)

    def log_message(self, connection: Connection, message: str | bytes, arrival_ns: int) -> None:
        self.count += 1
        assert self._statistics is not None
        self._statistics.log("echo", (arrival_ns - self.sent_ns) / 1e6, len(message), arrival_ns)
        self.sent_ns = _now_ns()
        connection.send(self._text)


def echo(given: Task) -> dict[str, float]:
    environment = Environment()
    environment.create_local_runner()  # which listens to the events
    statistics = BatchedStatistics(environment) if given.statistics else None
    senders = [Sender(given, environment, statistics) for _ in range(given.connections)]
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
    """The locustfile `idle` as `locust -f` would run it, with its options, session and statistics."""
    if given.stock_tasks:
        setattr(user, "make_lean", lambda _taskset: None)  # noqa: B010 - a name that `user` does not export
    options = get_parser(default_config_files=[]).parse_args(["--drop-share", "0"])
    environment = Environment(
        user_classes=[IdleUser], events=locust.events, host=given.url.rstrip("/"), parsed_options=options
    )
    return memory_each(given, environment, lambda: sum(member.is_open for member in session_of(environment).members))


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
    with gevent.Timeout(PATIENCE_S):
        while got[0] < each * given.connections:
            gevent.sleep(0.005)
    return window.end(got[0])


if __name__ == "__main__":
    told = task_from_arguments()
    tell({"echo": echo, "open": opening, "idle": idle, "fanout": fanout}[told.scenario](told))
