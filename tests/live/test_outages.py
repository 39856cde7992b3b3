"""Pauses on a real server and broker: nothing is answered while one lasts, all is after it, none stays stopped."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import polars as pl
import psutil
import pytest

from loadtest.ledger import Event, Phase
from loadtest.outages import OUTAGES
from tests.live.bench_process import Bench, assert_tidy, manifest, table

pytestmark = pytest.mark.live

STEADY_S = 3
USERS = 8
RATE = 5
"""Of each user: in a pause of a second 40 messages pile up, where the layer throws away what is more than 100."""
LONG = "--duration=6"
"""Its pause begins after two seconds and lasts two, in which a test can do something."""
PAUSES = {"server-pause": "target_app.asgi", "broker-pause": "valkey-server"}
"""What stands still, by a word of its command line."""
SETTINGS = (
    "--layers=redis", "--consumers=async", "--scenarios=churn", "--trials=1", f"--users={USERS}", f"--rate={RATE}",
    "--room-size=4", "--warm-up=0.2",
)  # fmt: skip


def test_pauses_when_listed_then_each_is_tried_here() -> None:
    assert {name for name, outage in OUTAGES.items() if outage.heals_s} == PAUSES.keys()


@pytest.mark.parametrize("name", PAUSES)
def test_pause_when_it_is_over_then_all_is_answered_that_was_not_meanwhile(name: str, tmp_path: Path) -> None:
    with Bench("bench", *SETTINGS, f"--drops={name}", f"--duration={STEADY_S}", "--out", tmp_path) as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
        assert_tidy(bench)
    (folder,) = tmp_path.glob("latest/trials/*/1")
    client = pl.read_parquet(folder / "client.parquet")
    marks = dict(client.filter(event=int(Event.PHASE)).select("code", "time_ns").rows())
    received_s = (client.filter(event=int(Event.RECEIVED))["time_ns"] - marks[Phase.STEADY]) / 1e9
    third = STEADY_S / 3
    assert received_s.is_between(third + 0.1, 2 * third - 0.1).sum() == 0
    assert received_s.is_between(0, third - 0.1).sum() > 0
    assert received_s.is_between(2 * third + 0.1, STEADY_S).sum() > 0
    row = table(tmp_path / "latest", "throughput").row(0, named=True)
    assert (row["drop"], row["valid"], row["ended_unexpectedly"]) == (name, "yes", 0)
    assert table(tmp_path / "latest", "disconnects").is_empty()
    delivery = table(tmp_path / "latest", "delivery").row(0, named=True)
    assert (delivery["lost"], delivery["expected"] > 0) == (0, True)


@pytest.mark.parametrize(("name", "ending"), [("server-pause", signal.SIGINT), ("broker-pause", signal.SIGTERM)])
def test_pause_when_the_bench_is_stopped_meanwhile_then_nothing_stays_stopped(
    name: str, ending: signal.Signals, tmp_path: Path
) -> None:
    with Bench("bench", *SETTINGS, f"--drops={name}", LONG, "--out", tmp_path) as bench:
        bench.wait_until(lambda: is_stopped(bench, PAUSES[name]))
        os.kill(bench.process.pid, ending)
        assert bench.ended() == 130
        assert_tidy(bench)
    assert manifest(tmp_path / "latest")["state"] == "interrupted"


def test_pause_when_the_server_dies_meanwhile_then_the_trial_fails_and_nothing_stays(tmp_path: Path) -> None:
    with Bench("bench", *SETTINGS, "--drops=broker-pause", LONG, "--out", tmp_path) as bench:
        bench.wait_until(lambda: is_stopped(bench, PAUSES["broker-pause"]))
        (server,) = bench.started(PAUSES["server-pause"])
        os.kill(server, signal.SIGKILL)
        assert bench.ended() == 4
        assert "failed: the target died (SIGKILL)" in bench.out
        assert_tidy(bench)


def is_stopped(bench: Bench, word: str) -> bool:
    return any(psutil.Process(pid).status() == psutil.STATUS_STOPPED for pid in bench.started(word))


def test_broker_pause_when_the_broker_is_the_users_own_then_it_is_refused(tmp_path: Path) -> None:
    url = "redis://127.0.0.1:1/0"
    with Bench("bench", *SETTINGS, "--drops=broker-pause", f"--redis-url={url}", "--out", tmp_path / "out") as bench:
        assert bench.ended() == 2
        assert "broker-pause stops a private broker only; leave it or --redis-url out" in bench.err
        assert_tidy(bench)
    assert not (tmp_path / "out").exists()
