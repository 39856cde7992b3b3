"""What never came: an infinite latency from the CSV file to the page, and never as if it were a number."""

from __future__ import annotations

import json
import re
from math import inf
from pathlib import Path

import polars as pl
import pytest

from loadtest.checks.throughput.table import LATENCY_MS_P99
from loadtest.dimensions import CONSUMER, LAYER, SCENARIO
from loadtest.figures.cell import Cell
from loadtest.report import Summary, write_report
from loadtest.report.csv_files import read_tables, write_csv
from loadtest.report.printed import printed_tables
from loadtest.report.tables import Tables
from tests.unit.report_folder import write_folder

WATCHED_MS = 5300.0
LOSES = (pl.col("layer") == "redis") & (pl.col("consumer") == "sync") & (pl.col("scenario") == "broadcast")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which one cell lost so much that its p90 and p99 are infinite, in each of its trials."""
    folder = write_folder(tmp_path_factory.mktemp("run"))
    tables = read_tables(folder)
    frames = {table.name: frame for table, frame in tables.items()}
    late = {f"latency_ms_{name}": inf for name in ("p90", "p99", "p999", "max")}
    changed = {**late, "watched_ms": WATCHED_MS, "overloaded": "yes", "offered": 600, "answered": 150}
    frames["throughput"] = frames["throughput"].with_columns(
        pl.when(LOSES).then(pl.lit(value)).otherwise(pl.col(name)).alias(name) for name, value in changed.items()
    )
    write_csv(Tables(frames), folder)
    return folder


@pytest.fixture(scope="module")
def summary(folder: Path) -> Summary:
    return write_report(folder)


def cell_that_loses(summary: Summary) -> Cell:
    (cell,) = [c for c in summary.cells if (c.median(LATENCY_MS_P99).median or 0) == inf]
    return cell


def test_tables_when_a_figure_is_infinite_then_it_is_read_as_it_was_written(folder: Path) -> None:
    assert "inf" in (folder / "throughput.csv").read_text()
    assert read_tables(folder).frame("throughput").filter(LOSES)["latency_ms_p99"].to_list() == [inf] * 3


def test_summary_json_when_a_figure_is_infinite_then_it_is_a_text_that_float_reads(
    folder: Path, summary: Summary
) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    content = json.loads((folder / "summary.json").read_text(), parse_constant=refuse)
    medians = [cell["medians"].get("throughput.latency_ms_p99", {}).get("median") for cell in content["cells"]]
    assert medians.count("Infinity") == 1 and float("Infinity") == inf


def test_table_when_too_much_never_came_then_it_says_more_than_the_time_that_was_waited(summary: Summary) -> None:
    key = cell_that_loses(summary).key
    (table,) = [table for table in printed_tables(summary) if table.name == "throughput"]
    headings = [heading.text for heading in table.headings]
    names = [key[LAYER], key[CONSUMER], key[SCENARIO]]
    (row,) = [row for row in table.rows if [text.text for text in row[:3]] == names]
    assert row[headings.index("p99 ms")].text == "> 5,300"
    assert row[headings.index("overloaded")].text == "yes"


def test_findings_when_a_cell_is_overloaded_then_they_say_so_and_no_ratio_of_what_never_came(summary: Summary) -> None:
    texts = [finding.text for finding in summary.findings]
    (overloaded,) = [text for text in texts if "overloaded" in text and text.startswith("redis, sync, broadcast")]
    assert "25 % came to everyone" in overloaded and "latency p99 was more than 5,300 ms" in overloaded
    assert not [text for text in texts if re.search(r"\b(inf|nan)\b", text)]


def test_page_when_a_figure_is_infinite_then_it_is_made_all_the_same(folder: Path, summary: Summary) -> None:
    page = (folder / "report.html").read_text()
    assert "&gt; 5,300" in page
    specs = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert specs and not any("Infinity" in spec for spec in specs)
