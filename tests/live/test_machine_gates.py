"""A trial whose figures are about the machine is not valid: each gate is closed here by doing the real thing.

What cannot be done for real without harm to the machine (steal, a set clock, sleep) is in tests/unit/checks.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

import loadtest.bench.generator as generator_module
import loadtest.bench.trial as trial_module
from loadtest.bench.conductor import Conducting
from loadtest.bench.generator import LEDGER, start_generator
from loadtest.bench.trial import TrialFailed, TrialSetup, run_trial
from loadtest.checks import TrialRecords
from loadtest.checks.validity import invalid_because
from loadtest.phases.messages import Order
from loadtest.stack.pinning import on_cpus, placement_here
from loadtest.stack.process import Process
from loadtest.targets import PreparedTarget, RunningTarget, Setting
from loadtest.targets.database import Database
from loadtest.targets.reference import PreparedReference
from tests.live import short_ramp
from tests.live.bench_process import Bench, manifest, table
from tests.unit.plans import make_plan

pytestmark = [pytest.mark.live, pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of most of this")]

LOOP = [sys.executable, "-c", "while True: pass"]
GENERATOR_FILES = 60
"""More than Locust needs to begin, and fewer than the users that are to connect."""
FIFTH_OF_A_CORE = {"cpu.cfs_quota_us": "20000", "cpu.max": "20000 100000"}
NO_QUOTA = {"cpu.cfs_quota_us": "-1", "cpu.max": "max 100000"}
"""By the file that either version of control groups has for it."""
SMALL = {"consumers": "async", "layers": "inmemory", "scenarios": "echo", "trials": 1, "warm_up": 0.5, "duration": 2.0}
SOON_OVER = {"drain": 0.5, "settle": 1.0}
"""For trials whose members do not come to rest: what they wait for does not come."""


def measured(target: PreparedTarget, folder: Path, **given: Any) -> TrialRecords:
    """Run one small trial and return what it recorded."""
    plan = make_plan({**SMALL, **given})
    return run_trial(plan.trials_in_order()[0], TrialSetup(plan=plan, target=target), folder / "trial").records


def reasons(trial: TrialRecords) -> str:
    """Return why the trial is not valid, a line each."""
    assert trial.window is not None
    return "\n".join(invalid_because(trial, trial.window))


@pytest.fixture
def busy_loops() -> Iterator[None]:
    """Two loops on each CPU that a pinned server would have."""
    cpus = placement_here(pin=True).server
    with contextlib.ExitStack() as loops, on_cpus(cpus):
        for _ in range(2 * len(cpus)):
            loop = loops.enter_context(subprocess.Popen(LOOP, start_new_session=True))
            loops.callback(loop.kill)
        yield


@pytest.mark.usefixtures("busy_loops")
def test_contention_when_loops_run_beside_the_server_then_the_trial_is_not_valid_unless_that_is_allowed(
    tmp_path: Path, database: Database
) -> None:
    trial = measured(PreparedReference(database=database), tmp_path)
    assert "ours waited for a CPU because of them" in reasons(trial)
    assert "because of them" not in reasons(replace(trial, allow_contention=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class FewFiles:
    """A target whose server may open a few files more than it has when it is ready."""

    target: PreparedTarget
    more: int

    @contextlib.contextmanager
    def start(self, setting: Setting) -> Iterator[RunningTarget]:
        with self.target.start(setting) as running:
            for process in running.processes:
                may_have = psutil.Process(process.pid).num_fds() + self.more
                resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (may_have, may_have))
            yield running


def test_files_when_the_server_may_open_few_then_the_trial_is_not_valid(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_module, "job_of", short_ramp.job_of)
    few = FewFiles(target=PreparedReference(database=database), more=12)
    trial = measured(few, tmp_path, users=30, pin=False, allow_contention=True, **SOON_OVER)
    assert "a process of the server had as many files open as it may" in reasons(trial)
    assert "of 30 users had a connection" in reasons(trial)


def test_files_when_the_generator_may_open_few_then_the_trial_fails_and_says_so(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Process] = []
    ledgers = tmp_path / "trial" / LEDGER

    class Limiting(Conducting):
        def turn(self, wait_s: float) -> list[Order]:
            orders = super().turn(wait_s)
            if any(ledgers.glob("client-*")):  # before it has begun, the generator would refuse so few
                resource.prlimit(started[0].pid, resource.RLIMIT_NOFILE, (GENERATOR_FILES, GENERATOR_FILES))
            return orders

    def kept(*given: Any, **named: Any) -> Process:
        started.append(start_generator(*given, **named))
        return started[-1]

    monkeypatch.setattr(generator_module, "SPAWN_RATE", GENERATOR_FILES // 2)  # a second apart, not all at once
    monkeypatch.setattr(trial_module, "Conducting", Limiting)
    monkeypatch.setattr(trial_module, "start_generator", kept)
    target = PreparedReference(database=database)
    with pytest.raises(TrialFailed, match="Too many open files"):  # Locust needs some for itself
        measured(target, tmp_path, users=2 * GENERATOR_FILES, pin=False, allow_contention=True)


def in_network_of_its_own(tmp_path: Path, script: str) -> list[str]:
    """Return the command that runs a script in a network namespace, with few ports; skip where that cannot be."""
    up = f"ip link set lo up && echo '50000 50029' > /proc/sys/net/ipv4/ip_local_port_range && {script}"
    command = ["unshare", "--net", "--map-root-user", "sh", "-c", up]
    if not shutil.which("unshare") or not shutil.which("ip"):
        pytest.skip("no unshare or no ip here, so no network of its own can be made")
    tried = subprocess.run([*command[:-1], up.replace(script, "true")], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no network of its own can be made here: {tried.stderr.strip()}")
    return command


def test_ports_when_there_are_fewer_than_users_then_the_bench_says_that_no_trial_is_valid(tmp_path: Path) -> None:
    options = "--scenarios echo --consumers async --layers inmemory --users 60 --trials 1 --duration 1 --warm-up 0"
    options += " --drain 0.5 --settle 1"
    script = f"exec {sys.executable} {short_ramp.__file__} bench {options} --no-pin --allow-contention --out {tmp_path}"
    program, *arguments = in_network_of_its_own(tmp_path, script)
    with Bench(*arguments, program=program) as bench:
        assert bench.ended() == 3, bench.out + bench.err
    whys = [trial["why"] for trial in manifest(tmp_path / "latest")["invalid"]]
    assert any("no local port was left" in why for why in whys)
    assert table(tmp_path / "latest", "throughput")["valid"].to_list() == ["no"]


@pytest.fixture
def quota() -> Iterator[Path]:
    """The file with the quota of a control group that has none yet; skip where we may make no group."""
    roots = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))
    root = next((root for root in roots if (root / "cgroup.procs").exists()), None)
    if root is None:
        pytest.skip("no control groups here")
    group = root / f"loadtest-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        limit = group / "cpu.cfs_quota_us"
        limit = limit if limit.exists() else group / "cpu.max"
        try:
            limit.write_text(limit.read_text())
        except OSError as error:
            pytest.skip(f"no CPU quota can be set here: {error}")
        yield limit
    finally:
        group.rmdir()


def test_throttling_when_a_quota_holds_the_bench_back_then_no_trial_is_valid_unless_that_is_allowed(
    tmp_path: Path, quota: Path
) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in SMALL.items()))

    def join() -> None:
        quota.with_name("cgroup.procs").write_text(str(os.getpid()))

    options = ("--out", tmp_path, "--no-pin", "--repeats", "0")
    with Bench("bench", "--plan", plan, *options, before=join, beside_others=False) as bench:
        bench.wait_until(lambda: list(tmp_path.glob("latest/trials/*/1/ledger/client-*")))
        quota.write_text(FIFTH_OF_A_CORE[quota.name])
        bench.wait_until(lambda: list(tmp_path.glob("latest/trials/*/1/client.parquet")))
        quota.write_text(NO_QUOTA[quota.name])  # the report would take long
        assert bench.ended() == 3, bench.out + bench.err
    assert any("a CPU quota held us back" in trial["why"] for trial in manifest(tmp_path / "latest")["invalid"])
    throughput = table(tmp_path / "latest", "throughput")
    assert throughput["throttled_s"].item() > 0
    assert throughput["messages_per_s"].item() > 0, "the figures are kept all the same"
