"""A server that runs elsewhere: in a network namespace and with a clock of its own, with the probe and without."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from loadtest.cli.main import main
from loadtest.contract import Status
from loadtest.contract.elsewhere import Request
from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets.probe_client import ProbeClient
from tests.live.bench_process import COMMAND, Bench, assert_tidy, manifest, table
from tests.live.elsewhere_server import (
    AHEAD_S,
    ORIGIN,
    PORT,
    TOKEN,
    Namespaces,
    free_port,
    has_time_namespaces,
    no_namespaces,
    project_with_probe,
    serving,
    two_namespaces,
)

pytestmark = pytest.mark.live

TALK = (
    "--origin", ORIGIN, "--join", '{"command": "join", "room": "team{room}"}', "--expect", '"event": "joined"',
    "--message", '{"command": "say", "text": "{marker}"}',
)  # fmt: skip
LOAD = ("--users", "8", "--room-size", "4", "--trials", "1", "--duration", "1.2", "--drops", "fin,rst",
        "--warm-up", "0.2", "--offline", "0.2")  # fmt: skip

CERTIFICATES = Path(__file__).with_name("wire_certificates")
Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project_with_probe(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server's processes meet."""
    return tmp_path_factory.mktemp("m") / "probe"


@pytest.fixture(scope="module")
def apart(project: Path, meeting: Path) -> Iterator[Namespaces]:
    """A server in one namespace, and another one to ask it from."""
    if why := no_namespaces():
        pytest.skip(why)
    env = {"LOADTEST_PROBE_TOKEN": TOKEN, "LOADTEST_PROBE_FOLDER": str(meeting)}
    with (
        two_namespaces() as made,
        serving(project, "--host", made.address, port=PORT, before=made.at_server, env=env),
    ):
        yield made


def bench(apart: Namespaces, path: str, out: Path, *more: str | Path, **env: str) -> Bench:
    target = f"ws://{apart.address}:{PORT}{path}"
    ip, *command = apart.at_client(COMMAND, "bench", "--target", target, *TALK, *LOAD, *more, "--out", out)
    return Bench(*command, program=ip, env=env)


@pytest.fixture(scope="module")
def probed(apart: Namespaces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a consumer that leaves its group only after an orderly close."""
    out = tmp_path_factory.mktemp("probed")
    with bench(apart, "/ws/v1/chat/", out, LOADTEST_PROBE_TOKEN=TOKEN) as process:
        assert process.ended_valid() == 0, process.out + process.err
        assert_tidy(process)
        assert "server of your own only" in process.err
    return out / "latest"


def test_elsewhere_when_the_probe_is_there_then_of_each_drop_it_is_known_what_became_of_it(probed: Path) -> None:
    rows = table(probed, "disconnects")
    assert set(rows["drop"]) == {"fin", "rst"}
    for row in rows.iter_rows(named=True):
        assert row["dropped"] > 0
        assert row["unknown"] == 0
        assert row["disconnect_called"] + row["missed"] == row["dropped"]
        assert row["groups_left"] == row["dropped"], "the defect that was planted"
    assert table(probed, "delivery")["delivered"].item() > 0
    (left,) = table(probed, "residue").filter(pl.col("kind") == "group members")["left"]
    assert left >= rows["dropped"].sum()


def test_elsewhere_when_the_probe_is_there_then_its_clock_is_aligned_and_the_bound_stands_beside(probed: Path) -> None:
    ours_would_be_ms = AHEAD_S * 1000
    for row in table(probed, "disconnects").iter_rows(named=True):
        assert 0 < row["detect_error_ms"] < ours_would_be_ms / 100
        assert 0 <= row["detect_ms_max"] < ours_would_be_ms / 100
    assert manifest(probed)["identity"]["target's channels"]


def test_elsewhere_when_it_is_over_then_the_token_is_nowhere_and_the_server_has_forgotten(
    probed: Path, meeting: Path
) -> None:
    assert not [path for path in probed.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert [path.name.split("-")[0] for path in meeting.iterdir()] == ["control"]
    assert manifest(probed)["target"]["probe"] is True


def test_elsewhere_when_there_is_no_probe_then_what_clients_see_is_known_and_the_rest_is_not(
    apart: Namespaces, tmp_path: Path
) -> None:
    with bench(apart, "/ws/chat/", tmp_path, "--settle", "0.1") as process:
        assert process.ended_valid() == 0, process.out + process.err
        assert "not known: no probe" in process.out
    run = tmp_path / "latest"
    for row in table(run, "disconnects").iter_rows(named=True):
        assert row["dropped"] == row["unknown"] > 0
        assert row["disconnect_called"] is row["missed"] is row["groups_left"] is None
    assert set(table(run, "residue")["left"]) == {None}
    (speed,) = table(run, "throughput").iter_rows(named=True)
    assert speed["received"] > 0
    assert speed["server_cpu_s"] is speed["utilisation"] is None
    assert table(run, "delivery")["delivered"].item() > 0
    why = table(run, "unknown").filter(pl.col("column").is_in(["throughput.server_cpu_s", "disconnects.missed"]))
    assert set(why["why"]) == {"no probe"}


def test_elsewhere_when_the_kernel_has_time_namespaces_then_this_was_of_two_clocks() -> None:
    if not has_time_namespaces():
        pytest.skip("this kernel gives no process a CLOCK_MONOTONIC of its own; the alignment was of two equal ones")


# on this machine: two workers, and all that can be wrong


@pytest.fixture(scope="module")
def here(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server with two workers; its port."""
    port, folder = free_port(), tmp_path_factory.mktemp("h") / "probe"
    env = {"LOADTEST_PROBE_TOKEN": TOKEN, "LOADTEST_PROBE_FOLDER": str(folder)}
    with serving(project, port=port, workers=2, env=env):
        yield port


def test_probe_when_a_server_has_two_workers_then_each_request_is_answered_for_both(here: int) -> None:
    client = ProbeClient(pages=f"http://127.0.0.1:{here}", token=TOKEN, ledger="ab12cd34")
    begun = client.of_all(Request.BEGIN, Status)
    assert len({status.pid for status in begun.answered}) == 2
    assert {status.ledger for status in begun.answered} == {"ledger-ab12cd34"}
    other = ProbeClient(pages=f"http://127.0.0.1:{here}", token=TOKEN, ledger="00000000")
    for request, problem in ((Request.BEGIN, "another bench measures"), (Request.FORGET, "there is no such ledger")):
        with pytest.raises(EnvironmentFailed, match=problem):
            other.of_all(request, Status)
    other.close()
    ended = client.of_all(Request.END, Status)
    assert {status.ledger for status in ended.answered} == {""}
    client.of_all(Request.FORGET, Status)
    client.close()


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run `bench --target` in this process; exit code and the one message."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.delenv("LOADTEST_PROBE_TOKEN", raising=False)

    def run(target: str, *arguments: str | Path, token: str = "") -> tuple[int, str]:
        if token:
            monkeypatch.setenv("LOADTEST_PROBE_TOKEN", token)
        command = ["channels-loadtest", "bench", "--target", target, "--out", tmp_path / "out", *arguments]
        monkeypatch.setattr("sys.argv", [str(word) for word in command])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert "Traceback" not in said
        assert not token or token not in said
        messages = [line for line in said.splitlines() if line.startswith("channels-loadtest: ")]
        assert len(messages) == 1, said
        assert not (tmp_path / "out").exists()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_target_when_it_cannot_be_opened_then_one_message_says_why(refused: Run, here: int) -> None:
    at, nobody = f"ws://127.0.0.1:{here}", f"ws://127.0.0.1:{free_port()}"
    for target, options, problem in (
        (f"{nobody}/ws/chat/", (), "nothing listens there"),
        ("wss://nowhere.invalid/ws/chat/", (), "the name is not known"),
        (f"wss://127.0.0.1:{here}/ws/chat/", (), "no TLS session comes about"),
        (f"{at}/ws/chat/", (), "HTTP 403 in answer to the opening handshake; no route fits the path, or"),
        (f"{at}/ws/no/such/path/", ("--origin", ORIGIN), "no route fits the path"),
    ):
        code, said = refused(target, *options)
        assert (code, problem in said) == (4, True), said


def test_target_when_the_token_is_another_one_then_exit_4_and_it_is_not_repeated(refused: Run, here: int) -> None:
    code, said = refused(f"ws://127.0.0.1:{here}/ws/chat/", "--origin", ORIGIN, token="not-the-one-of-the-server")
    assert code == 4
    assert "refuses the token" in said


def test_target_when_it_is_behind_tls_then_its_certificate_has_to_be_trusted_for_the_probe_too(
    refused: Run, project: Path, tmp_path: Path
) -> None:
    port, own = free_port(), str(CERTIFICATES / "server.pem")
    target, another = f"wss://localhost:{port}/ws/chat/", "not-the-one-of-the-server"
    env = {"LOADTEST_PROBE_TOKEN": TOKEN, "LOADTEST_PROBE_FOLDER": str(tmp_path / "probe")}
    with serving(project, "--ssl-certfile", own, "--ssl-keyfile", own, port=port, env=env):
        code, said = refused(target, "--origin", ORIGIN)
        assert (code, "its certificate is not trusted" in said) == (4, True), said
        for trust in (("--ca-file", CERTIFICATES / "ca.pem"), ("--insecure",)):
            code, said = refused(target, "--origin", ORIGIN, *trust, token=another)
            assert (code, "refuses the token" in said) == (4, True), said


def test_target_when_the_server_has_no_token_then_there_are_no_routes_and_it_is_said(
    refused: Run, project: Path
) -> None:
    port = free_port()
    with serving(project, port=port):
        code, said = refused(f"ws://127.0.0.1:{port}/ws/chat/", "--origin", ORIGIN, token=TOKEN)
    assert code == 4
    assert "no probe answers at" in said
    assert "HTTP 404" in said
