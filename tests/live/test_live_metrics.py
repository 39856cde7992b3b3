"""Live metrics while a test runs: what the endpoints show, the dashboard's queries, and what OpenTelemetry is sent."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import Metric

from loadtest.targets.database import Database
from tests.dashboard import Query, queries
from tests.live.live_endpoints import CHURN, Endpoints, endpoints, labels_of, scraped, told_by, value_of
from tests.live.otlp_receiver import OtlpReceiver
from tests.live.test_locustfiles import USERS, Locust, Row

pytestmark = pytest.mark.live

SEEN_LATER = {"loadtest_bench_capacity_rate"}
"""What has no sample here: the load of this bench is absolute, and nothing is calibrated."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, database: Database, receiver: OtlpReceiver
) -> Iterator[Endpoints]:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in receiver.environment.items():
            environment.setenv(name, value)
        with endpoints(tmp_path_factory.mktemp("metrics"), database, "--otel") as running:
            yield running


@pytest.fixture(scope="module")
def shown(running: Endpoints, until: Callable[[Callable[[], object]], None]) -> list[Metric]:
    """What is scraped of all three in one moment, once each has seen a drop."""
    drops = {
        running.probe: "loadtest_probe_connections_ended_total",
        running.generator: "loadtest_generator_drops_total",
        running.bench: "loadtest_bench_dropped_total",
    }
    until(lambda: all(value_of(scraped(url), name) > 0 for url, name in drops.items()))
    return scraped(*running.all)


def test_generator_when_it_is_scraped_then_it_shows_users_connections_messages_drops_and_latency(
    shown: list[Metric],
) -> None:
    of = "loadtest_generator"
    assert value_of(shown, f"{of}_users") == USERS
    assert 0 < value_of(shown, f"{of}_connections") <= USERS
    assert value_of(shown, f"{of}_asked_rate") == 4
    assert value_of(shown, f"{of}_requests_total", row="open") >= USERS
    came = value_of(shown, f"{of}_requests_total", row="delivered")
    assert came > 0
    assert value_of(shown, f"{of}_latency_seconds_count", row="delivered") == came
    assert value_of(shown, f"{of}_latency_seconds_bucket", row="delivered", le="+Inf") == came
    assert value_of(shown, f"{of}_drops_total", kind="rst") > 0
    assert value_of(shown, f"{of}_process_cpu_seconds_total") > 0


def test_bench_when_it_is_scraped_then_it_shows_what_runs_and_what_came_of_the_drops(shown: list[Metric]) -> None:
    of, cell = "loadtest_bench", {"layer": "inmemory", "consumer": "async", "scenario": "churn", "drop": "rst"}
    dropped, called, missed, unknown = (
        value_of(shown, f"{of}_{name}_total", **cell) for name in ("dropped", "disconnect_called", "missed", "unknown")
    )
    assert dropped == called + missed + unknown > 0
    assert value_of(shown, f"{of}_trials_total", outcome="valid") >= 1
    assert value_of(shown, f"{of}_running", **cell) <= 1
    assert value_of(shown, f"{of}_asked_rate") == 5


@pytest.mark.parametrize("query", queries(), ids=str)
def test_dashboard_when_a_query_is_put_then_the_scrape_has_what_it_names(query: Query, shown: list[Metric]) -> None:
    labels = labels_of(shown)
    assert query.problems(labels) == []
    assert {one.metric for one in query.named if labels[one.metric] is None} <= SEEN_LATER


@pytest.fixture(scope="module")
def ended(shown: list[Metric], running: Endpoints) -> dict[str, Row]:
    """Locust's own table, once it was told to end in order."""
    running.locust.process.send_signal(signal.SIGTERM)
    code, out = running.locust.ended()
    assert code == 0, out
    assert "Traceback" not in out
    return running.locust.rows()


def test_otel_when_locust_has_ended_then_every_message_opening_and_drop_has_arrived_as_a_sample(
    ended: dict[str, Row], receiver: OtlpReceiver
) -> None:
    counts = {name: row.requests for name, row in ended.items() if name != "Aggregated"}
    assert set(counts) == {"open", "delivered", "drop rst"}
    assert receiver.counts("locust.client.duration", "name") == counts


def test_otel_when_samples_have_arrived_then_their_times_are_in_seconds(
    ended: dict[str, Row], receiver: OtlpReceiver
) -> None:
    for name, total_s in receiver.sums("locust.client.duration", "name").items():
        assert total_s == pytest.approx(ended[name].average_ms / 1000 * ended[name].requests, rel=0.01)


def test_otel_when_users_ran_then_their_number_has_arrived(ended: dict[str, Row], receiver: OtlpReceiver) -> None:
    assert USERS in receiver.gauges("locust.users.count")


def test_generator_when_it_has_processes_then_the_first_one_shows_the_figures_of_all(
    running: Endpoints, tmp_path: Path, until: Callable[[Callable[[], object]], None]
) -> None:
    options = (*CHURN, "--processes=2", "--metrics-port=0")
    locust = Locust("churn", running.url, tmp_path / "locust", *options, run_s=None)
    try:
        url, opened = told_by(locust), "loadtest_generator_requests_total"
        until(lambda: value_of(scraped(url), opened, row="open") >= USERS)
        assert value_of(scraped(url), "loadtest_generator_users") == USERS
        locust.process.send_signal(signal.SIGTERM)
        code, out = locust.ended()
    finally:
        locust.process.kill()
    assert code == 0, out
    assert out.count("metrics: ") == 0, "the workers show none"
