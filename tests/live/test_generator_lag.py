"""A generator that gets no core: its ledger tells how late it handled what had arrived, and the trial is not valid."""

from __future__ import annotations

import os
import signal
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from websockets.sync.server import ServerConnection, serve

from loadtest.checks import TrialRecords
from loadtest.checks.validity import invalid_because
from loadtest.ledger import Event
from loadtest.ledger.reader import read_ledger
from tests.live.test_locustfiles import USERS, Locust

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when data arrived"),
]

STOPPED_S = 0.4
STEADY_S = 2
ANSWER_S = 0.1
NOTHING_SAMPLED = pl.DataFrame(
    schema={"time_ns": pl.Int64, "role": pl.String, "cpu_s": pl.Float64, "rss_bytes": pl.Int64}
)


def test_generator_when_it_was_stopped_for_a_while_then_its_lag_is_recorded_and_the_trial_not_valid(
    tmp_path: Path, ledger: Path, until: Callable[[Callable[[], object]], None]
) -> None:
    arrived: list[str | bytes] = []

    def echo_late(connection: ServerConnection) -> None:
        for message in connection:
            arrived.append(message)
            time.sleep(ANSWER_S)  # so that one answer a user comes while the generator is stopped
            connection.send(message)

    with serve(echo_late, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        host = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        locust = Locust(
            "echo", host, tmp_path / "run", f"--ledger={ledger}", f"--steady={STEADY_S}", "--warm-up=0.5", "--rate=0",
            run_s=None,
        )  # fmt: skip
        until(lambda: len(arrived) > 10 * USERS)  # a second after the warm-up began: in the steady window
        os.kill(locust.process.pid, signal.SIGSTOP)
        time.sleep(STOPPED_S)
        os.kill(locust.process.pid, signal.SIGCONT)
        assert locust.ended()[0] == 0
        server.shutdown()
        thread.join()

    client = read_ledger(ledger, "client")
    lags_ms = client.filter(event=int(Event.RECEIVED))["argument"] / 1000
    assert (lags_ms > 300).sum() >= USERS // 2, "what came while it was stopped"
    assert statistics.median(lags_ms) < 50
    trial = TrialRecords(
        client=client, server=client.clear(), samples=NOTHING_SAMPLED, before=(), after=(), users=USERS
    )
    assert trial.window is not None
    reasons = invalid_because(trial, trial.window)
    assert any("the generator handled one message in a hundred" in reason for reason in reasons), reasons
