"""The stack's parts that need no process: servers, limits, the lock, the messages."""

import os
import resource
from pathlib import Path

import pytest

from loadtest.brokers.redis import delete_keys
from loadtest.brokers.redis_url import redacted
from loadtest.contract import Identity
from loadtest.layers import LAYERS, SHORT_EXPIRY_S
from loadtest.servers import SERVERS, Serving
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import LONGEST_NAME, SOCKET_PATH_BYTES, short_folder
from loadtest.stack.limits import need_disk, need_open_files
from loadtest.stack.lock import only_bench
from loadtest.stack.process import describe_exit, log_tail
from loadtest.targets import Setting
from loadtest.targets.database import SqliteTemplate
from loadtest.targets.reference import RunningReference
from target_app.consumers import CONSUMERS
from target_app.consumers.expiry import PRESENCE_S


def test_uvicorn_when_given_a_port_and_pings_then_the_command_has_them_and_no_fd() -> None:
    serving = Serving(
        application="a.asgi:application", port=8001, python="python3", ping_interval_s=1.5, ping_timeout_s=2
    )
    command = SERVERS["uvicorn"].command(serving)
    assert command[1:4] == ["-m", "uvicorn", "a.asgi:application"]
    assert command[command.index("--port") + 1] == "8001"
    assert command[command.index("--ws-ping-interval") + 1] == "1.5"
    assert command[command.index("--ws-ping-timeout") + 1] == "2"
    assert "--fd" not in command


def test_uvicorn_when_no_pings_are_given_then_its_own_defaults_hold() -> None:
    assert not any(
        "ping" in word for word in SERVERS["uvicorn"].command(Serving(application="a:b", port=1, python="python3"))
    )


def test_uvicorn_when_asked_then_it_names_its_version_and_websocket_implementation() -> None:
    uvicorn = SERVERS["uvicorn"]
    packages = {"websockets": "17.4", "uvicorn": uvicorn.version}
    told = Identity(pid=1, python="3.12.1", packages=packages, layer="", database="")
    assert uvicorn.version[0].isdigit()
    assert uvicorn.websockets(told) == "websockets-sansio 17.4"


def test_uvicorn_when_it_is_another_version_than_ours_then_only_the_package_is_named() -> None:
    packages = {"uvicorn": "0.20.0", "websockets": "11.0"}
    told = Identity(pid=1, python="3.10.1", packages=packages, layer="", database="")
    assert SERVERS["uvicorn"].websockets(told) == "websockets 11.0"


def test_consumers_when_listed_then_names_are_unique_and_two_are_default() -> None:
    assert len({row.name for row in CONSUMERS}) == len(CONSUMERS) == 8
    assert [row.name for row in CONSUMERS if row.default] == ["sync", "async"]
    assert all(row.summary and "\n" not in row.summary for row in CONSUMERS)


@pytest.mark.parametrize(
    ("consumer", "layer", "expires_s"),
    [
        ("async", "redis", 0),
        ("async-heartbeat", "redis", PRESENCE_S),
        ("sync", "redis-short-expiry", SHORT_EXPIRY_S),
        ("group-kept-sync", "inmemory", 0),  # in no list
    ],
)
def test_reference_when_something_in_it_expires_then_it_says_how_long_that_takes(
    tmp_path: Path, consumer: str, layer: str, expires_s: float
) -> None:
    setting = Setting(server=SERVERS["uvicorn"], layer=LAYERS[layer], consumer=consumer, folder=tmp_path)
    database = SqliteTemplate(path=tmp_path / "none")
    assert RunningReference(setting, database=database).expires_s == expires_s


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """A process that may have 100 files, 1000 if it asks, and no right to have more; gives what was set."""
    was_set: list[tuple[int, int]] = []

    def set_limit(which: int, pair: tuple[int, int]) -> None:
        if pair[1] > 1000:
            raise ValueError("not allowed to raise maximum limit")
        was_set.append(pair)

    monkeypatch.setattr(resource, "getrlimit", lambda which: (100, 1000))
    monkeypatch.setattr(resource, "setrlimit", set_limit)
    return was_set


def test_open_files_when_the_limit_is_enough_then_it_stays(limits: list[tuple[int, int]]) -> None:
    need_open_files(100)
    assert limits == []


def test_open_files_when_more_are_needed_then_the_soft_limit_is_raised(limits: list[tuple[int, int]]) -> None:
    need_open_files(500)
    assert limits == [(500, 1000)]


def test_open_files_when_too_many_are_needed_then_the_message_says_how_to_raise_it(
    limits: list[tuple[int, int]],
) -> None:
    with pytest.raises(EnvironmentFailed, match=r"5000 open files .* may have 1000 .*ulimit -n 5000.*--users"):
        need_open_files(5000)


def test_disk_when_there_is_room_then_nothing_happens(tmp_path: Path) -> None:
    need_disk(tmp_path / "not" / "yet" / "there", 1)


def test_disk_when_there_is_no_room_then_the_message_names_place_and_sizes(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match=r"MiB are needed in .* MiB are free; .*--out"):
        need_disk(tmp_path, 1 << 62)


def test_lock_when_held_then_the_second_is_told_the_pid_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        only_bench(path),
        pytest.raises(EnvironmentFailed, match=rf"another bench .*\(pid {os.getpid()}\)"),
        only_bench(path),
    ):
        pass


def test_lock_when_let_go_then_the_next_gets_it(tmp_path: Path) -> None:
    for _ in range(2):
        with only_bench(tmp_path / "lock"):
            pass


def test_lock_when_made_then_any_user_can_open_it(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        with only_bench(tmp_path / "lock"):
            pass
    finally:
        os.umask(old)
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o666


def test_lock_when_the_file_cannot_be_opened_then_the_message_names_it(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match="lock file"), only_bench(tmp_path):  # a folder is in its place
        pass


def test_short_folder_when_the_temp_folder_is_long_then_a_socket_still_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    with short_folder() as folder:
        assert folder.is_dir()
        assert len(str(folder)) + len(LONGEST_NAME) <= SOCKET_PATH_BYTES
    assert not folder.exists()
    assert list(long.iterdir()) == []


@pytest.mark.parametrize(("code", "said"), [(3, "exit code 3"), (-9, "SIGKILL"), (-99, "signal 99")])
def test_exit_when_described_then_signals_have_names(code: int, said: str) -> None:
    assert describe_exit(code) == said


def test_log_tail_when_the_log_is_long_then_the_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"\xff\n" + b"".join(b"%d\n" % line for line in range(50)))
    assert log_tail(log, 2) == "  48\n  49"


def test_log_tail_when_there_is_none_then_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert log_tail(tmp_path / "empty") == "  (it printed nothing)"
    assert log_tail(tmp_path / "none") == "  (no log: No such file or directory)"


def test_url_when_shown_then_without_its_password() -> None:
    assert redacted("redis://me:secret@db:6379/0") == "redis://***@db:6379/0"
    assert redacted("redis://:secret@db:6379/0") == "redis://***@db:6379/0"
    assert redacted("unix:///tmp/a.sock?db=0") == "unix:///tmp/a.sock?db=0"


@pytest.mark.parametrize("prefix", ["", "asgi", "loadtest-"])
def test_delete_keys_when_the_prefix_is_not_a_runs_own_then_it_refuses(prefix: str) -> None:
    with pytest.raises(AssertionError):
        delete_keys("redis://127.0.0.1:1", prefix)
