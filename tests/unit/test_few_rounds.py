"""A run whose rounds are too few for how much they differ: each place says the figure, and that it has no interval."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from rich.console import Console

from loadtest.report.answers import answers_of
from loadtest.report.brief import print_brief
from loadtest.report.charts import curve_charts, latency_charts, overview_charts, throughput_charts
from loadtest.report.charts.chart import Chart
from loadtest.report.formats import markdown
from loadtest.report.manifest import read_manifest
from loadtest.report.summary import Summary, summarise
from loadtest.report.summary_json import summary_json
from loadtest.report.tables import Tables
from loadtest.report.terminal import print_report
from tests.unit.loaded_folder import write_loaded_folder
from tests.unit.report_folder import key_row

ROUNDS = {"sync": ((1, 50.0, 0), (2, 330.0, 80)), "async": ((1, 900.0, 80), (2, 40.0, 0))}
"""Of each consumer's rounds the number, the latency p99 and how many of 80 drops were missed."""

ABSURD = re.compile(r"<0\.01|>100|\d,\d{3},\d{3}|0\.00\d")
"""What an interval of such rounds would have as its limits."""


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    manifest = read_manifest(write_loaded_folder(tmp_path_factory.mktemp("run")))
    keys = [(key_row("redis", consumer, scenario="churn", trial=number, drop="rst", load=load), late, missed)
            for consumer, rounds in ROUNDS.items() for load in ("30%", "80%")
            for number, late, missed in rounds]  # fmt: skip
    speed = [{**key, "valid": "yes", "utilisation": 0.5, "messages_per_s": 10.0 * late, "server_cpu_s": 1.0,
              "latency_ms_p50": late / 10, "latency_ms_p99": late, "overloaded": "no"}
             for key, late, _ in keys]  # fmt: skip
    drops = [{**key, "dropped": 80, "missed": missed, "disconnect_called": 80 - missed, "unknown": 0}
             for key, _, missed in keys]  # fmt: skip
    return summarise(Tables.from_rows({"throughput": speed, "disconnects": drops}), manifest)


def rows_of(chart: Chart) -> list[dict[str, Any]]:
    ((_, rows),) = chart.spec["datasets"].items()
    return list(rows)


def printed(summary: Summary, whole: bool) -> str:
    written = io.StringIO()
    (print_report if whole else print_brief)(summary, Console(file=written, width=160))
    return written.getvalue()


@pytest.mark.parametrize("whole", [True, False])
def test_terminal_when_rounds_are_too_few_then_it_says_so_and_has_no_limits(summary: Summary, whole: bool) -> None:
    text = printed(summary, whole)
    assert "128 (2 rounds: too few)" in text, "latency p99, sync"
    assert "50 % (2 rounds: too few)" in text, "the share that was missed"
    assert not ABSURD.findall(text)


def test_sentences_when_rounds_are_too_few_then_none_has_limits_and_nothing_is_decided(summary: Summary) -> None:
    texts = [*(finding.text for finding in summary.findings), *(answer.text for answer in answers_of(summary))]
    compared = [text for text in texts if "latency p99" in text and "times" in text]
    assert compared and all("times (2 rounds: too few)" in text for text in compared)
    assert all("not decided" in text for text in compared)
    assert not ABSURD.findall("\n".join(texts))


def test_markdown_when_rounds_are_too_few_then_it_has_no_limits(summary: Summary) -> None:
    text = markdown(summary, [])
    assert "too few" in text
    assert not ABSURD.findall(text)


def test_json_when_rounds_are_too_few_then_the_limits_stand_as_computed(summary: Summary) -> None:
    (cell, *_) = [one for one in summary_json(summary)["cells"] if one["consumer"] == "sync"]
    found = cell["intervals"]["throughput.latency_ms_p99"]
    assert found["low"] < 0.001 and found["high"] > 20_000_000


@pytest.mark.parametrize("make", [overview_charts, throughput_charts, latency_charts, curve_charts])
def test_chart_when_rounds_are_too_few_then_it_has_the_figure_and_no_limits(make: Any, summary: Summary) -> None:
    rows = [row for chart in make(summary) for row in rows_of(chart)]
    assert rows
    for row in rows:
        if row.get("quantile") != "p50":
            assert (row["low"], row["high"]) == (None, None)
        assert row.get("typical", row.get("value"))


def test_latency_when_rounds_are_too_few_then_the_scale_is_that_of_what_was_measured(summary: Summary) -> None:
    (chart, *_) = latency_charts(summary)
    (domain,) = {tuple(layer["encoding"]["x"]["scale"]["domain"]) for layer in chart.spec["layer"]
                 if "scale" in layer["encoding"]["x"]}  # fmt: skip
    assert domain[0] > 1 and domain[1] < 1000


@pytest.mark.parametrize("make", [overview_charts, throughput_charts, latency_charts, curve_charts])
def test_tooltip_when_limits_are_not_known_then_it_has_a_text_for_them(make: Any, summary: Summary) -> None:
    for chart in make(summary):
        spec = json.dumps(chart.spec)
        assert '"field": "at_least"' in spec and "not known" in spec
        assert '{"field": "low", "title"' not in spec
