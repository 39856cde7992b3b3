"""The tutorials' consumers on real servers: error() with its mixin and without, a bench of them, runserver."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from loadtest.contract import ProcessResidue
from loadtest.servers import SERVERS
from loadtest.stack.ports import free_port
from loadtest.targets.control import ask_residue
from loadtest.targets.database import MANAGE, Database
from loadtest.targets.reference import RunningReference as Target
from target_app.tutorial import BY_NAME
from tests.live.bench_process import Bench, manifest, table
from tests.live.reference_app import reference_app
from tests.live.tutorial_tests import OWN, run_django_tests

pytestmark = pytest.mark.live

Until = Callable[[Callable[[], object]], None]
ANSWER_S = 20.0
NUMBERS = iter(range(1000, 1_000_000))
"""Connection ids and rooms, so that tests on one server do not meet."""
KINDS = pytest.mark.parametrize("kind", ["sync", "async"])


def test_tutorials_when_tested_as_they_teach_it_then_all_pass(tmp_path: Path) -> None:
    run_django_tests("tests.live.tutorial.consumers", tmp_path, os.environ)


def test_tutorials_when_the_test_database_is_the_apps_own_file_then_that_is_gone_afterwards(tmp_path: Path) -> None:
    """As Channels' own tutorial has it; `manage.py test` asks before, unless it is told not to."""
    (tmp_path / OWN).touch()
    label = "tests.live.tutorial.consumers.SignedIn.test_sessions_when_forgotten_then_only_ours_go"
    run_django_tests(label, tmp_path, os.environ, database=OWN)
    assert not (tmp_path / OWN).exists()


@pytest.fixture(scope="module", params=list(SERVERS))
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, database: Database
) -> Iterator[Target]:
    """The app on each server in turn."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "ledger").mkdir()
    with reference_app(
        server=SERVERS[request.param], database=database, folder=folder, ledger=folder / "ledger"
    ) as target:
        yield target
        target.require_alive()


def opened(target: Target, name: str, number: int, room: str = "") -> ClientConnection:
    path = BY_NAME[name].path.replace("{room}", room or str(number))
    return connect(f"{target.url}{path}", additional_headers={"X-Loadtest-Connection": str(number)}, compression=None)


def held(target: Target, number: int) -> tuple[int, bool]:
    """How many are in the group of that number's room, and whether it is online."""
    residue: ProcessResidue
    (residue,) = ask_residue(target.control).answered
    assert residue.unknown == {} and isinstance(residue.presence, list)
    return len((residue.groups or {}).get(f"chat_{number}", [])), number in residue.presence


def all_until_the_end(ws: ClientConnection) -> tuple[list[str], int]:
    """What comes until the server closes, and the code that it closes with."""
    came = []
    while True:
        try:
            came.append(str(ws.recv(ANSWER_S)))
        except ConnectionClosed as closed:
            return came, closed.rcvd.code if closed.rcvd else 1006


@KINDS
def test_error_when_receive_raises_without_the_mixin_then_nobody_is_told_and_all_stays(
    target: Target, kind: str
) -> None:
    number = next(NUMBERS)
    with opened(target, f"tutorial-error-{kind}", number) as ws:
        ws.send("no JSON")
        came, _ = all_until_the_end(ws)
    assert came == []
    assert held(target, number) == (1, True)


@KINDS
def test_error_when_receive_raises_with_the_mixin_then_the_client_is_told_and_nothing_stays(
    target: Target, kind: str, until: Until
) -> None:
    number = next(NUMBERS)
    with opened(target, f"tutorial-error-hook-{kind}", number) as ws:
        ws.send("no JSON")
        came, code = all_until_the_end(ws)
    assert [list(json.loads(text)) for text in came] == [["error"]]
    assert "JSONDecodeError" in came[0]
    assert code == 1011
    until(lambda: held(target, number) == (0, False))
    assert "HookedConsumer failed" in target.process.log_tail(1000)


@KINDS
def test_error_when_connect_raises_then_only_the_mixin_tells_why(target: Target, kind: str) -> None:
    """A layer takes ASCII only in a group's name, and the tutorials' route takes any letter."""
    number = next(NUMBERS)
    with pytest.raises(InvalidStatus) as refused:
        opened(target, f"tutorial-error-{kind}", number, "K%C3%BCche")
    assert refused.value.response.status_code == 500
    with opened(target, f"tutorial-error-hook-{kind}", number, "K%C3%BCche") as ws:
        came, code = all_until_the_end(ws)
    assert "TypeError" in json.loads(came[0])["error"]
    assert (len(came), code) == (1, 1011)
    assert held(target, number) == (0, False)


@KINDS
def test_signed_in_when_nobody_is_then_403(target: Target, kind: str) -> None:
    name = f"tutorial-signed-in-{kind}"
    with pytest.raises(InvalidStatus) as refused:
        opened(target, name, next(NUMBERS))
    assert refused.value.response.status_code == 403


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    out = tmp_path_factory.mktemp("out")
    options = ["--consumers", "tutorial-signed-in-async", "--scenarios", "churn", "--layers", "inmemory"]
    options += ["--trials", "1", "--users", "6", "--rate", "4", "--duration", "2", "--drops", "rst"]
    with Bench("bench", *options, "--out", out) as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
        assert "answered goes to the sender alone" in bench.err
    yield out / "latest"


def test_bench_when_a_consumer_answers_the_sender_alone_then_nothing_is_expected_at_others(run: Path) -> None:
    (row,) = table(run, "delivery").iter_rows(named=True)
    assert row["delivered"] > 10
    assert (row["lost"], row["duplicated"]) == (0, 0)


def test_bench_when_users_have_to_be_signed_in_then_they_are_and_each_drop_is_seen(run: Path) -> None:
    (row,) = table(run, "disconnects").filter(pl.col("dropped") > 0).iter_rows(named=True)
    assert row["disconnect_called"] + row["missed"] == row["dropped"]
    assert {value["name"] for value in manifest(run)["values"]["consumer"]} == {"tutorial-signed-in-async"}


def test_runserver_when_started_as_tutorials_do_then_it_speaks_websocket(tmp_path: Path, until: Until) -> None:
    env = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/own.sqlite3", "PYTHONUNBUFFERED": "1"}
    subprocess.run([sys.executable, str(MANAGE), "migrate", "--no-input"], env=env, check=True, capture_output=True)
    port = free_port("127.0.0.1")
    command = [sys.executable, str(MANAGE), "runserver", "--noreload", f"127.0.0.1:{port}"]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, env=env, stdout=log, stderr=log) as server:
        try:
            until(lambda: server.poll() is not None or answers(f"http://127.0.0.1:{port}/healthz"))
            with connect(f"ws://127.0.0.1:{port}/ws/chat/tea/") as ws:
                ws.send("hello")
                assert [ws.recv(ANSWER_S), ws.recv(ANSWER_S)] == ['{"message": "Connected"}', "Echo: hello"]
        finally:
            server.terminate()
    assert "Daphne" in (tmp_path / "log").read_text()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_S) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
