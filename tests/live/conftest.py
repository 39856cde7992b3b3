"""What live tests share: a migrated database, a Valkey, and waiting for a condition instead of for a time."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadtest.brokers.redis import RedisServer, private_valkey
from loadtest.targets.database import Database, prepare_database

CONDITION_S = 20.0
"""How long a condition may take on a busy machine before a test fails."""


LONGEST = (
    "test_user_app", "test_bench_bad_luck", "test_user_app_entry", "test_machine_gates", "test_planted", "test_outages",
    "test_user_app_reach", "test_pytest_plugin", "test_bench", "test_drops_app", "test_capacity", "test_compare",
    "test_locustfiles", "test_handshake_options", "test_bench_servers", "test_bench_load", "test_elsewhere",
    "test_generator_late", "test_audit", "test_adding", "test_own_locustfile", "test_processes", "test_user_app_push",
    "test_user_app_bad_input", "test_manage_command", "test_wheel", "test_live_metrics",
)  # fmt: skip
"""Those of our files that take more than ten seconds, from the longest on."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first: one that begins last leaves the other worker with nothing to do."""
    place = {f"{name}.py": number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A migrated SQLite template, made once."""
    return prepare_database(tmp_path_factory.mktemp("database"), None)


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A private Valkey that tests share; each target uses a prefix of its own on it."""
    with private_valkey(log=tmp_path_factory.mktemp("valkey") / "valkey.log") as server:
        yield server


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], object]], None]:
    """Wait until a condition holds, and fail when it does not within CONDITION_S."""
    return _until


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + CONDITION_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """An empty folder for the probe to record in."""
    folder = tmp_path / "ledger"
    folder.mkdir()
    return folder
