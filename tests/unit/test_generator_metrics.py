"""The metrics of a generator: what Locust and the session have, as Prometheus reads it."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gevent.pywsgi import WSGIServer
from locust.env import Environment
from prometheus_client import CollectorRegistry

from loadtest.users import lifecycle, metrics
from loadtest.users.metrics import BORDERS_MS, GeneratorMetrics, buckets_of
from loadtest.users.options import OptionsError
from loadtest.users.sessions import begin_session

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
ROW = "delivered"
OPEN = SimpleNamespace(is_open=True)
AWAY = SimpleNamespace(is_open=False)


@pytest.fixture
def environment() -> Any:
    """Locust's, after three messages, two drops and a failure."""
    environment = Environment()
    stats: Any = environment.stats  # it says that times are whole numbers
    for took_ms in (0.4, 7.0, 104.0):
        stats.log_request("WS", ROW, took_ms, 64)
    stats.log_request("WS", ROW, None, 0)
    stats.log_error("WS", ROW, "no answer within 10 s")
    for _ in range(2):
        stats.log_request("WS", "drop rst", 0.1, 0)
    return environment


@pytest.fixture
def shown(environment: Any) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(GeneratorMetrics(environment))
    return registry


@pytest.fixture
def session(environment: Any) -> Any:
    """That of a running test; whoever flushes its statistics finds one message more."""

    def flush() -> None:
        environment.stats.log_request("WS", ROW, 3.0, 64)

    session: Any = SimpleNamespace(
        members=[OPEN, AWAY, OPEN], held={1}, load=SimpleNamespace(rate=2.5), statistics=SimpleNamespace(flush=flush)
    )
    begin_session(environment, session)
    return session


def value(shown: CollectorRegistry, name: str, **labels: str) -> float | None:
    return shown.get_sample_value(f"loadtest_generator_{name}", labels)


def test_metrics_when_locust_has_counted_then_they_are_its_figures_by_row(shown: CollectorRegistry) -> None:
    assert value(shown, "requests_total", row=ROW) == 4
    assert value(shown, "failures_total", row=ROW) == 1
    assert value(shown, "drops_total", kind="rst") == 2
    assert value(shown, "users") == 0


def test_latency_when_shown_then_it_is_a_histogram_of_what_came(shown: CollectorRegistry) -> None:
    counts = {le: value(shown, "latency_seconds_bucket", row=ROW, le=le) for le in ("0.001", "0.005", "0.01", "0.2")}
    assert counts == {"0.001": 1, "0.005": 1, "0.01": 2, "0.2": 3}
    assert value(shown, "latency_seconds_count", row=ROW) == 3
    assert value(shown, "latency_seconds_sum", row=ROW) == pytest.approx(0.1114)


def test_metrics_when_no_test_runs_then_there_are_no_connections(shown: CollectorRegistry) -> None:
    assert value(shown, "connections") is None


def test_metrics_when_a_test_runs_then_its_connections_are_shown(shown: CollectorRegistry, session: Any) -> None:
    assert value(shown, "connections") == 2
    assert value(shown, "held_connections") == 1
    assert value(shown, "asked_rate") == 2.5


def test_metrics_when_messages_are_held_back_then_they_are_written_first(
    shown: CollectorRegistry, session: Any
) -> None:
    assert value(shown, "requests_total", row=ROW) == 4 + 1


def test_metrics_when_described_then_the_page_has_each_of_them_with_its_labels(
    shown: CollectorRegistry, session: Any
) -> None:
    """A row of the page is `| name | labels | meaning |`; those of the process are the library's."""
    rows = re.findall(r"^\| `(loadtest_generator_(?!process)\w+)` \|([\w, ]*)\|", PAGE.read_text(), re.MULTILINE)
    assert {name: labels.strip() for name, labels in rows} == {
        family.name + ("_total" if family.type == "counter" else ""): "".join(family.samples[0].labels.keys() - {"le"})
        for family in shown.collect()
    }


def test_buckets_when_locust_has_rounded_then_no_border_is_within_what_it_rounds_to_one() -> None:
    assert buckets_of({})[-1] == ("+Inf", 0)
    for border in BORDERS_MS:
        (above,) = (count for le, count in buckets_of({border: 5, border + 1: 3}) if le == str(border / 1000))
        assert above == 5


@pytest.mark.parametrize(("port", "processes"), [(None, None), (0, 2)])
def test_metrics_when_they_are_not_asked_for_or_the_master_has_them_then_they_are_not_served(
    monkeypatch: pytest.MonkeyPatch, port: int | None, processes: int | None
) -> None:
    monkeypatch.setattr(lifecycle, "WorkerRunner", SimpleNamespace)
    monkeypatch.delattr(metrics, "serve_metrics")
    options = SimpleNamespace(metrics_port=port, processes=processes)
    lifecycle._show_metrics(SimpleNamespace(parsed_options=options, runner=SimpleNamespace()))


def test_metrics_when_the_port_is_taken_then_the_message_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, environment: Any
) -> None:
    def taken(_: Any) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(WSGIServer, "start", taken)
    with pytest.raises(OptionsError, match=r"--metrics-port: cannot listen on 127\.0\.0\.1:1 .*; name another port"):
        metrics.serve_metrics(environment, 1)
