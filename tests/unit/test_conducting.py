"""The bench's side of the conductor's socket: what generators send there, whatever it is, ends no bench."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from loadtest.bench.conductor import SOCKET, Conducting
from loadtest.phases import LONGEST_LINE, Failure, Happened, Report, Timing, write
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import short_folder

READY = write(Report(generator=1, happened=Happened.READY))


def line(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"


class Line:
    """A conducting bench, and connections to it."""

    def __init__(self, conducting: Conducting, connect: Callable[[], socket.socket]) -> None:
        self.conducting = conducting
        self.connect = connect

    def failure(self, within_s: float = 2.0) -> Failure | None:
        """Take turns until there is a failure."""
        deadline = time.monotonic() + within_s
        while self.conducting.failure is None and time.monotonic() < deadline:
            self.conducting.turn(0.02)
        return self.conducting.failure


@pytest.fixture
def bench() -> Iterator[Line]:
    with ExitStack() as stack:
        address = stack.enter_context(short_folder()) / SOCKET
        conducting = stack.enter_context(Conducting(address, Timing(ramp_s=30, steady_s=1), {1, 2}))
        conducting.start()

        def connect() -> socket.socket:
            connection = stack.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(str(address))
            return connection

        yield Line(conducting, connect)


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\n",
        line(generator="x", happened="ready", held=0),
        line(generator=True, happened="ready", held=0),
        line(generator=1, happened="closed", held="all"),
        line(generator=1, happened=["ready"], held=0),
        b"[" * 20_000 + b"\n",
    ],
)
@pytest.mark.parametrize("before", [b"", READY])
def test_generator_when_it_sends_what_is_no_report_then_the_trial_has_failed_by_it(
    bench: Line, before: bytes, sent: bytes
) -> None:
    bench.connect().sendall(before + sent)
    failure = bench.failure()
    assert failure is not None and failure.why == "garbled"
    assert failure.said.startswith("what is no report of a generator: b")
    assert len(failure.said) < 300


def test_generator_when_it_is_known_then_the_failure_names_it(bench: Line) -> None:
    connection = bench.connect()
    connection.sendall(READY)
    bench.conducting.turn(0.1)  # it is accepted
    bench.conducting.turn(0.1)
    connection.sendall(b"what?\n")
    failure = bench.failure()
    assert failure is not None and failure.generators == (1,)


def test_generator_when_the_trial_has_none_of_its_number_then_the_trial_has_failed(bench: Line) -> None:
    bench.connect().sendall(line(generator=3, happened="ready", held=0))
    failure = bench.failure()
    assert failure is not None and "generator 3, and this trial has none of that number" in failure.said


def test_generator_when_it_reports_for_another_then_the_trial_has_failed(bench: Line) -> None:
    bench.connect().sendall(READY)
    bench.connect().sendall(READY)
    failure = bench.failure()
    assert failure is not None and "from a process that is not this one" in failure.said


def test_generator_when_its_line_never_ends_then_the_trial_has_failed_before_much_is_kept(bench: Line) -> None:
    connection = bench.connect()
    connection.settimeout(0.01)
    sent = 0
    while bench.conducting.failure is None and sent < 3 * LONGEST_LINE:
        sent += connection.send(b"x" * 4096)
        bench.conducting.turn(0.0)
    failure = bench.failure()
    assert failure is not None and "a line of more than 65,536 bytes" in failure.said


def test_conducting_when_its_socket_cannot_be_opened_then_that_is_said(tmp_path: Path) -> None:
    address = tmp_path / "not there" / SOCKET
    with (
        pytest.raises(EnvironmentFailed, match=r"cannot listen to the generators at .*not there"),
        Conducting(address, Timing(ramp_s=1), {1}),
    ):
        pass
