"""The probe's metrics on a real server: a disconnect that is missed is counted, over two worker processes."""

from __future__ import annotations

import socket
import struct
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import ClientConnection, connect

from loadtest.targets.database import Database
from loadtest.targets.reference import RunningReference
from tests.live.reference_app import reference_app

pytestmark = pytest.mark.live

WORKERS = 2
DROPPED = 6
CLOSED = 3
ABORT = struct.pack("ii", 1, 0)

Scrape = Callable[[], dict[tuple[str, str, str], float]]
"""Values by metric, consumer (without its module) and cause; "" where there is none."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, database: Database) -> Iterator[RunningReference]:
    """The reference app without a bench, with metrics."""
    folder, shared = tmp_path_factory.mktemp("app"), tmp_path_factory.mktemp("shared")
    env = {"METRICS_ROUTE": "/metrics", "PROMETHEUS_MULTIPROC_DIR": str(shared)}
    with reference_app(folder=folder, database=database, env=env, workers=WORKERS) as running:
        yield running


@pytest.fixture
def open_room(app: RunningReference) -> Iterator[Callable[[str], ClientConnection]]:
    """Open a connection to a consumer, which is closed at the end unless it was before."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(connect(f"{app.url}/ws/{name}/room/lobby/", compression=None))


@pytest.fixture(scope="module")
def scrape(app: RunningReference) -> Scrape:
    def values() -> dict[tuple[str, str, str], float]:
        with urllib.request.urlopen(f"{app.url.replace('ws://', 'http://')}/metrics") as answer:
            text = answer.read().decode()
        samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
        return {
            (one.name, one.labels.get("consumer", "").rpartition(".")[2], one.labels.get("cause", "")): one.value
            for one in samples
            if "le" not in one.labels
        }

    return values


def abort(connection: ClientConnection) -> None:
    """End it with RST."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    connection.socket.shutdown(socket.SHUT_RD)  # wakes the thread that reads, which would keep the socket open
    connection.socket.close()


def test_metrics_when_disconnects_are_missed_then_they_are_counted_and_others_are_not(
    open_room: Callable[[str], ClientConnection], scrape: Scrape, until: Callable[[Callable[[], object]], None]
) -> None:
    planted = [open_room("send-raises-async") for _ in range(DROPPED)]
    healthy = [open_room("async") for _ in range(CLOSED)]
    until(lambda: scrape()["loadtest_probe_imagined_drops_total", "RoomConsumer", ""] > 0)
    found = scrape()
    assert found["loadtest_probe_connections", "AsyncRoomConsumer", ""] == DROPPED
    assert found["loadtest_probe_connections", "RoomConsumer", ""] == CLOSED
    for connection in planted:
        abort(connection)
    for connection in healthy:
        connection.close()
    until(lambda: ended(scrape(), "AsyncRoomConsumer") == DROPPED and ended(scrape(), "RoomConsumer") == CLOSED)
    found = scrape()
    assert found["loadtest_probe_ended_without_disconnect_total", "AsyncRoomConsumer", "send"] == DROPPED
    assert found["loadtest_probe_ended_without_disconnect_total", "RoomConsumer", "send"] == 0
    assert found["loadtest_probe_connections", "AsyncRoomConsumer", ""] == 0


def ended(found: dict[tuple[str, str, str], float], consumer: str) -> float:
    return found.get(("loadtest_probe_connections_ended_total", consumer, ""), 0.0)
