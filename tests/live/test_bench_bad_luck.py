"""Bad luck: whatever dies, is full or is missing, the bench says so once, cleans up and keeps what it has."""

import os
import re
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from loadtest.ledger import Event, Phase
from loadtest.ledger.reader import read_ledger
from loadtest.phases.timing import STARTUP_S
from loadtest.report import read_tables
from tests.live.bad_moments import mounting
from tests.live.bench_process import COMMAND, Bench, assert_clear, assert_tidy, manifest, table

pytestmark = pytest.mark.live

CLIENT_LEDGERS = "ledger/client-*.ledger"
"""Files of a trial, one for each of its generators from when its users are started."""
PLAN = """
consumers = ["async"]
layers = ["inmemory"]
scenarios = ["echo"]
users = 4
rate = 20
warm_up = {warm_up}
duration = {duration}
drain = 0.5
settle = 2
trials = {trials}
twins = false
pin = false
allow_contention = true
"""


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def plan(folder: Path, *, trials: int = 1, duration: float = 0.3, warm_up: float = 0) -> Path:
    """Write a plan for a bench that is over soon, or whose trials last long enough to have something happen in them."""
    path = folder / f"plan-{trials}-{duration}.toml"
    path.write_text(PLAN.format(trials=trials, duration=duration, warm_up=warm_up))
    return path


def the_run(out: Path) -> Path:
    """Return the one run's folder in --out."""
    (run,) = (path for path in out.iterdir() if path.is_dir() and not path.is_symlink())
    assert (out / "latest").resolve() == run.resolve()
    return run


def under_load(out: Path, trial: int) -> bool:
    """Tell whether the generator of the n-th trial has begun."""
    return any(out.glob(f"*/trials/*/{trial}/{CLIENT_LEDGERS}"))


@pytest.fixture(scope="module")
def stood_still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, Path]]:
    """A bench whose server stands still in its steady window and does not go on: half a minute, most of it waiting."""
    folder = tmp_path_factory.mktemp("still")
    settings = ("--plan", plan(folder, duration=2), "--scenarios", "broadcast", "--out", folder / "out")
    with Bench("bench", "--verbose", *settings) as bench:
        stopping = threading.Thread(target=stop_server, args=(bench, folder / "out"))
        stopping.start()
        yield bench, folder / "out"
        stopping.join()


def stop_server(bench: Bench, out: Path) -> None:
    bench.wait_until(lambda: has_begun(out, Phase.STEADY))
    for server in bench.started("target_app.asgi"):
        os.kill(server, signal.SIGSTOP)


def has_begun(out: Path, phase: Phase) -> bool:
    """Tell whether the generator of the first trial has begun a phase."""
    begun = [read_ledger(ledger, "client") for ledger in out.glob("*/trials/*/1/ledger")]
    return any(not each.filter(event=int(Event.PHASE), code=int(phase)).is_empty() for each in begun)


@pytest.mark.usefixtures("stood_still")  # begins here, beside the tests that follow
def test_port_when_it_is_taken_then_exit_4_with_the_way_out(tmp_path: Path, out: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Bench("bench", "--plan", plan(tmp_path), "--out", out, "--port", str(port)) as bench:
            assert bench.ended() == 4
            assert_clear(bench, f"port {port} is taken by another process; pass --port 0 to pick a free one")
    assert manifest(the_run(out))["done"] == 0
    assert (the_run(out) / "report.html").exists()


def test_database_when_it_is_not_there_then_exit_4_with_djangos_reason(tmp_path: Path, out: Path) -> None:
    url = f"sqlite:///{tmp_path}/no/such/folder/db.sqlite3"
    with Bench("bench", "--plan", plan(tmp_path), "--out", out, env={"DATABASE_URL": url}) as bench:
        assert bench.ended() == 4
        assert_clear(bench, "check DATABASE_URL:\n(.*\n)*  django.db.utils.OperationalError: unable to open database")
        assert "Traceback" not in bench.err


def test_database_when_the_web_ui_is_given_one_that_is_not_there_then_exit_4_as_of_a_bench(tmp_path: Path) -> None:
    with Bench("ui", env={"DATABASE_URL": f"sqlite:///{tmp_path}/no/such/folder/db.sqlite3"}) as ui:
        assert ui.ended() == 4
        assert_clear(ui, "check DATABASE_URL:\n(.*\n)*  django.db.utils.OperationalError: unable to open database")


def test_target_when_it_dies_at_start_then_exit_4_with_its_last_words(tmp_path: Path, out: Path) -> None:
    (tmp_path / "uvicorn.py").write_text("raise SystemExit('no server today')\n")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    with Bench("bench", "--plan", plan(tmp_path), "--out", out, env={"PYTHONPATH": path}) as bench:
        assert bench.ended() == 4
        assert_clear(
            bench, r"died at start \(exit code 1\); its last lines:\n  no server today\n  \(all of it: .*server.log"
        )
    (log,) = the_run(out).glob("trials/*/1/server.log")
    assert log.read_text() == "no server today\n"


def test_target_when_it_is_killed_under_load_then_that_trial_fails_and_the_others_stay_and_resume_makes_it_good(
    tmp_path: Path, out: Path
) -> None:
    with Bench("bench", "--plan", plan(tmp_path, trials=2, duration=1.5), "--out", out) as bench:
        bench.wait_until(lambda: under_load(out, 1))
        (server,) = bench.started("target_app.asgi")
        os.kill(server, signal.SIGKILL)
        assert bench.ended() == 4
        assert bench.out.count("failed: the target died (SIGKILL)") == 1
        assert bench.err == ""
        assert_tidy(bench)
    run = the_run(out)
    assert manifest(run)["state"] == "finished"
    assert [(failed["trial"], "SIGKILL" in failed["why"]) for failed in manifest(run)["failed"]] == [(1, True)]
    assert table(run, "throughput")["trial"].to_list() == [2]
    with Bench("bench", "--resume", out / "latest") as bench:
        assert bench.ended() == 0, bench.err
        assert_tidy(bench)
    assert manifest(run)["failed"] == []
    assert sorted(table(run, "throughput")["trial"].to_list()) == [1, 2]


def test_valkey_when_it_is_killed_under_load_then_the_trial_fails_and_says_so(tmp_path: Path, out: Path) -> None:
    settings = ("--layers", "redis", "--scenarios", "broadcast")
    with Bench("bench", "--plan", plan(tmp_path, duration=5), "--out", out, *settings) as bench:
        bench.wait_until(lambda: under_load(out, 1))
        (valkey,) = bench.started("valkey-server")
        os.kill(valkey, signal.SIGKILL)
        assert bench.ended() == 4
        assert len(re.findall(r"failed: our Valkey .*is gone \(SIGKILL\); its log: ", bench.out)) == 1
        assert bench.err == ""
        assert_tidy(bench)
    assert table(the_run(out), "throughput").is_empty()


def test_generator_when_it_is_killed_under_load_then_the_trial_fails_and_says_so(tmp_path: Path, out: Path) -> None:
    with Bench("bench", "--plan", plan(tmp_path, duration=5), "--out", out) as bench:
        bench.wait_until(lambda: under_load(out, 1))
        (locust,) = bench.started("-m locust")
        os.kill(locust, signal.SIGKILL)
        assert bench.ended() == 4
        assert bench.out.count("failed: the generator ended early (SIGKILL)") == 1
        assert bench.err == ""
        assert_tidy(bench)
    assert table(the_run(out), "throughput").is_empty()


def test_second_generator_when_another_kills_it_before_its_time_then_the_trial_fails_and_says_so(
    tmp_path: Path, out: Path
) -> None:
    settings = ("--scenarios", "churn", "--drops", "sigkill")
    with Bench("bench", "--plan", plan(tmp_path, warm_up=2), "--out", out, *settings) as bench:
        bench.wait_until(lambda: len(list(out.glob(f"latest/trials/*/1/{CLIENT_LEDGERS}"))) == 2)
        (second,) = bench.started("locust-2.job.json")
        os.kill(second, signal.SIGKILL)
        assert bench.ended() == 4
        assert bench.out.count("failed: the second generator was killed by something else") == 1
        assert_tidy(bench)


def test_second_generator_when_it_is_killed_before_its_members_are_open_then_the_trial_fails_at_once(
    tmp_path: Path, out: Path
) -> None:
    settings = ("--scenarios", "churn", "--drops", "sigkill")
    with Bench("bench", "--plan", plan(tmp_path), "--out", out, *settings) as bench:
        bench.wait_until(lambda: bench.started("locust-2.job.json"))
        (second,) = bench.started("locust-2.job.json")
        began_s = time.monotonic()
        os.kill(second, signal.SIGKILL)
        assert bench.ended() == 4
        assert time.monotonic() - began_s < STARTUP_S, "not after the ramp's 30 s"
        assert bench.out.count("failed: the second generator was killed by something else") == 1
        assert_tidy(bench)


def test_redis_when_the_users_own_does_not_answer_then_exit_4_and_the_password_is_nowhere(
    tmp_path: Path, out: Path
) -> None:
    url = "redis://somebody:s3cret@127.0.0.1:1/0"
    arguments = ("bench", "--plan", plan(tmp_path), "--out", out, "--layers", "redis", "--redis-url", url)
    with Bench(*arguments) as bench:
        assert bench.ended() == 4
        assert_clear(bench, r"no Redis answers at redis://\*\*\*@127\.0\.0\.1:1/0: .*; check --redis-url")
        assert "s3cret" not in bench.out + bench.err
    run = the_run(out)
    assert "redis://***@127.0.0.1:1/0" in manifest(run)["command"]
    assert [path for path in run.rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()] == []


def test_files_when_too_few_may_be_open_then_exit_4_with_how_many_are_needed(tmp_path: Path, out: Path) -> None:
    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    with Bench("bench", "--plan", plan(tmp_path), "--users", "1000", "--out", out, before=lower) as bench:
        assert bench.ended() == 4
        assert_clear(bench, r"2500 open files are needed, and this process may have 256 .*or use fewer --users")


@pytest.fixture
def small_disk(tmp_path: Path) -> list[str]:
    """The beginning of a command that runs a script with a small disk in $1; skips where there can be none."""
    command = mounting(tmp_path / "disk")
    if isinstance(command, str):
        pytest.skip(command)
    return command


def on_small_disk(small_disk: list[str], tmp_path: Path, size: str, script: str, **plan_keys: float) -> Bench:
    """Run `script` and a bench with --out on the small disk, then copy what is there to tmp_path/kept."""
    bench = f'{COMMAND} bench --plan {plan(tmp_path, **plan_keys)} --out "$1"'  # type: ignore[arg-type]
    script = f'{script} {bench}; code=$?; mkdir {tmp_path}/kept; cp -a "$1"/. {tmp_path}/kept; exit $code'
    return Bench(*small_disk[1:], script, program=small_disk[0], env={"SIZE": size})


def test_disk_when_it_is_almost_full_then_exit_4_before_a_trial_begins(small_disk: list[str], tmp_path: Path) -> None:
    with on_small_disk(small_disk, tmp_path, "6m", "") as bench:
        assert bench.ended() == 4
        assert_clear(
            bench, r"64 MiB are needed in .* and \d MiB are free; make room, or pass --out with a folder on another"
        )
    (run,) = (tmp_path / "kept").iterdir()  # no `latest`: its first trial never began
    assert manifest(run)["state"] == "interrupted"


def test_disk_when_it_fills_up_under_load_then_exit_4_and_finished_trials_stay(
    small_disk: list[str], tmp_path: Path
) -> None:
    until = f'until ls "$1"/*/trials/*/2/{CLIENT_LEDGERS}; do sleep 0.01; done'
    fill = f'({until}; head -c 1G /dev/zero > "$1"/fill) >/dev/null 2>&1 &'
    with on_small_disk(small_disk, tmp_path, "100m", fill, trials=2, duration=1) as bench:
        assert bench.ended() == 4
        assert_clear(bench, "(No space left on device|MiB are needed|disk is full).*; to go on, .* bench --resume ")
    run = the_run(tmp_path / "kept")
    assert manifest(run)["state"] == "interrupted"
    assert run.stat().st_mode & 0o077 == 0, "nobody else may look into it"
    assert table(run, "throughput").filter(valid="yes")["trial"].to_list() == [1]


def test_out_when_it_cannot_be_written_then_exit_4_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Bench("bench", "--plan", plan(tmp_path), "--out", tmp_path / "file" / "below") as bench:
        assert bench.ended() == 4
        assert_clear(bench, "cannot make the run's folder in .*/file/below: Not a directory; pass --out with a folder")


def test_ctrl_c_when_a_trial_runs_then_finished_ones_are_saved_and_resume_makes_the_rest(
    tmp_path: Path, out: Path
) -> None:
    with Bench("bench", "--plan", plan(tmp_path, trials=3, duration=1), "--out", out) as bench:
        bench.wait_until(lambda: under_load(out, 2))
        with Bench("bench", "--out", tmp_path / "other", env={"TMPDIR": str(bench.temporary)}) as second:
            assert second.ended() == 4
            assert_clear(second, rf"another bench is running on this machine \(pid {bench.process.pid}\)")
        assert not (tmp_path / "other").exists()
        os.kill(bench.process.pid, signal.SIGINT)
        assert bench.ended() == 130
        run = the_run(out)
        assert bench.out.rstrip().endswith(f"Interrupted; to go on: channels-loadtest bench --resume {run}")
        assert bench.err == ""
        assert_tidy(bench)
    assert manifest(run)["state"] == "interrupted"
    done = manifest(run)["done"]
    assert done in (1, 2), "the second trial may have ended while the other bench was refused"
    finished = table(run, "throughput")
    assert finished["trial"].to_list() == [1, 2][:done]
    assert "interrupted" in (run / "report.html").read_text()
    with Bench("bench", "--resume", run) as bench:
        assert bench.ended() == 0, bench.err
        assert f"[1/{3 - done}" in bench.out
        assert_tidy(bench)
    assert (manifest(run)["state"], manifest(run)["done"]) == ("finished", 3)
    assert [note for note in manifest(run)["notes"] if not note.endswith("(plan)")] == []
    again = [trial["trial"] for trial in manifest(run)["repeated"]]  # the other bench's start may have disturbed one
    kept = finished.filter(~pl.col("trial").is_in(again))
    throughput = table(run, "throughput")
    assert throughput.filter(pl.col("trial").is_in(kept["trial"].to_list())).equals(kept)
    assert throughput["trial"].to_list() == [1, 2, 3]


def test_sigterm_when_a_trial_runs_and_ctrl_c_right_after_then_it_still_ends_in_order(
    tmp_path: Path, out: Path
) -> None:
    with Bench("bench", "--plan", plan(tmp_path, duration=20), "--out", out) as bench:
        bench.wait_until(lambda: under_load(out, 1))
        os.kill(bench.process.pid, signal.SIGTERM)
        bench.wait_until(lambda: not bench.started("locust"))
        os.kill(bench.process.pid, signal.SIGINT)
        assert bench.ended() == 130
        assert bench.orphans() == []
        assert "Traceback" not in bench.out + bench.err
    assert manifest(the_run(out))["state"] == "interrupted"


def test_hangup_when_it_is_ignored_as_under_nohup_then_the_bench_goes_on(tmp_path: Path, out: Path) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with Bench("bench", "--plan", plan(tmp_path), "--out", out, before=ignore) as bench:
        bench.wait_until(lambda: under_load(out, 1))
        os.kill(bench.process.pid, signal.SIGHUP)
        assert bench.ended() == 0, bench.err
    assert manifest(the_run(out))["state"] == "finished"


def test_sigkill_when_a_trial_runs_then_no_process_survives_and_resume_goes_on_from_what_was_saved(
    tmp_path: Path, out: Path
) -> None:
    arguments = ("--plan", plan(tmp_path, trials=2, duration=1), "--layers", "redis-pubsub", "--out", out)
    with Bench("bench", *arguments) as bench:
        bench.wait_until(lambda: under_load(out, 2))
        assert all(bench.started(word) for word in ("locust", "target_app.asgi", "valkey-server"))
        bench.process.kill()
        assert bench.ended() == -signal.SIGKILL
        wait_until_gone(bench)
    run = the_run(out)
    assert (manifest(run)["state"], manifest(run)["done"]) == ("running", 1)
    assert table(run, "throughput")["trial"].to_list() == [1]
    assert read_tables(run).frame("delivery").height == 1
    cut_off_while_saving(run)
    with Bench("bench", "--resume", run) as bench:
        assert bench.ended() == 0, bench.err
        assert_tidy(bench)
    assert (manifest(run)["state"], manifest(run)["done"]) == ("finished", 2)
    for name in ("throughput", "delivery"):
        assert table(run, name)["trial"].to_list() == [1, 2]


def wait_until_gone(bench: Bench) -> None:
    """Wait until the kernel has ended what hung on the bench; it does so when it gets round to it."""
    for _ in range(500):
        if not bench.orphans():
            return
        signal.sigtimedwait([], 0.01)
    raise AssertionError(f"still there: {bench.orphans()}")


def cut_off_while_saving(run: Path) -> None:
    """Leave a run as a kill in the midst of saving trial 2 does: some tables have its rows, the last does not."""
    path = run / "delivery.csv"
    lines = path.read_text().splitlines(keepends=True)
    second = lines[1].split(",")
    second[6] = "2"
    path.write_text("".join([*lines, ",".join(second)]))


def test_server_when_it_stands_still_and_does_not_go_on_then_that_is_the_first_thing_that_is_said(
    stood_still: tuple[Bench, Path],
) -> None:
    bench, out = stood_still
    assert bench.ended() in (0, 3), bench.out + bench.err
    found = " ".join(bench.out.partition("(the most important first)")[2].split())
    assert "the server stood still: at the end it had served nobody for" in found[:300], "the first thing"
    assert_tidy(bench)
    speed = table(the_run(out), "throughput").row(0, named=True)
    assert speed["stood_still_ms"] > 1000
    assert speed["stalls"] > 0
    delivery = table(the_run(out), "delivery").row(0, named=True)
    assert delivery["lost"] + delivery["unknown"] > delivery["delivered"]
