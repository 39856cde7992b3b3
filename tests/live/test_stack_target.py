"""A target: up, ready, down; and each way it can fail."""

import http.server
import json
import os
import re
import signal
import socket
import sqlite3
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import redis
from websockets.sync.client import connect

from loadtest.brokers.redis import RedisServer
from loadtest.contract import ProcessResidue, Status
from loadtest.layers import LAYERS
from loadtest.servers import SERVERS
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import short_folder
from loadtest.stack.ports import free_port
from loadtest.targets import Setting, running, served
from loadtest.targets.control import ask_residue, ask_status
from loadtest.targets.database import Database, prepare_database
from loadtest.targets.reference import ReferenceApp
from loadtest.targets.reference import RunningReference as Target
from tests.live.reference_app import reference_app

pytestmark = pytest.mark.live

Until = Callable[[Callable[[], object]], None]
Make = Callable[..., Target]


@pytest.fixture
def make(tmp_path: Path, database: Database) -> Make:
    """Make a target on the in-memory layer, with what a test wants otherwise."""

    def target(**changes: object) -> Target:
        return reference_app(**{"folder": tmp_path, "database": database, **changes})  # type: ignore[arg-type]

    return target


def test_target_when_up_then_it_answers_and_when_left_nothing_stays(make: Make, ledger: Path) -> None:
    with make(ledger=ledger) as target:
        assert target.alive
        with urllib.request.urlopen(f"{target.url.replace('ws', 'http')}/healthz") as answer:
            assert answer.read() == b"ok"
        folder = target.control
        assert [path.name for path in folder.glob("*.sock")] == [f"control-{target.pid}.sock"]
        assert list(ledger.glob(f"server-{target.pid}-*.ledger"))
    assert not psutil.pid_exists(target.pid)
    assert not target.alive
    assert not folder.exists()
    target.stop()


def test_target_when_no_ledger_is_given_then_nothing_is_recorded(make: Make) -> None:
    with make() as target:
        assert list(target.control.glob("*.sock")) == []


def test_target_when_entered_again_then_a_fresh_process_with_a_fresh_database(make: Make, ledger: Path) -> None:
    target = make()
    with target:
        first = target.pid
    with target:
        assert target.pid != first


def test_target_when_the_body_raises_then_nothing_stays(make: Make) -> None:
    with pytest.raises(KeyboardInterrupt), make() as target:
        folder = target.control
        raise KeyboardInterrupt
    assert not psutil.pid_exists(target.pid)
    assert not folder.exists()


def test_target_when_it_dies_at_start_then_the_error_shows_its_last_lines(make: Make) -> None:
    with pytest.raises(EnvironmentFailed, match=r"died at start \(exit code 1\)(.|\n)*JSONDecodeError"):
        make(env={"CHANNEL_LAYERS": "not json"}).__enter__()


def test_target_when_it_is_not_ready_in_time_then_the_error_says_why_and_it_is_ended(
    make: Make,
) -> None:
    target = make(env={"DATABASE_URL": "sqlite://:memory:"}, ready_s=4.0)  # never migrated: the health check says no
    with pytest.raises(EnvironmentFailed, match=r"not ready within 4 s; http://127.0.0.1:\d+/healthz: "):
        target.__enter__()
    assert not psutil.pid_exists(target.pid)


def test_target_when_the_port_is_taken_then_the_error_names_port_and_option(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentFailed, match=f"port {port} is taken by another process; pass --port 0"):
            make(port=port).__enter__()


def test_target_when_a_port_is_given_then_it_listens_there(make: Make) -> None:
    port = free_port("127.0.0.1")
    with make(port=port) as target:
        assert target.url == f"ws://127.0.0.1:{port}"


def test_target_when_another_takes_the_free_port_first_then_it_tries_again(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with other_server() as taken:
        ports = iter([taken, free_port("127.0.0.1")])
        monkeypatch.setattr(served, "free_port", lambda host: next(ports))
        with make() as target:
            assert target.port != taken
            assert target.alive


@contextmanager
def other_server() -> Iterator[int]:
    """Somebody else's server, whose health check also answers 200."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_target_when_it_dies_later_then_that_can_be_told(make: Make, until: Until) -> None:
    with make() as target:
        target.require_alive()
        os.kill(target.pid, signal.SIGKILL)
        until(lambda: not target.alive)
        with pytest.raises(EnvironmentFailed, match=r"the target died \(SIGKILL\)"):
            target.require_alive()


def test_target_when_it_dies_then_its_control_socket_is_silent(make: Make, ledger: Path, until: Until) -> None:
    with make(ledger=ledger) as target:
        assert ask_status(target.control).answered == (Status(pid=target.pid, open=0, ledger=ledger.name),)
        os.kill(target.pid, signal.SIGKILL)
        until(lambda: not target.alive)
        answers = ask_status(target.control)
        assert answers.answered == ()
        assert [silent.pid for silent in answers.silent] == [target.pid]


def test_target_when_asked_for_residue_then_it_tells_group_and_presence(make: Make, ledger: Path) -> None:
    headers = {"X-Loadtest-Connection": "77"}
    with make(ledger=ledger) as target:
        with connect(f"{target.url}/ws/sync/room/lobby/", additional_headers=headers):
            (residue,) = ask_residue(target.control).answered
        assert isinstance(residue, ProcessResidue)
        assert residue.groups is not None
        assert [(group, len(members)) for group, members in residue.groups.items()] == [("chat_lobby", 1)]
        assert residue.presence == [77]
        assert residue.unknown == {}


@contextmanager
def fake_control(folder: Path, pid: int, answer: bytes, until_closed: threading.Event) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / f"control-{pid}.sock"))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100)
                connection.sendall(answer)
                if not answer:
                    until_closed.wait(20)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            until_closed.set()
            thread.join()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b'{"pid": 1, "op', "cut off after 14 bytes"),
        (b"no json\n", "not the answer asked for: .*no json"),
        (b'{"error": "unknown question"}\n', "^not answered: unknown question$"),
        (b"", "timed out"),
    ],
)
def test_control_when_the_answer_is_bad_then_the_process_counts_as_silent_and_why(answer: bytes, why: str) -> None:
    with short_folder() as folder, fake_control(folder, 5, answer, threading.Event()):
        answers = ask_status(folder, answer_s=0.2)
    assert answers.answered == ()
    (silent,) = answers.silent
    assert silent.pid == 5
    assert re.search(why, silent.why)


def test_control_when_there_is_more_in_the_answer_than_known_then_it_is_left_out() -> None:
    line = json.dumps({"pid": 5, "open": 2, "ours": 1, "ledger": "x", "later": 1}).encode() + b"\n"
    with short_folder() as folder, fake_control(folder, 5, line, threading.Event()):
        assert ask_status(folder).answered == (Status(pid=5, open=2, ours=1, ledger="x"),)


def test_target_on_the_users_redis_when_left_then_only_our_keys_are_gone(
    make: Make, ledger: Path, valkey: RedisServer
) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        client.set("theirs", "1")
        with make(layer=LAYERS["redis"], broker=valkey, ledger=ledger) as target:
            with connect(f"{target.url}/ws/async/room/lobby/") as ws:
                assert any(key.endswith(b".:group:chat_lobby") for key in client.keys("loadtest-*"))
                ws.send("not json")  # the consumer dies of it and leaves its membership
                with pytest.raises(Exception, match="received"):
                    ws.recv(timeout=20)
            assert client.keys("loadtest-*")
        assert client.keys("loadtest-*") == []
        assert client.get("theirs") == b"1"


def test_target_when_its_redis_is_gone_then_it_still_stops(make: Make, tmp_path: Path, until: Until) -> None:
    setting = Setting(server=SERVERS["uvicorn"], layer=LAYERS["redis-pubsub"], folder=tmp_path)
    with running(ReferenceApp().prepare(tmp_path), setting, {}) as up:
        assert up.broker is not None and up.broker.pid is not None
        os.kill(up.broker.pid, signal.SIGKILL)
        with pytest.raises(EnvironmentFailed, match="is gone"):
            until(lambda: up.require_alive())
        (server,) = up.target.processes
    assert not psutil.pid_exists(server.pid)


def test_users_database_when_trials_end_then_only_load_test_rows_are_gone(
    make: Make, ledger: Path, tmp_path: Path
) -> None:
    path = tmp_path / "theirs.sqlite3"
    users = prepare_database(tmp_path, f"sqlite:///{path}")
    with make(database=users, ledger=ledger) as target:
        with connect(f"{target.url}/ws/sync/echo/", additional_headers={"X-Loadtest-Connection": "5"}):
            pass
        with connect(f"{target.url}/ws/sync/echo/"):
            assert rows(path) == [None, 5]
    assert rows(path) == [None]


def rows(path: Path) -> list[int | None]:
    database = sqlite3.connect(path)
    try:
        return sorted((row[0] for row in database.execute("SELECT connection FROM presence_presence")), key=bool)
    finally:
        database.close()


def test_users_database_when_it_cannot_be_reached_then_the_error_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match=r"check DATABASE_URL:(.|\n)*unable to open database file"):
        prepare_database(tmp_path, f"sqlite:///{tmp_path}/no/such/folder/db.sqlite3")
