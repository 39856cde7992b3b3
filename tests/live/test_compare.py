"""A run, the same again with `--like`, both compared; and thresholds that are kept and broken."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.bench_process import Bench, assert_tidy, manifest

pytestmark = pytest.mark.live

OPTIONS = ("--layers=inmemory", "--consumers=async", "--scenarios=echo", "--users=4", "--rate=20", "--warm-up=0")
KEPT, BROKEN = "consumer=async: messages_per_s > 1000000", "messages_per_s > 0"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A results folder with one short run."""
    out = tmp_path_factory.mktemp("runs") / "out"
    with Bench("bench", *OPTIONS, "--duration=1", "--trials=2", "--fail-on", KEPT, "--out", out) as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
        assert f"All thresholds are kept: {KEPT}" in bench.out
    yield out


def test_bench_when_it_is_like_a_run_then_it_has_its_plan_and_the_two_can_be_compared(out: Path) -> None:
    first = (out / "latest").resolve()
    with Bench("bench", "--like", first, "--fail-on", BROKEN, "--out", out) as bench:
        assert bench.ended() == 1, bench.out + bench.err
        assert f"Broken: {BROKEN}\n  inmemory, async, echo: " in bench.out
        assert f"Note: the plan is that of {first.name}" in bench.err
        assert_tidy(bench)
    second = (out / "latest").resolve()
    assert second != first
    assert {**manifest(first)["plan"], "fail_on": [BROKEN]} == manifest(second)["plan"]
    with Bench("compare", first, second, "--format", "md") as compared:
        assert compared.ended() in (0, 1), compared.err
        assert compared.out.count("| inmemory, async, echo |") >= 4


def test_report_when_a_threshold_is_broken_then_exit_1(out: Path) -> None:
    with Bench("report", out / "latest", "--fail-on", BROKEN) as report:
        assert report.ended() == 1
        assert f"Broken: {BROKEN}" in report.out
