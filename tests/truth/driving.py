"""A real Locust with a ledger, as the bench starts one, against a server that knows how long it took."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from loadtest.checks import TrialRecords
from loadtest.ledger import Event
from loadtest.ledger.reader import read_ledger
from loadtest.load import Job
from loadtest.shipped import LOCUSTFILES

HERE: Final = Path(__file__).resolve().parent
PROJECT: Final = HERE.parent.parent
CALM: Final = LOCUSTFILES / "echo.py"
BUSY: Final = HERE / "busy_echo.py"
WARM_UP_S: Final = 0.5
ENDS_S: Final = 60.0
"""A run of a few seconds has ended by then on a busy machine, or hangs."""
NOTHING_SAMPLED: Final = pl.DataFrame(
    schema={"time_ns": pl.Int64, "role": pl.String, "cpu_s": pl.Float64, "rss_bytes": pl.Int64}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """What is sent: by so many users so many messages a second each; 0: the next one when the answer has come."""

    kind: str
    """The delays, by their name in known_server.py."""
    users: int
    rate: float
    locustfile: Path = CALM
    steady_s: float = 2.5

    def __str__(self) -> str:
        speed = f"{self.users * self.rate:g} a second" if self.rate else f"{self.users} waiting"
        return f"{self.kind}, {speed}, {'busy' if self.locustfile == BUSY else 'calm'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """What both sides wrote down."""

    trial: TrialRecords
    truth: pl.DataFrame
    """The columns of known_server.py's file."""


def drive(what: Drive, folder: Path) -> Driven:
    """Run Locust against the server until it has ended by itself."""
    ledger = folder / "ledger"
    ledger.mkdir(parents=True)
    with _server(what.kind, folder) as port:
        job = Job(
            host=f"ws://127.0.0.1:{port}/",
            rate=what.rate,
            ledger=str(ledger),
            warm_up=WARM_UP_S,
            steady=what.steady_s,
        )
        _run_locust(what, job, folder)
    client = read_ledger(ledger, "client")
    trial = TrialRecords(
        client=client, server=client.clear(), samples=NOTHING_SAMPLED, before=(), after=(), users=what.users
    )
    return Driven(trial=trial, truth=pl.read_csv(folder / "truth.csv", schema_overrides={"message": pl.UInt64}))


def pairs_of(driven: Driven) -> pl.DataFrame:
    """Each message that was sent, with what both sides say of it in ms: those that the server or the ledger lacks too.

    `measured`: from the sending to the arrival, as the ledger has it. `true`: from when the server's kernel had it to
    its answer. `planned`: from the planned sending to the arrival. `late`: from the planned to the real sending.
    """
    client = driven.trial.client.with_columns(pl.col("time_ns", "argument").cast(pl.Int64))
    sent = client.filter(event=int(Event.SENT)).select(
        message="value", sent_ns="time_ns", late=pl.col("argument") / 1000
    )
    arrived = client.filter(event=int(Event.RECEIVED)).select(message="value", arrived_ns="time_ns")
    # the answer left at some moment of the system call, which the kernel may have held up
    left_ns = pl.col("arrived_ns").clip(pl.col("answering_ns"), pl.col("answered_ns"))
    return (
        sent.join(arrived, on="message", how="left")
        .join(driven.truth, on="message", how="left")
        .with_columns(
            measured=(pl.col("arrived_ns") - pl.col("sent_ns")) / 1e6,
            true=(left_ns - pl.col("came_ns")) / 1e6,
            planned=(pl.col("arrived_ns") - pl.col("planned_ns")) / 1e6,
            true_from_plan=(left_ns - pl.col("planned_ns")) / 1e6,
        )
    )


@contextmanager
def _server(kind: str, folder: Path) -> Iterator[int]:
    server = subprocess.Popen([sys.executable, str(HERE / "known_server.py"), str(folder), kind, "1"])
    try:
        _until((folder / "port").exists, "the server does not listen")
        yield int((folder / "port").read_text())
        server.send_signal(signal.SIGTERM)
        assert server.wait(ENDS_S) == 0
    finally:
        server.kill()
        server.wait()


def _run_locust(what: Drive, job: Job, folder: Path) -> None:
    path = folder / "locust.job.json"
    path.write_text(job.model_dump_json())
    options = {
        "locustfile": what.locustfile,
        "job": path,
        "users": what.users,
        "spawn-rate": 100,
        "loglevel": "WARNING",
    }
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LOCUST_", "LOADTEST_"))}
    locust = subprocess.run(
        [sys.executable, "-m", "locust", "--headless", "--only-summary", *(f"--{k}={v}" for k, v in options.items())],
        cwd=folder,
        env={**env, "PYTHONPATH": str(PROJECT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=ENDS_S,
    )
    assert locust.returncode == 0, locust.stdout + locust.stderr


def _until(condition: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + ENDS_S
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.01)
