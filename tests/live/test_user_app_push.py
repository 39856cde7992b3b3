"""An app whose users only listen: something else has it send, and who is left online when all have gone is found."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl
import pytest

from loadtest.bench.push_commands import PushCommands
from loadtest.load.push import Command, Request
from loadtest.pushes import Outcome
from loadtest.pushes.commands import run_at
from loadtest.pushes.requests import send_request
from loadtest.stack.folders import short_folder
from loadtest.stack.process import Process
from tests.live.bench_process import Bench, table

pytestmark = pytest.mark.live

PROJECT = Path(__file__).with_name("projects") / "newswire"
CLEAN = {"TopicConsumer": "/ws/topics/{room}/", "SyncTopicConsumer": "/ws/topics/{room}/sync/"}
DEFECT = {"OldTopicConsumer": "/ws/v1/topics/{room}/", "OldSyncTopicConsumer": "/ws/v1/topics/{room}/sync/"}
PUSH = ("--push", 'POST /topics/{room}/alerts/ {"text": "{marker}"}', "--rate", "30")
PING = ("--ping-message", '{"type": "ping"}', "--ping-every", "0.2")
LOAD = (
    "--users", "8", "--room-size", "4", "--trials", "1", "--duration", "0.6", "--drops", "rst", "--drop-share", "1",
    "--offline", "0.2", "--warm-up", "0.1",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An audit of all its consumers; the run's folder."""
    out = tmp_path_factory.mktemp("out")
    paths = [word for path in (CLEAN | DEFECT).values() for word in ("--path", path)]
    app = ("--app", "newswire.asgi", "--app-dir", str(PROJECT), *paths, "--online", "alerts.models:reading")
    with Bench("bench", *app, *PUSH, *PING, *LOAD, "--out", out) as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
    yield out / "latest"


def test_push_when_users_only_listen_then_each_push_is_audited_at_all_of_its_room(run: Path) -> None:
    for row in table(run, "delivery").iter_rows(named=True):
        assert row["delivered"] > 0
        assert row["lost"] == row["duplicated"] == row["reordered"] == 0, row
    for row in table(run, "throughput").iter_rows(named=True):
        assert row["push_failed"] == 0
        assert row["sent"] > 20, "30 a second to each of two rooms, and nothing else"
        assert row["sent"] < 60, "no ping among them"
        assert 0 < row["latency_ms_p50"] < float("inf")


def test_online_when_a_row_stays_of_whom_no_page_was_closed_then_it_is_found_and_the_twin_is_clean(run: Path) -> None:
    drops = table(run, "disconnects")
    for row in drops.filter(pl.col("consumer").is_in(list(DEFECT))).iter_rows(named=True):
        assert row["dropped"] > 0
        assert row["presence_left"] == row["dropped"], row
        assert row["groups_left"] == row["missed"], row
    for row in drops.filter(pl.col("consumer").is_in(list(CLEAN))).iter_rows(named=True):
        assert row["dropped"] > 0
        assert row["presence_left"] == row["groups_left"] == row["missed"], row


class Answering(BaseHTTPRequestHandler):
    """Answers as its path says; a path of 0 is no answer."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        status = int(self.path.strip("/"))
        if status:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(f"{self.headers['Content-Type']} {self.headers['X-A']} {body}".encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("/200", "ok", 'HTTP 200 OK: application/json 1 {"a": 1}'),
        ("/302", "ok", 'HTTP 302 Found: application/json 1 {"a": 1}'),
        ("/404", "fail", 'HTTP 404 Not Found: application/json 1 {"a": 1}'),
        ("/0", "unknown", "no answer: Remote end closed connection without response"),
        ("http://127.0.0.1:1/", "fail", "cannot connect: Connection refused"),
        ("http://127.0.0.1:x/", "fail", "no address: nonnumeric port: 'x'"),
    ],
)
def test_request_when_it_is_sent_then_what_came_of_it_is_told(base: str, path: str, kind: str, said: str) -> None:
    outcome = send_request(Request(method="POST", url=path, body='{"a": 1}'), base, [("X-A", "1")])
    assert (outcome.kind, outcome.said) == (kind, said)


def start(line: str, log: Path) -> Process:
    return Process(["/bin/sh", "-c", line], name="a command", log=log, env=dict(os.environ), cwd=log.parent)


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("echo sent", Outcome(kind="ok", said="exit code 0: sent")),
        ("echo sent; echo no such topic >&2; exit 3", Outcome(kind="fail", said="exit code 3: sent no such topic")),
        ("kill -9 $$", Outcome(kind="fail", said="SIGKILL")),
    ],
)
def test_command_when_a_generator_asks_for_it_then_it_is_run_and_what_came_of_it_is_told(
    line: str, outcome: Outcome
) -> None:
    with short_folder() as folder, PushCommands(start, folder) as commands:
        assert run_at(commands.address, Command(line=line)) == outcome
        assert list(folder.glob("*.log")) == []


def test_command_when_it_still_runs_as_the_trial_ends_then_it_is_ended_and_its_outcome_unknown(tmp_path: Path) -> None:
    begun, told = tmp_path / "begun", list[Outcome]()
    with short_folder() as folder:
        with PushCommands(start, folder) as commands:
            command = Command(line=f"touch {begun}; sleep 60")
            asking = threading.Thread(target=lambda: told.append(run_at(commands.address, command)))
            asking.start()
            deadline = time.monotonic() + 10
            while not begun.exists():
                assert time.monotonic() < deadline, "it was not begun"
                time.sleep(0.01)
        asking.join(10)
    assert [outcome.kind for outcome in told] == ["unknown"]
