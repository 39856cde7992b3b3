"""The charts against load: which there are, and where each point stands."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import pytest

from loadtest.report.charts import curve_charts
from loadtest.report.charts.chart import Chart
from loadtest.report.csv_files import read_tables
from loadtest.report.manifest import read_manifest
from loadtest.report.summary import Summary, summarise
from tests.unit.loaded_folder import LOADS, write_loaded_folder
from tests.unit.report_folder import write_folder, write_html


def summary_of(folder: Path) -> Summary:
    return summarise(read_tables(folder), read_manifest(folder))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_loaded_folder(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def charts(folder: Path) -> list[Chart]:
    return curve_charts(summary_of(folder))


def rows_of(chart: Chart) -> list[dict[str, Any]]:
    """The rows that all layers of a chart draw."""
    ((_, rows),) = chart.spec["datasets"].items()
    return list(rows)


def test_curves_when_there_are_several_loads_then_each_figure_has_one_for_each_scenario_and_layer(
    charts: list[Chart],
) -> None:
    assert [chart.summary for chart in charts[:4]] == [
        "missed disconnects over utilisation: churn on inmemory.",
        "missed disconnects over utilisation: churn on redis.",
        "missed disconnects over utilisation: churn on redis-pubsub.",
        "latency over utilisation: broadcast on inmemory.",
    ]
    assert len(charts) == 3 + 6 + 6


def test_missed_curve_when_drawn_then_it_has_both_consumers_with_intervals_and_the_exposure(
    charts: list[Chart],
) -> None:
    rows = rows_of(charts[0])
    assert [(row["consumer"], row["load"]) for row in rows] == [(name, load) for load in LOADS
                                                              for name in ("sync", "async")]  # fmt: skip
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)
    (last,) = [row for row in rows if (row["consumer"], row["load"]) == ("async", "80%")]
    assert last["busy"] == pytest.approx(36, abs=2)
    assert last["value"] == pytest.approx(4, abs=2) and last["exposure"] == pytest.approx(4.6, abs=1)


def test_latency_curve_when_messages_never_came_then_its_point_stands_where_waiting_ended(charts: list[Chart]) -> None:
    (redis,) = [chart for chart in charts if chart.summary == "latency over utilisation: broadcast on redis."]
    beyond = [row for row in rows_of(redis) if row["beyond"]]
    assert [(row["consumer"], row["load"], row["quantile"], row["value"]) for row in beyond] == [
        ("sync", "120%", "p99", 5000.0)
    ]
    assert inf not in [value for row in rows_of(redis) for value in row.values()]


def test_curves_when_there_is_one_load_then_there_are_none(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    assert curve_charts(summary_of(folder)) == []
    write_html(folder)
    assert 'id="curves"' not in (folder / "report.html").read_text()


def test_curves_when_nothing_was_lost_then_there_is_none_of_it(folder: Path) -> None:
    summary = summary_of(folder)
    calm = [cell for cell in summary.cells if cell.key.as_row()["load"] != LOADS[-1]]
    found = curve_charts(replace(summary, evidence=replace(summary.evidence, cells=tuple(calm))))
    assert not [chart for chart in found if chart.summary.startswith("lost")]
