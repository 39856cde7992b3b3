"""The probe's metrics: what is counted of a connection, and what the process shows."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from loadtest.contract.elsewhere import TOKEN_VARIABLE
from loadtest.contract.variables import LEDGER_VARIABLE
from loadtest.ledger import Event
from loadtest.probe import Probe, metrics
from loadtest.probe.counting import CountedConnection, CountedProcess, Counting
from loadtest.probe.metrics import CAUSES, Metrics, forget_dead
from loadtest.probe.recording import class_name

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
CHAT = "chat.Chat"
MISSED = "loadtest_probe_ended_without_disconnect_total"
SENDING_FAILED = "websockets.exceptions.ConnectionClosedError"
NOBODYS_PID = 2**22 + 1
"""Larger than Linux gives to any process."""


class Counted:
    """Metrics of a process of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)

    def connection(self, *, accepted: bool = True, consumer: str = CHAT) -> CountedConnection:
        found = CountedConnection(self.metrics)
        if consumer:
            found.record_text(Event.CONSUMER, 1, consumer)
        if accepted:
            found.record(Event.ACCEPTED, 1)
        return found

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, {"consumer": CHAT, **labels})

    @property
    def missed(self) -> dict[str, float]:
        """How many, by cause, of those that are not 0."""
        by_cause = {cause: self.value(MISSED, cause=cause) for cause in CAUSES}
        return {cause: count for cause, count in by_cause.items() if count}


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_connection_when_disconnect_was_called_then_it_ended_and_was_not_missed(counted: Counted) -> None:
    connection = counted.connection()
    connection.record(Event.DISCONNECT_IN, 1, code=1006)
    connection.record(Event.DISCONNECT_ENTERED, 1)
    connection.record(Event.DISCONNECT_RETURNED, 1)
    connection.record_text(Event.TASK_ENDED, 1, "")
    assert counted.value("loadtest_probe_connections_ended_total") == 1
    assert counted.value("loadtest_probe_connections") == 0
    assert counted.missed == {}


@pytest.mark.parametrize(
    ("events", "error", "cause"),
    [
        ((Event.SEND_RAISED,), SENDING_FAILED, "send"),
        ((), "builtins.KeyError", "raised"),
        ((), class_name(asyncio.CancelledError()), "cancelled"),
        ((Event.SEND_RAISED,), "", "returned"),
    ],
)
def test_connection_when_it_ends_without_disconnect_then_it_is_missed_with_its_cause(
    counted: Counted, events: tuple[Event, ...], error: str, cause: str
) -> None:
    connection = counted.connection()
    for event in events:
        connection.record_text(event, 1, SENDING_FAILED)
    connection.record_text(Event.TASK_ENDED, 1, error)
    assert counted.missed == {cause: 1}


def test_connection_when_it_is_open_then_all_its_counters_are_there_and_stand_at_0(counted: Counted) -> None:
    counted.connection()
    assert counted.value("loadtest_probe_connections") == 1
    assert [counted.value(MISSED, cause=cause) for cause in CAUSES] == [0] * len(CAUSES)


def test_connection_when_it_was_not_accepted_then_it_is_not_counted(counted: Counted) -> None:
    counted.connection(accepted=False).record_text(Event.TASK_ENDED, 1, "")
    assert counted.value("loadtest_probe_connections_ended_total") == 0
    assert counted.missed == {}


def test_connection_when_no_consumer_of_channels_has_it_then_it_ends_and_misses_nothing(counted: Counted) -> None:
    counted.connection(consumer="").record_text(Event.TASK_ENDED, 1, "builtins.KeyError")
    assert counted.value("loadtest_probe_connections_ended_total", consumer="") == 1
    assert counted.value(MISSED, consumer="", cause="raised") == 0


def test_connection_when_disconnect_raises_then_that_is_counted_and_it_is_not_missed(counted: Counted) -> None:
    connection = counted.connection()
    connection.record(Event.DISCONNECT_ENTERED, 1)
    connection.record_text(Event.DISCONNECT_RAISED, 1, "builtins.KeyError")
    connection.record_text(Event.TASK_ENDED, 1, "builtins.KeyError")
    assert counted.value("loadtest_probe_disconnect_raised_total") == 1
    assert counted.missed == {}


def test_exposure_when_asked_then_heard_is_who_waited_and_who_was_spared(counted: Counted) -> None:
    connection = counted.connection()
    connection.record(Event.ASKED, 1, code=0, value=6)
    connection.record(Event.ASKED, 1, code=1, value=4)
    connection.record(Event.SPARED, 1, value=1)
    assert counted.value("loadtest_probe_imagined_drops_total") == 10
    assert counted.value("loadtest_probe_imagined_drops_heard_total") == 7


def test_stall_when_recorded_then_its_seconds_are_in_the_histogram(counted: Counted) -> None:
    process = CountedProcess(counted.metrics)
    process.record(Event.STALLED, 0, value=300_000_000)
    process.record(Event.LOOP_BUSY, 0, value=5)
    assert counted.registry.get_sample_value("loadtest_probe_stall_seconds_sum") == pytest.approx(0.3)
    assert counted.registry.get_sample_value("loadtest_probe_stall_seconds_bucket", {"le": "0.25"}) == 0
    assert counted.registry.get_sample_value("loadtest_probe_stall_seconds_bucket", {"le": "0.5"}) == 1


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})


def answered(path: str, route: str = "/metrics", method: str = "GET") -> tuple[list[Any], bool]:
    """What is sent in answer to a request, and whether the probe has answered it; the loop is left unwatched."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "method": method}
    return sent, asyncio.run(Counting(route).answered(scope, send))


@pytest.fixture(autouse=True)
def nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (LEDGER_VARIABLE, TOKEN_VARIABLE, metrics.FOLDER_VARIABLE):
        monkeypatch.delenv(variable, raising=False)


def test_route_when_it_is_asked_for_then_the_metrics_are_shown() -> None:
    (start, body), is_answered = answered("/metrics")
    assert is_answered
    assert start["status"] == 200
    assert b"# TYPE loadtest_probe_connections gauge" in body["body"]


@pytest.mark.parametrize(
    ("path", "route", "method"), [("/metrics", "", "GET"), ("/other", "/metrics", "GET"), ("/metrics", "/m", "GET")]
)
def test_route_when_it_is_another_one_or_none_then_the_application_answers(path: str, route: str, method: str) -> None:
    assert answered(path, route, method) == ([], False)


def test_route_when_it_is_no_path_then_the_server_does_not_start() -> None:
    with pytest.raises(ValueError, match="write it as '/metrics'"):
        Probe(app, route="metrics")


def test_probe_when_prometheus_client_is_not_there_then_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    metrics.metrics_of_process.cache_clear()
    with pytest.raises(ImportError, match="pip install prometheus-client"):
        Probe(app, metrics=True)


def test_dead_when_a_worker_has_ended_then_only_what_it_held_open_is_forgotten(tmp_path: Path) -> None:
    kept = [f"gauge_livesum_{os.getpid()}.db", f"counter_{NOBODYS_PID}.db", "gauge_livesum_x.db"]
    for name in (*kept, f"gauge_livesum_{NOBODYS_PID}.db"):
        (tmp_path / name).touch()
    forget_dead(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_metrics_when_described_then_the_page_has_each_of_them_with_its_labels_and_no_other(counted: Counted) -> None:
    """A row of the page is `| name | labels | meaning |`."""
    rows = re.findall(r"^\| `(loadtest_probe_\w+)` \|([\w, ]*)\|", PAGE.read_text(), re.MULTILINE)
    counted.connection()
    shown = {
        (family.name + ("_total" if family.type == "counter" else "")): set(family.samples[0].labels) - {"le"}
        for family in counted.registry.collect()
    }
    assert {name: set(filter(None, labels.strip().split(", "))) for name, labels in rows} == shown
    assert all(f"`{cause}`" in PAGE.read_text() for cause in CAUSES)
