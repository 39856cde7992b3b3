"""The comparison is told all that the web UI was told, and nothing secret stands on its command line."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench.scenarios import SCENARIOS
from loadtest.webui.stage.comparing import AskedComparison, environment_of, options_of, written_headers
from tests.unit.command_line import ACCEPTED, nothing_starts, said_to

SECRET = "hunter2"
SHIPPED = tuple(row.locustfile for row in SCENARIOS.values())
JOB: dict[str, Any] = {"host": "ws://127.0.0.1:1"}
OWN = '"""Mine: as I load it."""\nSCENARIO = {"users": 20, "rate": 1, "room_size": 10, "drops": True}\n'


@pytest.fixture(autouse=True)
def _nothing_starts() -> Iterator[None]:
    with nothing_starts():
        yield


def options(headers: Path | None = None, job: dict[str, Any] | None = None, **said: Any) -> list[str]:
    asked = {"folder": "/", "locustfiles": SHIPPED, "server": "daphne", "job": {**JOB, **(job or {})}, **said}
    return options_of(AskedComparison.model_validate(asked), 8123, headers)


def test_options_when_nothing_is_said_then_it_is_the_quick_profile_on_the_server_and_port_of_the_web_ui() -> None:
    assert options() == ["--profile=quick", "--servers=daphne", "--port=8123"]


def test_options_when_there_is_a_plan_then_it_says_everything_but_that_contention_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    told = options(plan="/x/plan.toml", locustfiles=(tmp_path / "mine.py",), allow_contention=True)
    assert sorted(told) == ["--allow-contention", "--plan=/x/plan.toml"]


def test_options_when_a_locustfile_is_the_persons_own_then_it_is_compared(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    assert f"--locustfile={tmp_path / 'mine.py'}" in options(locustfiles=(*SHIPPED, tmp_path / "mine.py"))


def test_options_when_a_server_runs_elsewhere_then_it_is_the_target_with_what_opens_its_connections() -> None:
    job = {"origin": "https://a.example", "subprotocol": ["chat", "b"], "insecure": True, "compression": True}
    told = options(host="wss://a.example/ws/", job=job)
    assert sorted(told) == [
        "--insecure",
        "--origin=https://a.example",
        "--profile=quick",
        "--subprotocol=b",
        "--subprotocol=chat",
        "--target=wss://a.example/ws/",
    ]


def test_options_when_connections_need_a_secret_header_then_it_is_in_a_file_of_ones_own(tmp_path: Path) -> None:
    job = {"header": [f"Authorization: Bearer {SECRET}"]}
    file = written_headers(job["header"], tmp_path / "headers")
    assert file is not None
    told = options(file, host="wss://a.example/ws/", job=job)
    assert f"--header-file={file}" in told
    assert SECRET not in " ".join(told)
    assert file.read_text() == f"Authorization: Bearer {SECRET}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_headers_when_there_are_none_any_more_then_those_of_before_are_gone(tmp_path: Path) -> None:
    written_headers(["X-A: b"], tmp_path / "headers")
    assert written_headers([], tmp_path / "headers") is None
    assert not list(tmp_path.iterdir())


def test_environment_when_a_broker_is_the_persons_own_then_its_address_wins_over_that_of_the_environment() -> None:
    own = f"redis://:{SECRET}@a.example/"
    env = environment_of({"redis": own}, {"LOADTEST_REDIS_URL": "redis://b.example/", "PATH": "/bin"})
    assert (env["LOADTEST_REDIS_URL"], env["PATH"]) == (own, "/bin")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"allow_contention": True},
        {"host": "wss://a.example/ws/", "job": {"subprotocol": ["chat"], "origin": "https://a.example"}},
    ],
)
def test_bench_when_it_gets_the_options_then_it_takes_them(said: dict[str, Any]) -> None:
    told = said_to("bench", *options(**said))
    assert told.code == ACCEPTED, told.err
