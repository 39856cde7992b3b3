"""Metrics of a generator for Prometheus: what Locust and the session know already, read when somebody scrapes.

So a message costs nothing more than it does without them. They are served on gevent's hub, as Locust's own web UI is:
a scrape takes the hub for some milliseconds. A master shows the statistics of all its workers, as Locust has merged
them, and nothing of what a worker alone knows.
"""

import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from gevent.pywsgi import WSGIServer
from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from loadtest.users.options import OptionsError
from loadtest.users.session import Session
from loadtest.users.sessions import find_session

LOOPBACK: Final = "127.0.0.1"
BORDERS_MS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
"""Of the latency's histogram. Locust keeps whole ms below 100 and two digits above, so it never splits a border."""
_PREFIX: Final = "loadtest_generator"
_DROP: Final = "drop "
"""Begins the rows of the statistics that are of drops."""


def serve_metrics(environment: Any, port: int) -> None:
    """Serve the metrics of a generator until its process ends, and say where; OptionsError for a bad port."""
    server = WSGIServer((LOOPBACK, port), make_wsgi_app(_registry(environment)), log=None)
    try:
        server.start()
    except (OSError, OverflowError) as error:
        raise OptionsError(
            f"--metrics-port: cannot listen on {LOOPBACK}:{port} ({error}); name another port, or 0 for a free one"
        ) from None
    print(f"metrics: http://{LOOPBACK}:{server.server_port}/metrics", file=sys.stderr, flush=True)


def _registry(environment: Any) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(GeneratorMetrics(environment))
    ProcessCollector(namespace=_PREFIX, registry=registry)
    return registry


class GeneratorMetrics:
    """A collector of prometheus_client."""

    def __init__(self, environment: Any) -> None:
        """Of this environment of Locust, and of its session while there is one."""
        self._environment = environment

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        runner, session = self._environment.runner, find_session(self._environment)
        yield GaugeMetricFamily(f"{_PREFIX}_users", "Users that run", value=runner.user_count if runner else 0)
        if session is not None:
            session.statistics.flush()
            yield from _of_session(session)
        yield from _of_statistics(self._environment.stats.entries.values())


def _of_session(session: Session) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        f"{_PREFIX}_connections",
        "Connections of users that are open",
        value=sum(member.is_open for member in session.members),
    )
    yield GaugeMetricFamily(
        f"{_PREFIX}_held_connections",
        "Connections that were dropped without a word, whose sockets are kept",
        value=len(session.held),
    )
    yield GaugeMetricFamily(
        f"{_PREFIX}_asked_rate",
        "Messages a second asked of each sender; 0: as fast as answers come",
        value=session.load.rate,
    )


def _of_statistics(entries: Collection[Any]) -> Iterator[Metric]:
    """Yield what Locust's statistics have, by row; all of it falls to 0 when a test, or what counts of it, begins."""
    requests = CounterMetricFamily(
        f"{_PREFIX}_requests", "Openings, messages that came back, drops, and failures of each", labels=["row"]
    )
    failures = CounterMetricFamily(f"{_PREFIX}_failures", "Of those: the failures", labels=["row"])
    drops = CounterMetricFamily(f"{_PREFIX}_drops", "Connections that were dropped", labels=["kind"])
    latency = HistogramMetricFamily(
        f"{_PREFIX}_latency_seconds", "From the planned time to the arrival, of what came", labels=["row"]
    )
    for entry in entries:
        requests.add_metric([entry.name], entry.num_requests)
        failures.add_metric([entry.name], entry.num_failures)
        if entry.name.startswith(_DROP):
            drops.add_metric([entry.name.removeprefix(_DROP)], entry.num_requests - entry.num_failures)
        latency.add_metric([entry.name], buckets_of(entry.response_times), entry.total_response_time / 1000)
    yield from (requests, failures, drops, latency)


def buckets_of(response_times: Mapping[int, int]) -> list[tuple[str, float]]:
    """Return Locust's response times, counts by ms, as buckets of Prometheus: how many are up to each border (s)."""
    counted: Counter[float] = Counter()
    for took_ms, count in response_times.items():
        counted[next((border for border in BORDERS_MS if took_ms <= border), float("inf"))] += count
    buckets, below = [], 0
    for border in BORDERS_MS:
        below += counted[border]
        buckets.append((str(border / 1000), float(below)))
    return [*buckets, ("+Inf", float(counted.total()))]
