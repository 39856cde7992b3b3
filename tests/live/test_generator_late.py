"""A generator that is held up, and a server that is slow: the first makes a trial not valid, the second is a result."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from websockets.sync.server import ServerConnection, serve

from loadtest.checks import TrialRecords, run_check, throughput
from loadtest.checks.held_up import held_up
from loadtest.checks.lateness import late_ms
from loadtest.checks.validity.hub import LATE_LIMIT_MS, hub_was_held, sends_were_late
from loadtest.ledger.reader import read_ledger
from tests.live.test_locustfiles import USERS, Locust

pytestmark = pytest.mark.live

Until = Callable[[Callable[[], object]], None]

STEADY_S = 3
STOPPED_S = 0.12
HELD_S = 0.5
SLOW_S = 0.3
RATE = 10
NOTHING_SAMPLED = pl.DataFrame(
    schema={"time_ns": pl.Int64, "role": pl.String, "cpu_s": pl.Float64, "rss_bytes": pl.Int64}
)

HOLDER = f"""
from time import monotonic
import gevent
from locust import events, task
from loadtest.users import WebSocketUser, paced

class Holder(WebSocketUser):
    path = "/ws/{{consumer}}/echo/"
    row = "echo"
    wait_time = paced()

    @task
    def echo(self):
        self.say()

def hold():
    until = monotonic() + {HELD_S}
    while monotonic() < until:
        pass

@events.spawning_complete.add_listener
def hold_later(user_count, **_):
    gevent.spawn_later(1.5, hold)  # in the steady window, which begins within half a second
"""


class Echo:
    """An echo server, and how many messages it has got."""

    def __init__(self, answer_s: float) -> None:
        self.answer_s = answer_s
        self.arrived = 0

    def serve(self, connection: ServerConnection) -> None:
        """Echo, each message after a while."""
        for message in connection:
            self.arrived += 1
            time.sleep(self.answer_s)
            connection.send(message)


@contextmanager
def locust_against(
    echo: Echo, tmp_path: Path, ledger: Path, *, scenario: str = "broadcast", rate: float = RATE
) -> Iterator[Locust]:
    """Run Locust with phases against an echo server, to its end."""
    with serve(echo.serve, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        host = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        options = (f"--ledger={ledger}", f"--steady={STEADY_S}", "--warm-up=0.5", f"--rate={rate}", "--room-size=1")
        locust = Locust(scenario, host, tmp_path / "run", *options, run_s=None)
        try:
            yield locust
            assert locust.ended()[0] == 0
        finally:
            locust.process.kill()
            server.shutdown()
            thread.join()


def recorded(ledger: Path) -> TrialRecords:
    client = read_ledger(ledger, "client")
    return TrialRecords(client=client, server=client.clear(), samples=NOTHING_SAMPLED, before=(), after=(), users=USERS)


def test_generator_when_it_is_stopped_once_a_second_then_the_trial_is_not_valid(
    tmp_path: Path, ledger: Path, until: Until
) -> None:
    echo = Echo(answer_s=0)
    with locust_against(echo, tmp_path, ledger) as locust:
        until(lambda: echo.arrived > USERS * RATE)  # a second after the warm-up began: in the steady window
        for _ in range(2):
            os.kill(locust.process.pid, signal.SIGSTOP)
            time.sleep(STOPPED_S)
            os.kill(locust.process.pid, signal.SIGCONT)
            seen = echo.arrived
            until(lambda seen=seen: echo.arrived > seen + USERS * RATE * 0.7)  # type: ignore[misc]
    trial = recorded(ledger)
    assert trial.window is not None
    why = hub_was_held(trial, trial.window)
    assert why is not None and "the generator was held up" in why
    assert sends_were_late(trial, trial.window) is not None


def test_generator_when_a_greenlet_holds_the_hub_then_the_trial_is_not_valid(tmp_path: Path, ledger: Path) -> None:
    (tmp_path / "holder.py").write_text(HOLDER)
    with locust_against(Echo(answer_s=0), tmp_path, ledger, scenario=str(tmp_path / "holder")):
        pass
    trial = recorded(ledger)
    assert trial.window is not None
    assert hub_was_held(trial, trial.window) is not None
    assert held_up(trial, trial.window).longest_own_ms > HELD_S * 1000 / 2, "it may have waited for a CPU meanwhile"


def test_generator_when_it_has_more_to_send_than_it_can_then_it_sends_late_and_the_trial_is_not_valid(
    tmp_path: Path, ledger: Path
) -> None:
    with locust_against(Echo(answer_s=0), tmp_path, ledger, rate=20_000):
        pass
    trial = recorded(ledger)
    assert trial.window is not None
    why = sends_were_late(trial, trial.window)
    assert why is not None and "though the user awaited nothing" in why


def test_server_when_it_answers_slower_than_it_is_asked_then_that_is_a_result_and_not_the_generators_lateness(
    tmp_path: Path, ledger: Path
) -> None:
    with locust_against(Echo(answer_s=SLOW_S), tmp_path, ledger, scenario="echo"):
        pass
    trial = recorded(ledger)
    assert trial.window is not None
    late = late_ms(trial, trial.window)
    assert late is not None and late > LATE_LIMIT_MS, "each user awaited an answer when its next message was due"
    free = late_ms(trial, trial.window, only_free=True)
    assert free is None or free < late / 2
    row = run_check(throughput.KIND, trial).rows.row(0, named=True)
    assert row["overloaded"] == "yes"
    assert row["offered"] == pytest.approx(USERS * RATE * STEADY_S, rel=0.1)
    assert row["sent"] < row["offered"] / 2
    assert row["latency_ms_p99"] == float("inf") and row["watched_ms"] > STEADY_S * 1000 / 2
