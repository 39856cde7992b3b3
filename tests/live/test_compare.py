"""A run, the same again with `--like`, both compared; and thresholds that are kept and broken."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.figures.twins import twin_pairs
from tests.live.bench_process import Bench, assert_tidy, manifest, table

pytestmark = pytest.mark.live

OPTIONS = ("--layers=inmemory", "--consumers=async", "--scenarios=echo", "--users=4", "--rate=20", "--warm-up=0")
KEPT, BROKEN = "consumer=async: messages_per_s > 1000000", "messages_per_s > 0"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One short run, alone in its results folder."""
    out = tmp_path_factory.mktemp("runs") / "out"
    with Bench("bench", *OPTIONS, "--duration=1", "--trials=2", "--fail-on", KEPT, "--out", out) as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
        assert f"All thresholds are kept: {KEPT}" in bench.out
    yield (out / "latest").resolve()


def test_trials_when_there_are_twins_then_each_has_the_seed_of_its_round(run: Path) -> None:
    pairs = twin_pairs(2)
    assert sorted(table(run, "throughput")["trial"]) == sorted(number for pair in pairs for number in pair)
    seeds = [
        {json.loads(job.read_text())["seed"] for number in pair for job in run.glob(f"trials/*/{number}/*.job.json")}
        for pair in pairs
    ]
    assert [len(found) for found in seeds] == [1, 1] and len(set.union(*seeds)) == 2


def test_bench_when_it_is_like_a_run_then_it_has_its_plan_and_the_two_can_be_compared(run: Path) -> None:
    out = run.parent
    with Bench("bench", "--like", run, "--fail-on", BROKEN, "--no-twins", "--out", out) as bench:
        assert bench.ended() == 1, bench.out + bench.err
        assert f"Broken: {BROKEN}\n  inmemory, async, echo: " in bench.out
        assert f"Note: the plan is that of {run.name}" in bench.err
        assert_tidy(bench)
    second = (out / "latest").resolve()
    assert second != run
    assert {**manifest(run)["plan"], "fail_on": [BROKEN], "twins": False} == manifest(second)["plan"]
    with Bench("compare", run, second, "--format", "md") as compared:
        assert compared.ended() in (0, 1), compared.err
        assert compared.out.count("| inmemory, async, echo |") >= 4


def test_report_when_a_threshold_is_broken_then_exit_1(run: Path) -> None:
    with Bench("report", run, "--fail-on", BROKEN) as report:
        assert report.ended() == 1
        assert f"Broken: {BROKEN}" in report.out
