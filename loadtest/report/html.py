"""report.html: one file that works offline, made from a run's folder alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import vl_convert

from loadtest.report.accounts import account_of_all
from loadtest.report.charts import (
    Chart,
    colours,
    detection_charts,
    latency_charts,
    throughput_charts,
    timeline_charts,
)
from loadtest.report.findings import Finding, Topic
from loadtest.report.manifest import read_manifest
from loadtest.report.printed import printed_tables
from loadtest.report.summary import Summary, summarise
from loadtest.report.tables import Tables, read_tables, write_text
from loadtest.report.words import Namer, share

_TOPICS: dict[Topic, str] = {
    "disconnects": "Dropped connections",
    "delivery": "Messages delivered and lost",
    "throughput": "Messages a second",
    "latency": "Latency",
    "cost": "Server CPU",
    "left behind": "Left behind",
    "detection": "How fast a drop was noticed",
    "codes": "Codes disconnect() got",
    "run": "Trials that failed or do not count",
}

SHOWN_FIRST = 3
"""Sentences of a topic that are open; the rest, if more than one, is a click away: what matters comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One of the few numbers on top of the page."""

    value: str
    label: str
    tone: str  # "" | "good" | "warning" | "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartSection:
    """A heading with charts below; with `selects` they are shown one at a time."""

    id: str
    link: str  # its short name in the navigation
    title: str
    text: str
    charts: Sequence[Chart]
    selects: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingSection:
    """The sentences on one topic."""

    title: str
    first: Sequence[Finding]
    more: Sequence[Finding]


def write_html(run_folder: Path) -> None:
    """Write report.html into a run's folder, also of a run with no trial done; ReportError if that fails."""
    tables = read_tables(run_folder)
    write_page(run_folder, tables, summarise(tables, read_manifest(run_folder)))


def write_page(run_folder: Path, tables: Tables, summary: Summary) -> None:
    """Write report.html from tables and summary that were read already."""
    write_text(run_folder / "report.html", render(tables, summary))


def render(tables: Tables, summary: Summary) -> str:
    """The page as text."""
    return _template().render(
        manifest=summary.manifest,
        summary=summary,
        namer=Namer(cell.key for cell in summary.cells),
        tiles=_tiles(summary),
        finding_sections=_finding_sections(summary.findings),
        chart_sections=_chart_sections(tables, summary),
        tables=printed_tables(summary),
        colours=colours(cell.key.consumer for cell in summary.cells),
        vega=_vega_bundle(),
    )


def _tiles(summary: Summary) -> list[Tile]:
    manifest = summary.manifest
    whole = manifest.state == "finished" and not manifest.failed
    tiles = [Tile(value=f"{manifest.done} of {manifest.planned}", label="trials done", tone="" if whole else "warning")]
    account = account_of_all(cell for cell in summary.cells if cell.has("disconnects"))
    if account.dropped:
        called = Tile(
            value=f"{account.called:,}", label=f"of {account.dropped:,} drops had disconnect() called", tone=""
        )
        missed = share(account.missed, account.dropped)
        tiles += [
            called,
            Tile(value=f"{account.missed:,}", label=f"missed ({missed})", tone="warning" if account.missed else "good"),
            Tile(value=f"{account.unknown:,}", label="drops unknown", tone="unknown" if account.unknown else "good"),
        ]
    invalid = len(manifest.invalid)
    return [*tiles, Tile(value=f"{invalid}", label="trials not valid", tone="warning" if invalid else "good")]


def _finding_sections(findings: Sequence[Finding]) -> list[FindingSection]:
    sections = []
    for topic, title in _TOPICS.items():
        own = [finding for finding in findings if finding.topic == topic]
        if own:
            shown = len(own) if len(own) <= SHOWN_FIRST + 1 else SHOWN_FIRST
            sections.append(FindingSection(title=title, first=own[:shown], more=own[shown:]))
    return sections


def _chart_sections(tables: Tables, summary: Summary) -> list[ChartSection]:
    sections = (
        ChartSection(
            id="throughput",
            link="Throughput",
            title="Messages a second",
            text="Bars are medians of the trials; the thin line is the range from the lowest to the highest trial. "
            "Where senders are paced, bars of the same length mean that every server kept up.",
            charts=throughput_charts(summary),
        ),
        ChartSection(
            id="latency",
            link="Latency",
            title="Latency",
            text="From half of the messages (dot) to 99 of 100 (end of the line), medians of the trials. "
            "Further left is better; all these charts have the same scale.",
            charts=latency_charts(summary),
        ),
        ChartSection(
            id="detection",
            link="Detection",
            title="How fast a drop reached disconnect()",
            text="Half of the drops (dot), 99 of 100 (tick), and the slowest of all trials (end of the line). "
            "Drops that never reached it are in the table below. All these charts have the same scale.",
            charts=detection_charts(summary),
        ),
        ChartSection(
            id="timeline",
            link="Timeline",
            title="What happened while connections were dropped",
            text="One trial of each consumer in steps of a quarter of a second. Triangles and grey bands mark drops.",
            charts=timeline_charts(tables, summary),
            selects=True,
        ),
    )
    return [section for section in sections if section.charts]


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("loadtest.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["script_json"] = script_json
    environment.filters["when"] = _when
    return environment.get_template("report.html.j2")


def script_json(value: Mapping[str, Any]) -> str:
    """JSON that can stand inside a script element: no text in it can end the element or open a comment."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _when(utc: str) -> str:
    """`2026-01-02 03:04:05 UTC` from the ISO form."""
    try:
        return datetime.fromisoformat(utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    except ValueError:
        return utc


@cache
def _vega_bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that needs no network."""
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    assert "</script" not in bundle.lower(), "the Vega bundle would end its own script element"
    return bundle
