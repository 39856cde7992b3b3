"""A generator of the bench: without a bench, and with one that sends what is no order."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from locust.env import Environment

from loadtest.load import Job
from loadtest.phases import Happened, Order, Task, read_report, write
from loadtest.stack.folders import short_folder
from loadtest.users.of_bench import GARBLED, RAISED, BenchLink
from loadtest.users.options import OptionsError


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with short_folder() as folder, socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "s"))
        server.listen()
        yield server


def test_link_when_no_bench_listens_then_it_is_refused_and_no_socket_stays_open(tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match=r"no bench listens at .*; leave `conductor` out of the job"):
        BenchLink(Job(host="ws://h", conductor=str(tmp_path / "s")))


@pytest.mark.parametrize(
    ("sent", "code"), [(b"jump!\n", GARBLED), (b'{"task": "begin", "phase": null}\n', GARBLED), (b"", None)]
)
def test_generator_when_the_bench_sends_no_order_or_is_gone_then_it_ends_in_order(
    server: socket.socket, sent: bytes, code: int | None
) -> None:
    quits: list[int] = []
    environment = Environment()
    environment.runner = SimpleNamespace(quit=lambda: quits.append(1))  # type: ignore[assignment]
    session: Any = SimpleNamespace(
        at_end=lambda _: None, load=Job(host="ws://h"), environment=environment, stream=random.Random
    )
    with gevent.Timeout(5):
        starting = gevent.spawn(BenchLink, Job(host="ws://h", conductor=server.getsockname()))
        gevent.sleep(0.05)
        connection, _ = server.accept()
        with connection:
            assert read_report(connection.recv(4096)).happened is Happened.READY
            connection.sendall(write(Order(task=Task.STOP_DROPPING)) + sent)
        starting.get().begin(session)
        while not quits:
            gevent.sleep(0.01)
    assert (quits, environment.process_exit_code) == ([1], code)


def test_generator_when_the_locustfile_raises_then_it_ends_and_says_what_once(
    server: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    quits: list[int] = []
    environment = Environment(parsed_options=SimpleNamespace(locustfile=__file__))
    environment.runner = SimpleNamespace(quit=lambda: quits.append(1))  # type: ignore[assignment]
    session: Any = SimpleNamespace(
        at_end=lambda _: None, load=Job(host="ws://h"), environment=environment, stream=random.Random
    )
    with gevent.Timeout(5):
        starting = gevent.spawn(BenchLink, Job(host="ws://h", conductor=server.getsockname()))
        gevent.sleep(0.05)
        connection, _ = server.accept()
        with connection:
            connection.sendall(write(Order(task=Task.STOP_DROPPING)))
            starting.get().begin(session)
            for _ in range(2):
                environment.events.user_error.fire(user_instance=None, exception=KeyError("text"), tb=None)
            while not quits:
                gevent.sleep(0.01)
    assert environment.process_exit_code == RAISED
    assert [record.getMessage() for record in caplog.records] == ["the locustfile raised KeyError: 'text'"]
