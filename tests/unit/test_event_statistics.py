"""Statistics by events of Locust's own: who listens hears each message, and Locust counts what batches would."""

from __future__ import annotations

from time import monotonic_ns
from types import SimpleNamespace
from typing import Any

import pytest
from locust.env import Environment

from loadtest.users.statistics import BatchedStatistics, EventStatistics, statistics_of


def told(statistics: Any) -> None:
    statistics.log("delivered", 7.5, 64, monotonic_ns())
    statistics.log("delivered", 105.0, 64, monotonic_ns())
    statistics.fail("open", "refused 403")
    statistics.fail("delivered", "no answer within 10 s")
    statistics.close()


def figures(environment: Any) -> tuple[list[tuple[Any, ...]], list[str]]:
    entries = [environment.stats.total, *environment.stats.entries.values()]
    rows = [(one.name, one.num_requests, one.num_failures, one.num_none_requests, dict(one.response_times),
             one.total_response_time, one.total_content_length) for one in entries]  # fmt: skip
    return sorted(rows), sorted(error.to_name() for error in environment.stats.errors.values())


def test_event_statistics_when_told_the_same_then_locust_has_the_figures_of_batches() -> None:
    batched, fired = Environment(), Environment()
    fired.create_local_runner()  # counts what is fired
    told(BatchedStatistics(batched))
    told(EventStatistics(fired))
    assert figures(fired) == figures(batched)


def test_event_statistics_when_somebody_listens_then_each_message_is_heard_with_its_time_in_ms() -> None:
    environment = Environment()
    heard: list[tuple[str, float | None]] = []
    environment.events.request.add_listener(lambda **one: heard.append((one["name"], one["response_time"])))
    statistics = EventStatistics(environment)
    told(statistics)
    assert heard == [("delivered", 7.5), ("delivered", 105.0), ("open", None), ("delivered", None)]
    assert statistics.logged == 2


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (SimpleNamespace(otel=True), EventStatistics),
        (SimpleNamespace(otel=False), BatchedStatistics),
        (None, BatchedStatistics),
    ],
)
def test_statistics_when_opentelemetry_listens_then_they_are_events_and_else_batches(options: Any, kind: type) -> None:
    assert isinstance(statistics_of(Environment(parsed_options=options)), kind)
