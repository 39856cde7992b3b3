"""Live metrics of a bench for Prometheus: what runs, and what came of the trials that have ended.

They are set between trials, from what the bench has then. While a trial runs nothing is read of its server or its
generators for them: that would disturb what it measures.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import typer
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from loadtest.bench.generator import rate_of
from loadtest.bench.plan import Plan, PlanError, Trial
from loadtest.checks.disconnects.table import DISCONNECT_CALLED, DROPPED, MISSED, UNKNOWN
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.checks.throughput.table import MESSAGES_PER_S
from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.dimensions import DIMENSIONS, CellKey
from loadtest.figures.column import Column
from loadtest.report.console import PlainConsole
from loadtest.report.manifest import Capacity
from loadtest.report.tables import Tables
from loadtest.stack.ports import LARGEST_PORT

LOOPBACK: Final = "127.0.0.1"
OUTCOMES: Final = ("valid", "not_valid", "failed")
CALIBRATION: Final = "calibration"
"""Stands for the number of a trial where a cell is calibrated."""
MetricsPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=LARGEST_PORT,
        help="show Prometheus metrics on this port of 127.0.0.1 while it runs; 0 picks a free one",
        rich_help_panel="Output",
    ),
]
_PREFIX: Final = "loadtest_bench"
_CELL: Final = tuple(dimension.name for dimension in DIMENSIONS)
_COUNTED: Final[tuple[Column[int], ...]] = (DROPPED, DISCONNECT_CALLED, MISSED, UNKNOWN)


class LiveMetrics:
    """Counts what a campaign says; a `Watcher` of it."""

    def __init__(self, registry: CollectorRegistry, plan: Plan) -> None:
        """Register in this registry."""
        self._plan = plan

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"{_PREFIX}_{name}", text, labels, registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"{_PREFIX}_{name}", text, labels, registry=registry)

        self._running = gauge("running", "1: this trial of this cell runs, or its calibration", "trial", *_CELL)
        self._asked_rate = gauge("asked_rate", "Messages a second asked of each sender; 0: as fast as answers come")
        self._left = gauge("trials_left", "Trials that have not ended")
        self._ended = counter("trials", "Trials that have ended", "outcome")
        self._capacity = gauge("capacity_rate", "Messages a second from each sender that a cell carries", *_CELL)
        self._messages = gauge("messages_per_second", "Messages received a second, in a cell's last trial", *_CELL)
        self._counts = {one: counter(one.name, f"Connections: {one.meaning}", *_CELL) for one in _COUNTED}
        for outcome in OUTCOMES:
            self._ended.labels(outcome)

    def calibration_begins(self, cell: CellKey, *, place: int, of: int) -> None:
        """Show which cell is calibrated."""
        self._show(cell, CALIBRATION)

    def calibrated(self, capacity: Capacity) -> None:
        """Show what the cell carries at most, where that was found."""
        self._running.clear()
        if capacity.rate is not None:
            self._capacity.labels(**_labels(capacity.cell)).set(capacity.rate)

    def cell_refused(self, cell: CellKey, why: str) -> None:
        """Nothing of it is counted."""

    def trial_begins(self, trial: Trial, *, place: int, of: int) -> None:
        """Show which trial runs, at which rate, and how many are left with it."""
        self._show(trial.cell, str(trial.number))
        self._asked_rate.set(rate_of(self._plan, trial))
        self._left.set(of - place + 1)

    def trial_done(self, trial: Trial, tables: Tables, invalid: tuple[str, ...]) -> None:
        """Count what came of its drops, by kind, where its figures count."""
        self._end("not_valid" if invalid else "valid")
        if invalid:
            return
        for row in tables[DISCONNECTS].iter_rows(named=True):
            for column, count in self._counts.items():
                count.labels(**_labels(CellKey.of_row(row))).inc(row[column.name] or 0)
        for row in tables[THROUGHPUT].iter_rows(named=True):
            if row[MESSAGES_PER_S.name] is not None:
                self._messages.labels(**_labels(CellKey.of_row(row))).set(row[MESSAGES_PER_S.name])

    def repeats_begin(self, count: int) -> None:
        """Show how many trials are run again."""
        self._left.set(count)

    def trial_failed(self, trial: Trial, why: str) -> None:
        """Count it."""
        self._end("failed")

    def _show(self, cell: CellKey, trial: str) -> None:
        self._running.clear()
        self._running.labels(trial=trial, **_labels(cell)).set(1)

    def _end(self, outcome: str) -> None:
        self._running.clear()
        self._left.dec()
        self._ended.labels(outcome).inc()


@contextmanager
def served_metrics(port: int | None, plan: Plan, console: PlainConsole) -> Iterator[tuple[LiveMetrics, ...]]:
    """Serve metrics of a bench at /metrics on a port of loopback, 0: a free one; None: there are none.

    Says where they are. Raises PlanError where the port is no good.
    """
    if port is None:
        yield ()
        return
    registry = CollectorRegistry()
    try:
        server, thread = start_http_server(port, addr=LOOPBACK, registry=registry)
    except OSError as error:
        raise PlanError(
            f"--metrics-port: cannot listen on {LOOPBACK}:{port} ({error.strerror}); name another port, or 0 for a "
            "free one"
        ) from None
    console.print(f"metrics: http://{LOOPBACK}:{server.server_port}/metrics", soft_wrap=True)
    try:
        yield (LiveMetrics(registry, plan),)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _labels(cell: CellKey) -> dict[str, str]:
    return {name: str(value) for name, value in cell.as_row().items()}
