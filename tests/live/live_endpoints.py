"""The three endpoints of live metrics at a time: a reference app, Locust on it, and a bench that runs."""

from __future__ import annotations

import re
import signal
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from loadtest.targets.database import Database
from tests.dashboard import Labels
from tests.live.bench_process import Bench
from tests.live.reference_app import reference_app
from tests.live.test_locustfiles import Locust

CHURN = ("--drop-kind=rst", "--drop-share=1", "--offline=0.2", "--rate=4", "--room-size=4")
PLAN = """
consumers = ["async"]
layers = ["inmemory"]
scenarios = ["churn"]
drops = ["rst"]
users = 6
room_size = 3
rate = 5
drop_share = 1
offline = 0.2
warm_up = 0
duration = 1
settle = 2
trials = 20
twins = false
"""
"""A bench that goes on until it is stopped; its first trial is over in 5 s."""
_SHOWN = re.compile(r"metrics: (http://127\.0\.0\.1:\d+/metrics)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where the metrics of each are."""

    probe: str
    generator: str
    bench: str
    locust: Locust
    url: str
    """Of the app."""

    @property
    def all(self) -> tuple[str, str, str]:
        return self.probe, self.generator, self.bench


@contextmanager
def endpoints(folder: Path, database: Database, *locusts: str) -> Iterator[Endpoints]:
    """Start all three, Locust with these options too; the ports of the last two are free ones, which they have told."""
    with reference_app(folder=folder / "app", database=database, env={"METRICS_ROUTE": "/metrics"}) as app:
        (folder / "plan.toml").write_text(PLAN)
        options = ("--plan", folder / "plan.toml", "--metrics-port", "0", "--out", folder / "out")
        locust = Locust("churn", app.url, folder / "locust", *CHURN, "--metrics-port=0", *locusts, run_s=None)
        try:
            with Bench("bench", *options) as bench:
                yield Endpoints(
                    probe=f"{app.url.replace('ws://', 'http://')}/metrics",
                    generator=told_by(locust),
                    bench=told_by_bench(bench),
                    locust=locust,
                    url=app.url,
                )
                bench.process.send_signal(signal.SIGINT)
                bench.ended()
        finally:
            locust.process.kill()
            locust.process.wait()


def told_by(locust: Locust) -> str:
    """Return where a generator has said that its metrics are."""
    assert locust.process.stdout is not None
    line = locust.process.stdout.readline()
    found = _SHOWN.search(line)
    assert found, line
    return found[1]


def told_by_bench(bench: Bench) -> str:
    """Return where a bench has said that its metrics are."""
    bench.wait_until(lambda: _SHOWN.search(bench.out))
    found = _SHOWN.search(bench.out)
    assert found
    return found[1]


def scraped(*urls: str) -> list[Metric]:
    """Return what Prometheus would read there."""
    found: list[Metric] = []
    for url in urls:
        with urllib.request.urlopen(url, timeout=20) as answer:
            found += text_string_to_metric_families(answer.read().decode())
    return found


def labels_of(metrics: Iterable[Metric]) -> Labels:
    """Return the labels of each metric, by the name that its samples have in a query."""
    found: dict[str, frozenset[str] | None] = {}
    for metric in metrics:
        found[f"{metric.name}_total" if metric.type == "counter" else metric.name] = None
        for sample in metric.samples:
            found[sample.name] = frozenset(sample.labels)
    return found


def value_of(metrics: Iterable[Metric], name: str, **labels: str) -> float:
    """Return the sum of the samples of that name with these labels; 0 where there is none."""
    samples = (sample for metric in metrics for sample in metric.samples if sample.name == name)
    return sum(one.value for one in samples if labels.items() <= one.labels.items())
