"""Bad moments: whatever happens to a bench at whatever instant, nothing is lost, nothing is left, it can be resumed.

`make test` tries one of them, `make soak` (LOADTEST_SOAK=1) 200.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import polars as pl
import pytest

from loadtest.report.folder import read_folder
from loadtest.report.manifest import read_manifest
from loadtest.stack.folders import remove_left_over
from tests.live.bad_moments import ENDED, Moment, let_happen, moments, mounting
from tests.live.bench_process import BESIDE_OTHERS, COMMAND, Bench, assert_tidy

pytestmark = pytest.mark.live

TRIALS = 2
PLAN = f"""
consumers = ["async"]
layers = ["redis-pubsub"]
scenarios = ["churn"]
drops = ["rst"]
users = 4
rate = 20
room_size = 2
warm_up = 0
duration = 0.5
drain = 0.5
settle = 2
trials = {TRIALS}
repeats = 0
twins = false
pin = false
allow_contention = true
"""
ALL = moments(200)
IN_SHORT = 22
"""The folder of the run is gone, in the midst of the second trial: of this no other test is, and it is soon over."""
MOMENTS = ALL if os.environ.get("LOADTEST_SOAK") else [ALL[IN_SHORT]]
GONE_S = 5.0
"""The kernel ends what hung on a bench that was killed; it does so when it gets round to it."""


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_moment_when_it_is_bad_then_nothing_is_lost_and_nothing_left_and_resume_makes_the_rest(
    moment: Moment, tmp_path: Path
) -> None:
    plan, out = tmp_path / "plan.toml", tmp_path / "out"
    plan.write_text(PLAN)
    with started(moment, plan, out, tmp_path) as bench:
        if moment.who != "disk":
            let_happen(moment, bench, out)
        code = bench.ended()
        said = f"{moment}: exit code {code}\n{bench.out}{bench.err}"
        print(said)  # pytest -rP shows what came of each
        assert code in moment.codes, said
        assert "Traceback" not in said
        assert_gone(bench)
        if code != -signal.SIGKILL:
            assert bench.left_behind() == [], said
        if code == 4:
            assert "channels-loadtest: " in bench.err or "failed: " in bench.out, said
        if code == 4 and moment.who == "folder":
            assert "was removed while the bench ran, and with it what was measured; run the bench again" in bench.err
        for run in runs_in(out):
            require_state(run, code)
            require_resumed_with_nothing_lost(run, bench)
        remove_left_over([bench.temporary])  # as the next bench does
        assert bench.left_behind() == [], said


def started(moment: Moment, plan: Path, out: Path, tmp_path: Path) -> Bench:
    if moment.who != "disk":
        return Bench("bench", "--plan", plan, "--out", out)
    small = mounting(tmp_path / "disk")
    if isinstance(small, str):
        pytest.skip(small)
    fill = f'({moment.wait_in_shell}; head -c 1G /dev/zero > "$1"/fill) >/dev/null 2>&1 &'
    bench = f'{COMMAND} bench --plan {plan} --out "$1" {" ".join(BESIDE_OTHERS)}'
    script = f'{fill} {bench}; code=$?; rm -f "$1"/fill; cp -a "$1" {out}; exit $code'
    return Bench(*small[1:], script, program=small[0], env={"SIZE": "100m"})


def runs_in(out: Path) -> list[Path]:
    """Return the one run there is, if it got so far that there is something of it to be read."""
    return [path.parent for path in out.glob("2*/manifest.json")]


def assert_gone(bench: Bench) -> None:
    deadline = time.monotonic() + GONE_S
    while bench.orphans():
        assert time.monotonic() < deadline, f"still there: {bench.orphans()}"
        time.sleep(0.01)


def require_state(run: Path, code: int) -> None:
    """Check that a run which has ended says so, and how."""
    state = read_manifest(run).state
    match code:
        case 130:
            assert state == "interrupted"
        case 4:
            assert state in ("interrupted", "finished")
        case -9:
            assert state in ("running", "interrupted", "finished")
        case _:
            assert state == "finished"


def require_resumed_with_nothing_lost(run: Path, bench: Bench) -> None:
    """Check that the run can be read, and is whole when the next bench has gone on with it."""
    with Bench("report", run) as report:
        assert report.ended() == 0, report.out + report.err
    _, measured = read_folder(run)
    with Bench("bench", "--resume", run, env={"TMPDIR": str(bench.temporary)}) as resumed:
        assert resumed.ended() in ENDED, resumed.out + resumed.err
        assert_tidy(resumed)
    manifest, tables = read_folder(run)
    assert (manifest.state, manifest.done, manifest.failed) == ("finished", TRIALS, ())
    assert sorted(tables.frame("throughput")["trial"]) == [1, 2]
    done = measured.frame("throughput")["trial"].implode()
    for table in measured:
        kept = tables.frame(table.name).filter(pl.col("trial").is_in(done))
        assert kept.equals(measured.frame(table.name)), f"{table.file} has lost something"
    assert [path.name for path in run.glob(".*")] == []
