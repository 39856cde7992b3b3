"""The picture on top of the page: a line for each consumer, through all layers together."""

from pathlib import Path
from typing import Any

import pytest

from loadtest.report.charts import overview_charts
from loadtest.report.charts.chart import Chart
from loadtest.report.folder import read_folder
from loadtest.report.summary import summarise
from loadtest.report.tables import Tables
from tests.unit.loaded_folder import LOADS, write_loaded_folder
from tests.unit.report_folder import key_row, write_folder

PROJECT = Path(__file__).resolve().parent.parent.parent
REFERENCE = PROJECT / "results" / "reference"


def charts_of(folder: Path, tables: Tables | None = None) -> list[Chart]:
    manifest, read = read_folder(folder)
    return overview_charts(summarise(tables or read, manifest))


def rows_of(chart: Chart) -> list[dict[str, Any]]:
    """The rows that all layers of a chart draw."""
    ((_, rows),) = chart.spec["datasets"].items()
    return list(rows)


@pytest.fixture(scope="module")
def charts() -> list[Chart]:
    return charts_of(REFERENCE)


def test_overview_when_there_are_drops_then_it_has_their_share_and_the_latency_of_the_same_scenario(
    charts: list[Chart],
) -> None:
    assert [chart.title for chart in charts] == [
        "Missed disconnects against load, in % of drops (churn)",
        "Latency p99 against load, in ms (churn)",
    ]
    assert "async 3.19 at 80%" in charts[0].summary


def test_overview_when_several_layers_were_measured_then_the_line_is_of_all_and_each_has_a_point(
    charts: list[Chart],
) -> None:
    for chart in charts:
        rows = rows_of(chart)
        of_all = [(row["consumer"], row["load"]) for row in rows if row["place"] == "all layers"]
        assert sorted(of_all) == [(consumer, load) for consumer in ("async", "sync") for load in ("30%", "80%")]
        assert len(rows) == 4 * (1 + 3)
    asked = {"consumer": "sync", "load": "80%", "place": "all layers"}
    (sync,) = (row for row in rows_of(charts[0]) if asked.items() <= row.items())
    assert (round(sync["low"]), round(sync["value"]), round(sync["high"])) == (11, 15, 20)


def test_overview_when_loads_are_shares_then_they_stand_at_their_number(tmp_path: Path) -> None:
    missed, _ = charts_of(write_loaded_folder(tmp_path))
    places = {row["load"]: row["x"] for row in rows_of(missed) if row["consumer"] == "async"}
    assert list(places) == list(LOADS)
    assert all(abs(place - float(load.rstrip("%"))) < 5 for load, place in places.items())


def test_overview_when_nothing_is_dropped_then_it_is_of_latency_alone(tmp_path: Path) -> None:
    charts = charts_of(write_folder(tmp_path, scenarios=("echo",)))
    assert [chart.name for chart in charts] == ["latency_ms_p99-by-load"]


def test_overview_when_too_many_never_came_in_most_rounds_then_there_is_no_point(tmp_path: Path) -> None:
    write_folder(tmp_path)
    rows = [{**key_row(trial=n), "latency_ms_p99": float("inf"), "valid": "yes"} for n in (1, 2, 3)]
    assert charts_of(tmp_path, Tables.from_rows({"throughput": rows})) == []


def test_overview_when_no_trial_was_finished_then_there_is_none(tmp_path: Path) -> None:
    write_folder(tmp_path, scenarios=())
    assert charts_of(tmp_path, Tables.empty()) == []
