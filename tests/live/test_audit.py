"""`channels-loadtest audit`: a server and a locust that were started by hand, and what is found in their ledgers."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from loadtest.cli.exit_codes import NOT_VALID
from loadtest.report.csv_files import read_tables
from loadtest.shipped import LOCUSTFILES, SHIPPED
from loadtest.stack.process import Process
from loadtest.targets.database import Database
from tests.again import again_until
from tests.live.bench_process import Bench, may_be_lost

pytestmark = pytest.mark.live

ROOM_SIZE = 4
LOAD = ("--users=8", "--spawn-rate=100", f"--room-size={ROOM_SIZE}", "--rate=5", "--steady=3")
CERTAIN = "burst-close"
"""Its disconnects are missed whatever the load."""
DROPS = ("--drop-share=0.7", "--offline=0.2", f"--drop-kind=rst,{CERTAIN}")
ENDS_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """The ledgers of one test."""

    client: Path
    server: Path


@contextmanager
def served(folder: Path, env: Mapping[str, str]) -> Iterator[str]:
    """Start the reference app as a person would; yield its address."""
    command = [sys.executable, "-m", "uvicorn", "target_app.asgi:application", "--port=0", "--lifespan=off"]
    with Process(
        command,
        name="server",
        log=folder / "server.log",
        env={**os.environ, "PYTHONPATH": str(SHIPPED), **env},
        cwd=folder,
    ) as process:
        while not (found := re.search(r"running on http://(127\.0\.0\.1:\d+)", process.log_tail())):
            assert process.wait(0.02) is None, process.log_tail()
        yield f"ws://{found[1]}"


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory, database: Database) -> ByHand:
    """A server with a ledger, a locust with another, both ended; again where the machine held the generator up."""
    return again_until(_is_valid, lambda _: _by_hand(tmp_path_factory.mktemp("by-hand"), database))


def _by_hand(folder: Path, database: Database) -> ByHand:
    ledgers = ByHand(client=folder / "client", server=folder / "server")
    ledgers.client.mkdir()
    ledgers.server.mkdir()
    env = {"LOADTEST_LEDGER": str(ledgers.server), "DATABASE_URL": database.for_trial(folder)}
    with served(folder, env) as host:
        command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILES / "churn.py"), "--headless", "--only-summary"]
        command += ["--host", host, *LOAD, *DROPS, f"--ledger={ledgers.client}"]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=ENDS_S)
        assert ran.returncode == 0, ran.stderr
    return ledgers


def _is_valid(ledgers: ByHand) -> bool:
    with Bench("audit", ledgers.client, ledgers.server, "--allow-contention") as ran:
        return ran.ended() != NOT_VALID


def audit(*arguments: str | Path, code: int, cwd: Path | None = None) -> tuple[str, str]:
    """Return what it printed and its messages."""
    with Bench("audit", *arguments, cwd=cwd) as ran:
        assert ran.ended() == code, ran.out + ran.err
        return ran.out, ran.err


@pytest.fixture(scope="module")
def run(by_hand: ByHand, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its audit."""
    out = tmp_path_factory.mktemp("out")
    audit(by_hand.client, by_hand.server, "--allow-contention", "--out", out, code=0)
    return (out / "latest").resolve()


def test_audit_when_both_were_started_by_hand_then_each_drop_is_accounted_for(run: Path) -> None:
    rows = {row["drop"]: row for row in read_tables(run).frame("disconnects").to_dicts()}
    assert rows.keys() == {"rst", CERTAIN}
    for row in rows.values():
        assert row["dropped"] == row["disconnect_called"] + row["missed"] + row["unknown"]
        assert row["groups_left"] is row["presence_left"] is None
    certain = rows[CERTAIN]
    assert certain["missed"] == certain["dropped"] > 0
    assert rows["rst"]["disconnect_called"] > 0


def test_audit_when_nothing_was_sampled_then_it_is_unknown_with_the_reason_and_never_0(run: Path) -> None:
    tables = read_tables(run)
    (row,) = tables.frame("throughput").to_dicts()
    assert row["valid"] == "yes"
    assert row["received"] > 0 and row["loop_busy"] > 0
    assert row["server_cpu_s"] is row["generator_cpu_s"] is row["server_rss_mb"] is None
    assert set(tables.frame("residue")["left"]) == {None}
    why = {row["column"]: row["why"] for row in tables.frame("unknown").to_dicts()}
    assert "no bench was there" in why["throughput.server_cpu_s"]
    assert "no bench was there" in why["disconnects.groups_left"]


def test_audit_when_messages_are_looked_at_then_none_is_lost_but_by_whom_a_disconnect_was_missed(
    run: Path,
) -> None:
    (row,) = read_tables(run).frame("delivery").to_dicts()
    assert row["delivered"] > 0
    assert row["lost"] <= may_be_lost(run, ROOM_SIZE)


def test_audit_when_its_folder_is_written_then_report_show_and_compare_read_it(run: Path) -> None:
    missed = read_tables(run).frame("disconnects").filter(pl.col("missed") > 0)["example"][0]
    for arguments, said in (
        (("report", run), "Dropped connections"),
        (("show", run, missed), f"DROPPED: {CERTAIN}"),
        (("compare", run, run), "No difference"),
    ):
        with Bench(*arguments) as ran:
            assert ran.ended() == 0, ran.err
            assert said in ran.out
    assert (run / "report.html").exists()


def test_audit_when_no_folder_is_asked_for_then_it_prints_the_tables_and_writes_nothing(
    by_hand: ByHand, tmp_path: Path
) -> None:
    out, _ = audit(by_hand.client, by_hand.server, "--allow-contention", code=0, cwd=tmp_path)
    assert "Dropped connections" in out and "Next: --verbose" in out and "report.html" not in out
    assert not list(tmp_path.iterdir())


def test_audit_when_the_ledgers_are_swapped_then_it_says_so_in_one_message(by_hand: ByHand) -> None:
    out, err = audit(by_hand.server, by_hand.client, code=2)
    assert not out
    assert f"{by_hand.server} has the server's ledger and not the client's" in err
    assert "Traceback" not in err
