"""The locustfiles by themselves: `locust -f locustfiles/X.py --headless`, as people run Locust."""

import csv
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, STDOUT

import polars as pl
import pytest
from websockets.sync.server import Server, ServerConnection, serve

from loadtest.ledger import Event
from loadtest.ledger.reader import read_ledger
from loadtest.load import Job
from loadtest.shipped import LOCUSTFILES
from loadtest.targets.database import Database
from loadtest.targets.reference import RunningReference as Target
from tests.live.reference_app import reference_app

pytestmark = pytest.mark.live

Until = Callable[[Callable[[], object]], None]
USERS = 8
RUN_S = 3
KINDS = ("close", "fin", "midframe", "rst")
ENDS_S = 30.0
"""A run of RUN_S seconds has ended by then on a busy machine, or hangs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of Locust's CSV file; times in ms."""

    requests: int
    failures: int
    requests_a_second: float
    average_ms: float
    least_ms: float
    largest_ms: float
    content_bytes: float


class Locust:
    """A running Locust; its CSV files are in a folder of its own."""

    def __init__(self, scenario: str, host: str, folder: Path, *options: str, run_s: int | None = RUN_S) -> None:
        self.folder = folder
        folder.mkdir()
        command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILES / f"{scenario}.py"), "--headless"]
        command += ["--host", host, f"--users={USERS}", "--spawn-rate=100", f"--csv={folder / 'locust'}"]
        command += ["--only-summary", "--loglevel=WARNING", *options, *([f"-t{run_s}s"] if run_s else [])]
        env = {name: value for name, value in os.environ.items() if not name.startswith(("LOCUST_", "LOADTEST_"))}
        self.process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=PIPE, stderr=STDOUT, text=True
        )

    def ended(self) -> tuple[int, str]:
        """Return its exit code and what it printed."""
        try:
            out, _ = self.process.communicate(timeout=ENDS_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode, out

    def rows(self) -> dict[str, Row]:
        """Return its statistics by the row's name."""
        with (self.folder / "locust_stats.csv").open(newline="") as file:
            return {
                row["Name"]: Row(
                    requests=int(row["Request Count"]),
                    failures=int(row["Failure Count"]),
                    requests_a_second=float(row["Requests/s"]),
                    average_ms=float(row["Average Response Time"]),
                    least_ms=float(row["Min Response Time"]),
                    largest_ms=float(row["Max Response Time"]),
                    content_bytes=float(row["Average Content Size"]),
                )
                for row in csv.DictReader(file)
            }

    def failures(self) -> dict[str, int]:
        """Return how often each failure was counted, by "row: error"."""
        with (self.folder / "locust_failures.csv").open(newline="") as file:
            return {f"{row['Name']}: {row['Error']}": int(row["Occurrences"]) for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory, database: Database) -> Iterator[tuple[Target, Target]]:
    """The reference app twice, with no ledger: as somebody's own servers."""
    folder = tmp_path_factory.mktemp("targets")
    with ExitStack() as running:
        first, second = (
            running.enter_context(
                reference_app(
                    database=database,
                    folder=folder / str(number),
                )
            )
            for number in (1, 2)
        )
        yield first, second
        first.require_alive()
        second.require_alive()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnServer:
    """A plain echo server that knows nothing of us, and what was asked of it."""

    server: Server
    asked: list[tuple[str, str | None]]
    """Path and connection id of each handshake."""
    texts: list[str | bytes]

    @property
    def host(self) -> str:
        return f"ws://127.0.0.1:{self.server.socket.getsockname()[1]}"


@pytest.fixture(scope="module")
def own_server() -> Iterator[OwnServer]:
    asked: list[tuple[str, str | None]] = []
    texts: list[str | bytes] = []

    def echo(connection: ServerConnection) -> None:
        assert connection.request is not None
        asked.append((connection.request.path, connection.request.headers.get("X-Loadtest-Connection")))
        for message in connection:
            texts.append(message)
            connection.send(message)

    with serve(echo, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield OwnServer(server=server, asked=asked, texts=texts)
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def runs(
    targets: tuple[Target, Target], own_server: OwnServer, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[int, str, Locust]]:
    """Several runs at a time, most of which hardly load the machine; exit code, output and files of each."""
    folder = tmp_path_factory.mktemp("locust")
    url = targets[0].url
    (ledger := folder / "churn-ledger").mkdir()
    churn = ("--drop-kind", ",".join(KINDS), "--drop-share=1", "--offline=0.2", "--rate=4", "--room-size=4")
    started = {
        "echo": Locust("echo", url, folder / "echo", "--payload-size=100", "--consumer=sync"),
        "rate-5": Locust("echo", url, folder / "rate-5", "--rate=5"),
        "rate-0": Locust("echo", url, folder / "rate-0", "--rate=0"),
        "broadcast": Locust("broadcast", url, folder / "broadcast", "--rate=2", "--room-size=4"),
        # elsewhere, for its rooms have the names of the broadcast's
        "churn": Locust("churn", targets[1].url, folder / "churn", *churn, f"--ledger={ledger}"),
        "own": Locust("echo", f"{own_server.host}/any/thing?token=%7Ba%7D", folder / "own", "--rate=5"),
    }
    return {name: (*locust.ended(), locust) for name, locust in started.items()}


NAMES = ["echo", "rate-5", "rate-0", "broadcast", "churn", "own"]


@pytest.mark.parametrize("name", NAMES)
def test_locustfile_when_run_alone_then_it_exits_0_and_nothing_failed(
    runs: dict[str, tuple[int, str, Locust]], name: str
) -> None:
    code, out, locust = runs[name]
    assert code == 0, out
    assert "Traceback" not in out
    assert locust.failures() == {}
    assert locust.rows()["Aggregated"].failures == 0


@pytest.mark.parametrize("name", NAMES)
def test_locustfile_when_run_alone_then_each_user_opened_and_opening_took_some_time(
    runs: dict[str, tuple[int, str, Locust]], name: str
) -> None:
    opened = runs[name][2].rows()["open"]
    assert opened.requests >= USERS
    assert name == "churn" or opened.requests == USERS
    assert 0 < opened.average_ms <= opened.largest_ms < 5000


@pytest.mark.parametrize(
    ("name", "row", "size"),
    [("echo", "echo", 100), ("rate-5", "echo", 64), ("rate-0", "echo", 64), ("broadcast", "delivered", 64)],
)
def test_locustfile_when_messages_come_back_then_their_row_has_latency_and_size(
    runs: dict[str, tuple[int, str, Locust]], name: str, row: str, size: int
) -> None:
    found = runs[name][2].rows()[row]
    assert found.requests > 0
    assert 0 < found.least_ms <= found.average_ms < 1000
    assert found.content_bytes == size


@pytest.mark.parametrize(("name", "rate"), [("echo", 1), ("rate-5", 5), ("own", 5)])
def test_echo_when_a_rate_is_given_then_it_is_kept(
    runs: dict[str, tuple[int, str, Locust]], name: str, rate: int
) -> None:
    assert runs[name][2].rows()["echo"].requests_a_second == pytest.approx(USERS * rate, rel=0.4)


def test_echo_when_the_rate_is_0_then_messages_go_as_fast_as_answers_come(
    runs: dict[str, tuple[int, str, Locust]],
) -> None:
    assert runs["rate-0"][2].rows()["echo"].requests_a_second > 2 * USERS * 5


def test_broadcast_when_members_speak_then_each_message_reaches_every_member_of_its_room(
    runs: dict[str, tuple[int, str, Locust]],
) -> None:
    assert runs["broadcast"][2].rows()["delivered"].requests_a_second == pytest.approx(4 * USERS * 2, rel=0.4)


def test_churn_when_run_alone_then_there_is_a_row_for_each_kind_and_the_dropped_came_back(
    runs: dict[str, tuple[int, str, Locust]],
) -> None:
    rows = runs["churn"][2].rows()
    drops = {kind: rows[f"drop {kind}"] for kind in KINDS}
    assert all(row.requests >= 2 for row in drops.values())
    assert all(row.largest_ms < 1000 for row in drops.values())
    dropped = sum(row.requests for row in drops.values())
    assert dropped < rows["open"].requests <= USERS + dropped
    assert rows["delivered"].requests > 0


def test_churn_when_run_alone_then_members_are_dropped_one_at_a_time_and_come_back_when_planned(
    runs: dict[str, tuple[int, str, Locust]],
) -> None:
    client = read_ledger(runs["churn"][2].folder.with_name("churn-ledger"), "client")
    dropped = client.filter(event=int(Event.DROPPED)).select("connection", dropped_ns="time_ns")
    assert dropped["dropped_ns"].n_unique() == dropped.height
    opening = client.filter(event=int(Event.OPENING)).select("connection", "time_ns", member="value")
    away = (
        opening.join(dropped, on="connection", how="left")
        .sort("time_ns")
        .with_columns(away_ns=pl.col("time_ns") - pl.col("dropped_ns").shift(1).over("member"))["away_ns"]
        .drop_nulls()
    )
    assert away.len() >= USERS
    assert away.min() >= 0.5 * 0.2 * 1e9, "no member is back sooner than half of the mean"  # type: ignore[operator]


def test_host_when_it_has_a_path_then_it_is_used_as_it_is(
    runs: dict[str, tuple[int, str, Locust]], own_server: OwnServer
) -> None:
    assert runs["own"][0] == 0
    assert {path for path, _ in own_server.asked} == {"/any/thing?token=%7Ba%7D"}
    assert len({name for _, name in own_server.asked}) == USERS
    assert 0 <= len(own_server.texts) - runs["own"][2].rows()["echo"].requests <= USERS  # under way at the end
    assert all(re.fullmatch(r'\{"message": "[0-9a-f]{32}x{17}"\}', str(text)) for text in own_server.texts)


def test_options_when_several_are_bad_then_exit_2_with_all_of_them_named(tmp_path: Path) -> None:
    bad = ["--rate=-1", "--payload-size=3", "--room-size=0", "--drop-kind=rst,explode,implode", "--drop-share=1.5"]
    bad += ["--offline=nan", "--steady=-3", "--ramp=0"]
    code, out = Locust("churn", "http://127.0.0.1", tmp_path / "run", *bad).ended()
    assert code == 2
    assert "Traceback" not in out
    lines = out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        *("--host", "--rate", "--payload-size", "--room-size", "--drop-kind", "--drop-share", "--offline"),
        *("--ramp", "--steady"),
    ]
    assert "'http://127.0.0.1' is not a WebSocket address; give --host ws://" in lines[0]
    assert "explode" in lines[4]
    assert "implode" in lines[4]


def test_option_when_it_is_no_number_then_exit_2_with_its_name(tmp_path: Path) -> None:
    code, out = Locust("echo", "ws://127.0.0.1:1", tmp_path / "run", "--rate=fast").ended()
    assert code == 2
    assert "argument --rate: invalid float value: 'fast'" in out


def test_ledger_when_it_cannot_be_written_then_locust_ends_with_one_message(tmp_path: Path) -> None:
    code, out = Locust("echo", "ws://127.0.0.1:1", tmp_path / "run", "--ledger=/no/such/folder", run_s=None).ended()
    assert code == 4
    assert "Traceback" not in out
    assert "the test was not started: [Errno 2] No such file or directory: '/no/such/folder" in out


def test_server_when_it_is_killed_meanwhile_then_locust_ends_in_time_and_failures_have_clear_names(
    tmp_path: Path, database: Database, until: Until
) -> None:
    ledger = tmp_path / "ledger"
    ledger.mkdir()
    with reference_app(
        database=database,
        folder=tmp_path,
        ledger=ledger,
    ) as target:
        # on a busy machine the second one comes late: both have to live on for the members' next tries
        echo = Locust("echo", target.url, tmp_path / "echo", "--rate=0", run_s=3 * RUN_S)
        job = Job(host=target.url, rate=10, drop_share=0, generator=2)  # a number of its own among the ids
        (tmp_path / "job.json").write_text(job.model_dump_json())
        of_job = f"--job={tmp_path / 'job.json'}"
        churn = Locust("churn", target.url, tmp_path / "churn", of_job, run_s=3 * RUN_S)
        until(lambda: senders(ledger) == 2 * USERS)
        os.kill(target.pid, signal.SIGKILL)
        for locust in (echo, churn):
            code, out = locust.ended()
            assert code == 1
            assert "Traceback" not in out
            failures = locust.failures()
            assert failures["open: unreachable"] >= USERS
            assert sum(failures[name] for name in ended_by_the_server(failures)) >= USERS
            assert {name.partition(":")[0] for name in failures} <= {"open", "connection", "send"}


def ended_by_the_server(failures: dict[str, int]) -> list[str]:
    return [name for name in failures if name.startswith(("connection: ended by the server: ", "send: closed"))]


def senders(ledger: Path) -> int:
    """Return how many connections the server has taken a message from."""
    return read_ledger(ledger, "server").filter(event=int(Event.RECEIVE_IN))["connection"].n_unique()


@pytest.mark.parametrize(
    ("options", "under_way"),
    [(["--rate=20"], USERS), (["--rate=0"], USERS), (["--rate=0", "--stop-timeout=10"], 0)],
    ids=["planned", "closed loop", "closed loop, each task to its end"],
)
def test_locust_when_it_is_told_to_end_then_the_csv_has_everything_until_then(
    own_server: OwnServer, tmp_path: Path, until: Until, options: list[str], under_way: int
) -> None:
    before = len(own_server.texts)
    locust = Locust("echo", f"{own_server.host}/told-to-end", tmp_path / "run", *options, run_s=None)
    until(lambda: len(own_server.texts) - before > 3 * USERS)
    locust.process.send_signal(signal.SIGTERM)
    code, out = locust.ended()
    assert code == 0, out
    assert 0 <= len(own_server.texts) - before - locust.rows()["echo"].requests <= under_way
