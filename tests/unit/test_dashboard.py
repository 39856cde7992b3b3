"""The Grafana dashboard: its panels, and its queries beside the page that names every metric."""

from __future__ import annotations

import json
import re
from itertools import combinations

import pytest

from tests.dashboard import FILE, Query, panels, queries

PAGE = FILE.parents[1] / "metrics.md"
SERIES = ("", "_bucket", "_count", "_sum")
"""What a histogram's name has behind it in a query."""


def shown(**metrics: str) -> dict[str, frozenset[str] | None]:
    return {name: frozenset(labels.split()) for name, labels in metrics.items()}


def query(text: str, legend: str = "") -> Query:
    return Query(panel="a panel", text=text, legend=legend)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("sum by (kind) (rate(drops_total[5m]))", []),
        ("sum by (le) (rate(drops_total[5m]))", ["drops_total has no label le"]),
        ('drops_total{sort="rst"} > 1', ["drops_total has no label sort"]),
        ("1 - rate(dropped_total[5m]) / 2", ["there is no metric dropped_total"]),
        ("(drops_total) + on (instance) -drops_total", []),
        ("histogram_quantile(0.9, sum by (way) (drops_total))", ["drops_total has no label way"]),
    ],
)
def test_query_when_it_names_what_is_not_there_then_that_is_told(text: str, problems: list[str]) -> None:
    assert query(text).problems(shown(drops_total="kind")) == problems


def test_query_when_its_legend_names_a_label_that_is_not_there_then_that_is_told() -> None:
    assert query("up", "{{instance}} {{kind}}").problems(shown(up="")) == ["up has no label kind"]


def test_query_when_a_metric_has_no_sample_yet_then_its_labels_are_not_asked_for() -> None:
    assert query('drops_total{sort="rst"}').problems({"drops_total": None}) == []


@pytest.mark.parametrize("one", queries(), ids=str)
def test_dashboard_when_a_query_names_a_metric_then_the_page_has_it(one: Query) -> None:
    documented = {
        name + end for name in re.findall(r"^\| `(loadtest_\w+)` \|", PAGE.read_text(), re.MULTILINE) for end in SERIES
    }
    assert {named.metric for named in one.named} <= documented


def test_dashboard_when_opened_then_each_panel_says_what_it_shows_and_has_a_place_and_a_unit() -> None:
    for panel in panels():
        assert panel["title"] and panel["description"].endswith(".")
        assert panel["targets"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "${datasource}"
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_dashboard_when_opened_then_no_panel_lies_on_another_and_none_beside_the_page() -> None:
    places = [panel["gridPos"] for panel in json.loads(FILE.read_text())["panels"]]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_x or apart_y


def test_dashboard_when_its_metrics_are_listed_then_probe_generator_and_bench_are_all_there() -> None:
    prefixes = {named.metric.split("_")[1] for one in queries() for named in one.named}
    assert prefixes == {"probe", "generator", "bench"}
