"""What the machine tells of itself, from recorded files: CPU time of all processes, waiting threads, quotas, clocks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loadtest.stack.host import CpuTimes, clock_source, clocks, cpu_times, quotas, throttled_s
from loadtest.stack.waiting import Waited, WaitingOf, tells_waiting

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
STAT = """\
cpu  400 40 200 9000 60 1 20 30 0 0
cpu0 100 10 50 4500 30 0 10 20 0 0
cpu1 300 30 150 4500 30 1 10 10 0 0
cpu10 1 1 1 1 1 1 1 1 1 1
intr 12345 0 0
"""


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_cpu_times_when_some_cpus_are_ours_then_the_others_do_not_count(tmp_path: Path) -> None:
    stat = written(tmp_path / "stat", STAT)
    assert cpu_times(frozenset({0}), stat) == CpuTimes(busy_s=160 * TICK_S, steal_s=20 * TICK_S)
    assert cpu_times(frozenset({0, 1}), stat) == CpuTimes(busy_s=640 * TICK_S, steal_s=30 * TICK_S)


@pytest.mark.parametrize("text", ["", "cpu  400 40 200\n", "cpu0 1 2 3\n", STAT.replace("cpu1 ", "cpu2 ")])
def test_cpu_times_when_a_cpu_is_not_told_of_then_they_are_not_known(tmp_path: Path, text: str) -> None:
    assert cpu_times(frozenset({0, 1}), written(tmp_path / "stat", text)) is None


def test_cpu_times_when_there_is_no_file_or_no_cpu_then_they_are_not_known(tmp_path: Path) -> None:
    assert cpu_times(frozenset({0}), tmp_path / "none") is None
    assert cpu_times(frozenset(), written(tmp_path / "stat", STAT)) is None


def test_throttling_when_a_group_above_ours_has_the_quota_then_it_counts(tmp_path: Path) -> None:
    of = written(tmp_path / "cgroup", "0::/a/b\n")
    written(tmp_path / "fs/a/b/cpu.stat", "usage_usec 5\n")
    written(tmp_path / "fs/a/cpu.stat", "usage_usec 9\nnr_throttled 3\nthrottled_usec 2500000\n")
    assert throttled_s(quotas(of, tmp_path / "fs")) == 2.5


def test_throttling_when_control_groups_are_of_version_1_then_it_is_read_in_ns(tmp_path: Path) -> None:
    of = written(tmp_path / "cgroup", "9:name=systemd:/\n2:cpuset:/x\n1:cpu,cpuacct:/x\n0::/\n")
    written(tmp_path / "fs/cpu/x/cpu.stat", "nr_periods 7\nnr_throttled 2\nthrottled_time 1500000000\n")
    assert throttled_s(quotas(of, tmp_path / "fs")) == 1.5


def test_throttling_when_no_quota_is_known_of_then_it_is_not_known(tmp_path: Path) -> None:
    assert quotas(tmp_path / "none", tmp_path) == ()
    of = written(tmp_path / "cgroup", "0::/\n")
    assert throttled_s(quotas(of, tmp_path)) is None
    written(tmp_path / "cpu.stat", "usage_usec 5\n")
    assert throttled_s(quotas(of, tmp_path)) is None


def test_clocks_when_read_twice_then_they_run_alike() -> None:
    first, second = clocks(), clocks()
    assert abs(second.wall_ns - first.wall_ns) < 10**9
    assert second.boot_ns == first.boot_ns or abs((second.boot_ns or 0) - (first.boot_ns or 0)) < 10**9


def test_clock_source_when_the_kernel_does_not_say_then_it_is_unknown(tmp_path: Path) -> None:
    assert clock_source(written(tmp_path / "source", "kvm-clock\n")) == "kvm-clock"
    assert clock_source(tmp_path / "none") == "unknown"


def thread(proc: Path, number: int, *, wait_ns: int, switches: int) -> None:
    folder = proc / f"7/task/{number}"
    written(folder / "schedstat", f"123 {wait_ns} 9\n")
    written(folder / "status", f"Name:\tx\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t{switches}\n")


def test_waiting_when_threads_come_and_go_then_what_each_waited_stays_counted(tmp_path: Path) -> None:
    waiting = WaitingOf(pid=7)
    thread(tmp_path, 7, wait_ns=1_000_000_000, switches=10)
    thread(tmp_path, 8, wait_ns=500_000_000, switches=3)
    waiting.look(tmp_path)
    assert waiting.waited == Waited(wait_s=1.5, involuntary=13)
    for name in ("schedstat", "status"):
        (tmp_path / "7/task/8" / name).unlink()
    (tmp_path / "7/task/8").rmdir()
    thread(tmp_path, 7, wait_ns=2_000_000_000, switches=11)
    waiting.look(tmp_path)
    assert waiting.waited == Waited(wait_s=2.5, involuntary=14)
    thread(tmp_path, 8, wait_ns=100_000_000, switches=1)  # another thread with the number of the one that ended
    waiting.look(tmp_path)
    assert waiting.waited == Waited(wait_s=2.6, involuntary=15)


def test_waiting_when_the_process_is_gone_then_nothing_was_waited(tmp_path: Path) -> None:
    waiting = WaitingOf(pid=7)
    waiting.look(tmp_path)
    assert waiting.waited == Waited(wait_s=0, involuntary=0)


@pytest.mark.parametrize(("told", "is_kept"), [("5 6 7", True), ("0 0 0", False), ("", False)])
def test_waiting_when_the_kernel_keeps_none_then_that_is_known(tmp_path: Path, told: str, is_kept: bool) -> None:
    written(tmp_path / "thread-self/schedstat", told)
    assert tells_waiting(tmp_path) is is_kept
    assert not tells_waiting(tmp_path / "none")
