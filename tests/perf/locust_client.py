"""Plain Locust with websocket-client in its users' greenlets, as most people do it."""

from __future__ import annotations

import random
import time
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import gevent
from gevent.event import Event
from locust import User, constant, constant_pacing, task
from locust.env import Environment
from websocket import WebSocket, WebSocketException, create_connection

from tests.perf.idlers import memory_each
from tests.perf.window import (
    ABORT,
    OFFLINE_S,
    PATIENCE_S,
    SPAWN_RATE,
    WARM_UP_S,
    Task,
    Window,
    task_from_arguments,
    tell,
)

TIME_DIGITS = 20
"""The first characters of what a member of a room says are the time at which it said it."""


def run_users(given: Task, user_class: type[User], opened: list[int]) -> Any:
    environment = Environment(user_classes=[user_class])
    runner = environment.create_local_runner()
    runner.start(given.connections, spawn_rate=SPAWN_RATE)
    with gevent.Timeout(PATIENCE_S):
        while opened[0] < given.connections:
            gevent.sleep(0.05)
    return environment


def echo(given: Task) -> dict[str, float]:
    opened = [0]
    all_open = Event()
    text = given.payload

    class Sender(User):
        """Sends, waits for the answer, logs."""

        def on_start(self) -> None:
            self.ws = create_connection(given.url)
            opened[0] += 1
            all_open.wait()  # the first to send would starve those that still open

        @task
        def echo(self) -> None:
            started = time.perf_counter()
            self.ws.send(text)
            answer = self.ws.recv()
            self.environment.events.request.fire(
                request_type="WS",
                name="echo",
                response_time=(time.perf_counter() - started) * 1000,
                response_length=len(answer),
                exception=None,
                context={},
            )

    environment = run_users(given, Sender, opened)
    all_open.set()
    gevent.sleep(WARM_UP_S)
    window = Window()
    window.begin(environment.stats.total.num_requests)
    gevent.sleep(given.seconds)
    return window.end(environment.stats.total.num_requests)


def opening(given: Task) -> dict[str, float]:
    create_connection(given.url).shutdown()
    window = Window()
    window.begin()
    connections = [create_connection(given.url) for _ in range(given.connections)]
    return window.end(len(connections))


def idle(given: Task) -> dict[str, float]:
    opened = [0]

    class Idler(User):
        """A Locust user with an idle connection, who looks about each second."""

        wait_time = constant(1)

        def on_start(self) -> None:
            self.ws = create_connection(given.url)
            opened[0] += 1

        @task
        def nothing(self) -> None:
            """Say nothing."""

    return memory_each(given, Environment(user_classes=[Idler]), lambda: opened[0])


def fanout(given: Task) -> dict[str, float]:
    got = [0]
    each = max(int(30_000 * given.seconds / 2) // given.connections // 500, 1) * 500

    def read(ws: WebSocket) -> None:
        for _ in range(each):
            ws.recv()
            got[0] += 1

    connections = [create_connection(given.url) for _ in range(given.connections)]
    window = Window()
    window.begin()
    readers = [gevent.spawn(read, ws) for ws in connections]
    for ws in connections:
        ws.send(f"!burst {each} {given.payload_bytes}")
    gevent.joinall(readers, timeout=PATIENCE_S, raise_error=True)
    return window.end(got[0])


def talk(given: Task) -> dict[str, float]:
    """Rooms whose members talk at a planned rate; some are dropped each second, and come back."""
    opened = [0]
    members: list[Any] = []

    class Member(User):
        """Sends at a planned rate; a greenlet of its own reads and logs what comes."""

        wait_time = constant_pacing(1 / given.rate)

        def on_start(self) -> None:
            self.number = len(members)
            self.ws: WebSocket | None = None
            members.append(self)
            self.enter()
            opened[0] += 1

        def enter(self) -> None:
            self.ws = create_connection(given.room_url(self.number))
            gevent.spawn(self.read, self.ws)

        def read(self, ws: WebSocket) -> None:
            while self.ws is ws:
                try:
                    text = ws.recv()
                except (OSError, WebSocketException):  # it was dropped meanwhile
                    return
                self.environment.events.request.fire(
                    request_type="WS",
                    name="delivered",
                    response_time=(time.perf_counter() - float(text[:TIME_DIGITS])) * 1000,
                    response_length=len(text),
                    exception=None,
                    context={},
                )

        def drop(self) -> None:
            ws, self.ws = self.ws, None
            assert ws is not None and ws.sock is not None
            ws.sock.setsockopt(SOL_SOCKET, SO_LINGER, ABORT)
            ws.shutdown()
            gevent.spawn_later(OFFLINE_S, self.enter)

        @task
        def talk(self) -> None:
            if self.ws is not None:
                self.ws.send(f"{time.perf_counter():<{TIME_DIGITS}.9f}".ljust(given.payload_bytes, "x"))

    run_users(given, Member, opened)
    while True:
        gevent.sleep(1)
        there = [member for member in members if member.ws is not None]
        for member in random.sample(there, min(given.dropped_each_second, len(there))):
            member.drop()


SCENARIOS = {"echo": echo, "open": opening, "idle": idle, "fanout": fanout, "talk": talk}

if __name__ == "__main__":
    told = task_from_arguments()
    tell(SCENARIOS[told.scenario](told))
