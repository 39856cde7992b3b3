"""Processes, the leash, the private Valkey, limits and the lock, with real processes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import psutil
import pytest
import redis

from loadtest.brokers.redis import delete_keys, private_valkey, redis_server
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import short_folder
from loadtest.stack.lock import only_bench
from loadtest.stack.pinning import on_cpus
from loadtest.stack.process import Process
from loadtest.stack.sampler import SCHEMA, Sampler

pytestmark = pytest.mark.live

Until = Callable[[Callable[[], object]], None]
SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


def start(command: list[str], folder: Path) -> Process:
    return Process(command, name="test", log=folder / "log", env=os.environ, cwd=folder)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_process_when_with_ends_then_it_is_gone_and_its_exit_known(tmp_path: Path, until: Until) -> None:
    with start(SLEEP, tmp_path) as process:
        until(lambda: "up" in process.log_tail())
        assert process.alive
    assert process.exited == -signal.SIGTERM
    assert gone(process.pid)
    assert process.stop() == -signal.SIGTERM


def test_process_when_the_body_raises_then_it_is_gone(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), start(SLEEP, tmp_path) as process:
        raise KeyboardInterrupt
    assert gone(process.pid)


def test_process_when_it_ends_by_itself_then_its_exit_code_is_told(tmp_path: Path) -> None:
    with start([sys.executable, "-c", "raise SystemExit(7)"], tmp_path) as process:
        assert process.wait(20) == 7
        assert not process.alive


def test_process_when_the_program_is_not_there_then_it_exits_and_says_so(tmp_path: Path) -> None:
    with start(["/no/such/program"], tmp_path) as process:
        assert process.wait(20) == 126
        assert "cannot start /no/such/program: No such file" in process.log_tail()


def test_process_when_it_ignores_sigterm_then_it_and_its_children_are_killed(tmp_path: Path, until: Until) -> None:
    stubborn = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(os.fork(), flush=True)\n"
        "time.sleep(600)\n"
    )
    with start([sys.executable, "-c", stubborn], tmp_path) as process:
        until(lambda: len((tmp_path / "log").read_text().split()) == 2)
        child = max(int(word) for word in (tmp_path / "log").read_text().split())
        assert process.stop(grace_s=0.05) == -signal.SIGKILL
    assert gone(process.pid)
    until(lambda: gone(child))


def test_process_when_the_leader_has_ended_then_stop_still_kills_what_it_started(tmp_path: Path, until: Until) -> None:
    code = "import os, time\npid = os.fork()\nif pid: print(pid, flush=True); os._exit(0)\ntime.sleep(600)\n"
    with start([sys.executable, "-c", code], tmp_path) as process:
        assert process.wait(20) == 0
        child = int((tmp_path / "log").read_text())
        assert not gone(child)
    until(lambda: gone(child))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_leash_when_the_bench_is_killed_then_server_and_valkey_die(tmp_path: Path, until: Until) -> None:
    bench = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from loadtest.layers import LAYERS\n"
        "from loadtest.servers import SERVERS\n"
        "from loadtest.targets import Setting, running\n"
        "from loadtest.targets.reference import ReferenceApp\n"
        "folder = Path(sys.argv[1])\n"
        "setting = Setting(server=SERVERS['uvicorn'], layer=LAYERS['redis'], folder=folder)\n"
        "with running(ReferenceApp().prepare(folder), setting, {}) as up:\n"
        "    print(up.target.processes[0].pid, up.broker.pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    command = [sys.executable, "-c", bench, str(tmp_path)]
    with short_folder() as folder:  # a killed bench cannot remove its own
        env = {**os.environ, "TMPDIR": str(folder)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
            assert process.stdout is not None
            pids = [int(word) for word in process.stdout.readline().split()]
            process.kill()
        assert len(pids) == 2
        until(lambda: all(gone(pid) for pid in pids))


def test_valkey_when_up_then_it_answers_and_when_left_it_is_gone(tmp_path: Path) -> None:
    with private_valkey(log=tmp_path / "log") as server:
        assert server.alive()
        server.require_alive()
        assert server.version.startswith("valkey ")
        assert server.pid is not None
        with redis.Redis.from_url(server.url) as client:
            assert client.config_get("save") == {"save": ""}
    assert gone(server.pid)
    assert not server.alive()


def test_valkey_when_killed_then_the_error_says_what_happened(tmp_path: Path, until: Until) -> None:
    with private_valkey(log=tmp_path / "log") as server:
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        until(lambda: not server.alive())
        with pytest.raises(EnvironmentFailed, match=r"our Valkey \(pid \d+\) is gone \(SIGKILL\)"):
            server.require_alive()


def test_valkey_when_stopped_and_not_answering_then_it_is_not_alive(tmp_path: Path) -> None:
    with private_valkey(log=tmp_path / "log") as server:
        assert server.pid is not None
        os.kill(server.pid, signal.SIGSTOP)
        try:
            assert not server.alive()
            with pytest.raises(EnvironmentFailed, match="does not answer"):
                server.require_alive()
        finally:
            os.kill(server.pid, signal.SIGCONT)


def test_users_redis_when_it_answers_then_it_is_used_and_left_running(tmp_path: Path) -> None:
    with private_valkey(log=tmp_path / "log") as theirs:
        with redis_server(theirs.url, log=tmp_path / "other") as server:
            assert (server.url, server.pid) == (theirs.url, None)
            server.require_alive()
        assert theirs.alive()


def test_users_redis_when_it_does_not_answer_then_the_error_names_the_option_and_hides_the_password(
    tmp_path: Path,
) -> None:
    url = f"unix://me:secret@{tmp_path}/none.sock"
    with pytest.raises(EnvironmentFailed, match=r"no Redis answers at .*--redis-url") as caught:
        redis_server(url, log=tmp_path / "log").__enter__()
    assert "secret" not in str(caught.value)


def test_users_redis_when_the_url_is_none_then_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match=r"no Redis answers at \*\*\*: Redis URL must"):
        redis_server("localhost:6379", log=tmp_path / "log").__enter__()


def test_delete_keys_when_there_are_others_then_only_ours_go(tmp_path: Path) -> None:
    with private_valkey(log=tmp_path / "log") as server, redis.Redis.from_url(server.url) as client:
        client.mset({f"loadtest-a[1].{number}": "" for number in range(2500)})
        client.mset({"loadtest-a1.x": "", "loadtest-b.x": "", "theirs": ""})
        assert delete_keys(server.url, "loadtest-a[1].") == 2500
        assert sorted(client.keys()) == [b"loadtest-a1.x", b"loadtest-b.x", b"theirs"]


def risen(samples: pl.DataFrame, column: str) -> float:
    """Return the difference between the highest and the lowest value."""
    return float(samples.select(pl.col(column).max() - pl.col(column).min()).item() or 0)


def most_cpu_s(sampler: Sampler, role: str) -> float:
    return float(max(sampler.frame().filter(role=role)["cpu_s"], default=0))


def test_sampler_when_processes_work_and_end_then_rows_say_so(tmp_path: Path, until: Until) -> None:
    busy = "import os, time\nif os.fork(): os.wait()\nelse:\n while time.process_time() < 0.3: pass\ntime.sleep(600)\n"
    with start(SLEEP, tmp_path) as other, Sampler({"broker": [], "ended": [2**22 - 1]}, interval_s=0.02) as sampler:
        with start([sys.executable, "-c", busy], tmp_path) as process:
            sampler.watch("server", process.pid)
            sampler.watch("generator", other.pid)
            until(lambda: sampler.frame().filter(role="server", processes=2).height)
            until(lambda: most_cpu_s(sampler, "server") >= 0.3)
        rows = sampler.frame().height
        until(lambda: sampler.frame().filter(role="generator").height > rows)
    frame = sampler.frame()
    assert frame.schema == SCHEMA
    assert set(frame["role"]) == {"server", "generator"}
    server = frame.filter(role="server")
    assert server["cpu_s"].is_sorted()
    assert server["time_ns"].is_sorted()
    assert server.select("rss_bytes", "threads", "fds").min().row(0) > (0, 0, 0)


def test_sampler_when_one_of_two_processes_is_killed_then_what_both_used_goes_on_to_be_summed(
    tmp_path: Path, until: Until
) -> None:
    busy = [sys.executable, "-c", "while True: pass"]

    def used_s() -> float:
        return most_cpu_s(sampler, "generator")

    with (
        start(busy, tmp_path) as first,
        start(busy, tmp_path) as second,
        Sampler({"generator": [first.pid]}, interval_s=0.02) as sampler,
    ):
        sampler.watch("generator", second.pid)
        until(lambda: sampler.frame().filter(role="generator", processes=2).height and used_s() > 0.4)
        second.signal(signal.SIGKILL)
        until(lambda: sampler.frame().filter(role="generator").tail(1)["processes"].item() == 1)
        then_s = used_s()
        until(lambda: used_s() > then_s + 0.05)  # at once, and not only when the first has caught up with both
        assert psutil.Process(first.pid).cpu_times().user < used_s() - 0.1
    assert sampler.frame()["cpu_s"].is_sorted()


def test_open_files_when_the_soft_limit_is_low_then_it_is_raised_and_inherited() -> None:
    code = (
        "import resource, subprocess\n"
        "from loadtest.stack.limits import need_open_files\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))\n"
        "need_open_files(512)\n"
        "print(subprocess.check_output(['sh', '-c', 'ulimit -n'], text=True))\n"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == ["512"]


@pytest.mark.skipif(not Path("/proc/sys/fs/nr_open").exists(), reason="only Linux tells its limit of limits")
def test_open_files_when_the_system_has_fewer_then_the_error_says_how_to_raise_it() -> None:
    code = (
        "from loadtest.stack.errors import EnvironmentFailed\n"
        "from loadtest.stack.limits import need_open_files\n"
        "try: need_open_files(int(open('/proc/sys/fs/nr_open').read()) + 1)\n"
        "except EnvironmentFailed as error: print(error)\n"
    )
    assert "ulimit -n" in subprocess.check_output([sys.executable, "-c", code], text=True)


def test_lock_when_its_holder_is_killed_then_it_is_free(tmp_path: Path, until: Until) -> None:
    path = tmp_path / "lock"
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom loadtest.stack.lock import only_bench\n"
        "with only_bench(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(EnvironmentFailed, match=f"pid {holder.pid}"), only_bench(path):
            pass
        holder.kill()
    with only_bench(path):
        pass


def test_leash_when_asked_then_the_program_keeps_pid_environment_and_arguments(tmp_path: Path) -> None:
    code = "import json, os, sys; print(json.dumps([os.getpid(), os.environ['X'], sys.argv[1:], os.getpgrp()]))"
    command = [sys.executable, "-c", code, "a b", "--c"]
    with Process(command, name="test", log=tmp_path / "log", env={"X": "1"}, cwd=tmp_path) as process:
        assert process.wait(20) == 0
    assert json.loads((tmp_path / "log").read_text()) == [process.pid, "1", ["a b", "--c"], process.pid]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long a thread waited")
def test_sampler_when_two_processes_share_a_cpu_then_both_wait_for_it_and_neither_is_foreign(
    tmp_path: Path, until: Until
) -> None:
    cpu = frozenset({max(os.sched_getaffinity(0))})
    busy = [sys.executable, "-c", "while True: pass"]
    with on_cpus(cpu), start(busy, tmp_path) as first, start(busy, tmp_path) as second:
        roles = {"server": [first.pid], "generator": [second.pid]}
        with Sampler(roles, cpus=dict.fromkeys(roles, cpu), interval_s=0.02) as sampler:
            for role in roles:
                until(lambda role=role: risen(sampler.frame().filter(role=role), "wait_s") > 0.2)  # type: ignore[misc]
            until(lambda: risen(sampler.frame(), "involuntary") > 5)
    shared = sampler.cpus_frame()
    assert set(shared["roles"]) == {"generator,server"}
    ours_s = sum(risen(samples, "cpu_s") for _, samples in sampler.frame().group_by("role"))
    assert risen(shared, "busy_s") >= 0.5 * ours_s
    assert sampler.host_frame()["wall_ns"].null_count() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux pins")
def test_cpus_when_a_process_is_started_on_some_then_it_stays_there_and_we_do_not(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    with on_cpus(frozenset({min(before)})), start(SLEEP, tmp_path) as process:
        assert os.sched_getaffinity(process.pid) == {min(before)}
    assert os.sched_getaffinity(0) == before
