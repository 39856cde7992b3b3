"""A small capacity run on the reference app: steps up until the level breaks; and one that is interrupted."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import polars as pl
import pytest

from loadtest.report.capacity import read_steps
from tests.live.bench_process import Bench, assert_clear, assert_tidy, manifest, table

pytestmark = pytest.mark.live

SHORT = ("--scenarios=broadcast", "--consumers=async", "--searches=1", "--duration=0.5", "--warm-up=0.2")
COARSE = ("--layers=inmemory", "--resolution=1", "--room-size=50")
"""A search that ends where two values are a factor of two apart, with the first break that is confirmed; and all users
are in one room, so that one comes soon."""


def test_capacity_when_run_then_each_step_has_the_rate_that_the_search_chose_and_there_is_an_answer(
    tmp_path: Path,
) -> None:
    with Bench("capacity", *SHORT, *COARSE, "--out", tmp_path) as bench:
        code = bench.ended()
        assert code in (0, 3), bench.out + bench.err
        assert_tidy(bench)
    run = tmp_path / "latest"
    answer = json.loads((run / "summary.json").read_text())["cells"][0]
    assert (code == 0) == (answer["kind"] != "not known")
    assert manifest(run)["state"] == "finished" and manifest(run)["done"] == 1
    steps = read_steps(run)
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    for step in steps:
        (job,) = run.glob(f"steps/*-async-broadcast-none/{step.number}/locust.job.json")
        assert json.loads(job.read_text())["rate"] == pytest.approx(step.rate)
    valid = table(run, "capacity").filter(pl.col("outcome").is_in(["kept", "broken"]))
    if not valid.is_empty():
        assert valid["busiest_share"].is_between(0, 1).all()
        assert (valid["sent"] <= valid["offered"] + valid["users"]).all(), "one of each sender may be due before"
    if answer["kind"] == "found":
        kept, broken = answer["searches"][0]["kept"], answer["searches"][0]["broken"]
        assert kept < answer["carries"]["estimate"] < broken <= 2.001 * kept
        assert answer["gave_way"]["broke"]
    assert "inmemory, async, broadcast: " in " ".join(bench_text(run).split())


def bench_text(run: Path) -> str:
    with Bench("report", run) as shown:
        assert shown.ended() == 0, shown.err
        return shown.out


def test_capacity_when_interrupted_then_the_steps_so_far_are_there_and_nothing_runs_on(tmp_path: Path) -> None:
    run = tmp_path / "latest"
    with Bench("capacity", *SHORT, "--layers=redis", "--workers=2", "--out", tmp_path) as bench:
        bench.wait_until(lambda: (run / "capacity.csv").is_file() and len(read_steps(run)) >= 1)
        os.kill(bench.process.pid, signal.SIGINT)
        assert bench.ended() == 130, bench.out + bench.err
        assert_tidy(bench)
    assert manifest(run)["state"] == "interrupted"
    assert {step.cell.as_row()["workers"] for step in read_steps(run)} == {2}
    assert (run / "report.html").is_file()


def test_capacity_when_the_plan_is_bad_then_nothing_is_started(tmp_path: Path) -> None:
    options = ("--servers=daphne", "--workers=2", "--keep=latency < 3", "--scenarios=echo")
    with Bench("capacity", *options, "--out", tmp_path, beside_others=False) as bench:
        assert bench.ended() == 2
        assert_clear(bench, "daphne runs 1 at most")
        assert "no figure 'latency'" in bench.err and "echo has no rate" in bench.err
    assert list(tmp_path.iterdir()) == []
