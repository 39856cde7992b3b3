"""The dashboard on a real Prometheus: each of its queries is answered with data."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtest.stack.ports import free_port
from loadtest.targets.database import Database
from tests.dashboard import queries
from tests.live.live_endpoints import Endpoints, endpoints

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not os.environ.get("LOADTEST_SOAK"), reason="make soak runs it"),
    pytest.mark.skipif(not shutil.which("prometheus"), reason="there is no Prometheus (apt-get install prometheus)"),
]

EVERY_S = 1
RANGE_S = 10
"""What rates are of: ten scrapes."""
WITHIN_S = 90.0
"""Rates are known after RANGE_S, and the bench's first trial is over in 5 s; this is for a busy machine."""
NONE_HERE = ("loadtest_bench_capacity_rate", "loadtest_probe_stall_seconds")
"""Of what nothing happens here: no cell is calibrated, and no event loop stalls, whose quantiles are then NaN."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, database: Database) -> Iterator[Endpoints]:
    with endpoints(tmp_path_factory.mktemp("metrics"), database) as running:
        yield running


@pytest.fixture(scope="module")
def ask(running: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], list[Any]]]:
    """A Prometheus that scrapes all three, to be asked by a query."""
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port("127.0.0.1")
    addresses = [urllib.parse.urlsplit(url).netloc for url in running.all]
    jobs = [{"job_name": "loadtest", "static_configs": [{"targets": addresses}]}]
    config = {"global": {"scrape_interval": f"{EVERY_S}s"}, "scrape_configs": jobs}
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    command = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        yield lambda query: _answer(port, query, process, folder / "log")
    finally:
        process.kill()
        process.wait()


def _answer(port: int, query: str, process: subprocess.Popen[bytes], log: Path) -> list[Any]:
    assert process.poll() is None, log.read_text()
    url = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            found: list[Any] = json.load(answer)["data"]["result"]
            return found
    except urllib.error.HTTPError as error:
        if error.code == 503:  # it is starting
            return []
        raise AssertionError(f"{query}: {error.read().decode()}") from None
    except urllib.error.URLError:
        return []  # it does not listen yet


def test_dashboard_when_prometheus_has_scraped_then_each_query_is_answered_with_figures(
    ask: Callable[[str], list[Any]],
) -> None:
    of_grafana = {"$__rate_interval": f"{RANGE_S}s", "$__range": f"{RANGE_S}s"}
    wanted = {one.typed(of_grafana) for one in queries() if not any(name in one.text for name in NONE_HERE)}
    assert len(wanted) > 20
    deadline = time.monotonic() + WITHIN_S
    while left := {query for query in wanted if not any(one["value"][1] != "NaN" for one in ask(query))}:
        assert time.monotonic() < deadline, left
        time.sleep(EVERY_S)
