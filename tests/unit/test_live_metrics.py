"""The metrics of a bench: what runs, and what came of the trials that have ended."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from loadtest.bench.plan import PlanError, Trial
from loadtest.bench.watchers import Watchers
from loadtest.cli import live_metrics
from loadtest.cli.live_metrics import LiveMetrics, served_metrics
from loadtest.dimensions import DIMENSIONS, FIXED_LOAD, LOAD, CellKey
from loadtest.report.console import PlainConsole
from loadtest.report.manifest import Capacity
from loadtest.report.tables import Tables
from tests.unit.plans import make_plan
from tests.unit.report_folder import key_row

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
CELL = CellKey(layer="redis", consumer="sync", scenario="churn", drop="mixed", load="80%")
OF_RST = CellKey(layer="redis", consumer="sync", scenario="churn", drop="rst", load="80%")
ROW = key_row(layer="redis", consumer="sync", scenario="churn") | {"load": "80%"}
PLAN = make_plan({"rate": 3, "load": "fixed"})
TABLES = Tables.from_rows(
    {
        "throughput": [{**ROW, "drop": "mixed", "messages_per_s": 1222.4}],
        "disconnects": [
            {**ROW, "drop": kind, "dropped": 20, "missed": 3, "disconnect_called": 17, "unknown": 0}
            for kind in ("fin", "rst")
        ],
    }
)


class Told:
    """Metrics of a bench, with the means to tell them of its trials."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.watcher = Watchers(LiveMetrics(self.registry, PLAN))

    def trial(self, number: int = 1) -> Trial:
        trial = Trial(cell=CELL, number=number, seed=1, rate=8.25)
        self.watcher.trial_begins(trial, place=number, of=3)
        return trial

    def value(self, name: str, cell: CellKey | None = None, **labels: str) -> float | None:
        key = {} if cell is None else {dimension: str(value) for dimension, value in cell.as_row().items()}
        return self.registry.get_sample_value(f"loadtest_bench_{name}", {**labels, **key})


@pytest.fixture
def told() -> Told:
    return Told()


def test_trial_when_it_runs_then_its_cell_its_rate_and_how_many_are_left_are_shown(told: Told) -> None:
    told.trial(2)
    assert told.value("running", CELL, trial="2") == 1
    assert told.value("asked_rate") == 8.25
    assert told.value("trials_left") == 2


def test_trial_when_it_is_done_then_its_drops_are_counted_by_kind_and_nothing_runs(told: Told) -> None:
    told.watcher.trial_done(told.trial(), TABLES, ())
    assert told.value("dropped_total", OF_RST) == 20
    assert told.value("disconnect_called_total", OF_RST) == 17
    assert told.value("missed_total", OF_RST) == 3
    assert told.value("unknown_total", OF_RST) == 0
    assert told.value("messages_per_second", CELL) == 1222.4
    assert told.value("trials_total", outcome="valid") == 1
    assert told.value("trials_left") == 2
    assert told.value("running", CELL, trial="1") is None


def test_trials_when_several_are_done_then_their_drops_are_summed(told: Told) -> None:
    for number in (1, 2):
        told.watcher.trial_done(told.trial(number), TABLES, ())
    assert told.value("missed_total", OF_RST) == 6


def test_trial_when_it_is_not_valid_or_fails_then_it_is_counted_and_its_figures_are_not(told: Told) -> None:
    told.watcher.trial_done(told.trial(), TABLES, ("the generator was busy",))
    told.watcher.trial_failed(told.trial(2), "the server died")
    assert [told.value("trials_total", outcome=one) for one in ("valid", "not_valid", "failed")] == [0, 1, 1]
    assert told.value("dropped_total", OF_RST) is None
    told.watcher.repeats_begin(2)
    assert told.value("trials_left") == 2


def test_trial_when_its_load_is_absolute_then_the_rate_is_that_of_the_plan(told: Told) -> None:
    absolute = Trial(cell=CELL.having(LOAD, FIXED_LOAD), number=1, seed=1, rate=None)
    told.watcher.trial_begins(absolute, place=1, of=1)
    assert told.value("asked_rate") == PLAN.rate == 3


def test_cell_when_it_is_calibrated_then_that_is_what_runs_and_what_it_carries_is_shown(told: Told) -> None:
    told.watcher.calibration_begins(CELL, place=1, of=1)
    assert told.value("running", CELL, trial="calibration") == 1
    told.watcher.calibrated(Capacity(cell=CELL, rate=12.5, steps=()))
    assert told.value("running", CELL, trial="calibration") is None
    assert told.value("capacity_rate", CELL) == 12.5


def test_cell_when_it_is_not_calibrated_then_what_it_carries_is_not_shown(told: Told) -> None:
    told.watcher.calibrated(Capacity(cell=CELL, rate=None, steps=(), why="it failed"))
    told.watcher.cell_refused(CELL, "it was not calibrated")
    assert told.value("capacity_rate", CELL) is None


def test_metrics_when_they_are_not_asked_for_then_there_are_none_and_nothing_is_said() -> None:
    said = io.StringIO()
    with served_metrics(None, PLAN, PlainConsole(file=said)) as watchers:
        assert watchers == ()
    assert said.getvalue() == ""


def test_metrics_when_the_port_is_taken_then_it_is_bad_usage_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(*_: object, **__: object) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(live_metrics, "start_http_server", taken)
    message = r"--metrics-port: cannot listen on 127\.0\.0\.1:1 \(Address already in use\); name another port"
    with pytest.raises(PlanError, match=message), served_metrics(1, PLAN, PlainConsole()):
        pass


def test_metrics_when_described_then_the_page_has_each_of_them_with_its_labels(told: Told) -> None:
    """A row of the page is `| name | labels | meaning |`; *cell* stands for the dimensions."""
    cell = {dimension.name for dimension in DIMENSIONS}
    told.watcher.calibrated(Capacity(cell=CELL, rate=12.5, steps=()))
    told.watcher.trial_done(told.trial(), TABLES, ())
    told.trial(2)
    rows = re.findall(r"^\| `(loadtest_bench_\w+)` \|([\w, *]*)\|", PAGE.read_text(), re.MULTILINE)
    assert {
        name: {one for label in filter(None, labels.strip().split(", ")) for one in (cell if "*" in label else {label})}
        for name, labels in rows
    } == {
        family.name + ("_total" if family.type == "counter" else ""): set(family.samples[0].labels)
        for family in told.registry.collect()
    }
