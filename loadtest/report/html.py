"""report.html: one file that works offline, made from a run's folder alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadtest.checks.disconnects.account import account_of_all
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.figures.finding import Finding
from loadtest.report.answers import Answer, answers_of
from loadtest.report.charts import (
    cause_chart,
    cause_colours,
    curve_charts,
    detection_charts,
    latency_charts,
    overview_charts,
    palette_of,
    throughput_charts,
    timeline_charts,
)
from loadtest.report.csv_files import write_text
from loadtest.report.noise import noise_words
from loadtest.report.page import ChartSection, Tile, template
from loadtest.report.printed import left_of_1000, printed_tables
from loadtest.report.resilience import LEGEND, grids
from loadtest.report.show_command import show_command
from loadtest.report.summary import Summary
from loadtest.report.tables import Tables
from loadtest.report.vega import vega_bundle

SHOWN_FIRST = 2
"""Sentences of a topic that are open; the rest, if more than one, is a click away: what matters comes first."""

NOWHERE = "found"
"""The section that a link of an answer leads to where the page has not its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedAnswer:
    """An answer, and the section of this page that has the evidence."""

    answer: Answer
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingSection:
    """The sentences on one topic."""

    title: str
    first: Sequence[Finding]
    more: Sequence[Finding]


def write_page(run_folder: Path, tables: Tables, summary: Summary) -> None:
    """Write report.html from tables and summary that were read already."""
    write_text(run_folder / "report.html", render(run_folder, tables, summary))


def render(run_folder: Path, tables: Tables, summary: Summary) -> str:
    """The page as text; the folder is named in the commands it tells."""
    curves, speed, resilience = _curves(summary), _speed_sections(summary), _resilience_sections(tables, summary)
    found_grids, left = grids(summary), left_of_1000(summary)
    there = {section.id for section in (*speed, *resilience)} | {"method", "run"}
    there |= {
        name for name, is_there in (("resilience", found_grids), ("left", left.rows), ("speed", speed)) if is_there
    }
    return template("report.html.j2").render(
        manifest=summary.manifest,
        summary=summary,
        namer=summary.evidence.namer,
        tiles=_tiles(summary),
        answers=[
            LinkedAnswer(answer=one, anchor=one.anchor if one.anchor in there else NOWHERE)
            for one in answers_of(summary)
        ],
        overview=_overview(summary),
        noise=noise_words(summary.noise, summary.evidence.namer),
        finding_sections=_finding_sections(summary.findings),
        curves=curves,
        speed_sections=speed,
        resilience_sections=resilience,
        grids=found_grids,
        grid_legend=LEGEND,
        left=left,
        tables=printed_tables(summary),
        show=lambda example: show_command(run_folder, example),
        vega=vega_bundle(),
    )


def _tiles(summary: Summary) -> list[Tile]:
    manifest = summary.manifest
    whole = manifest.state == "finished" and not manifest.failed
    tiles = [Tile(value=f"{manifest.done} of {manifest.planned}", label="trials done", tone="" if whole else "warning")]
    account = account_of_all(summary.evidence.having(DISCONNECTS))
    if account.dropped:
        called = Tile(
            value=f"{account.called:,}", label=f"of {account.dropped:,} drops had disconnect() called", tone=""
        )
        tiles += [
            called,
            Tile(value=f"{account.missed:,}", label="missed", tone="warning" if account.missed else "good"),
            Tile(value=f"{account.unknown:,}", label="drops unknown", tone="unknown" if account.unknown else "good"),
        ]
    invalid = len(manifest.invalid)
    return [*tiles, Tile(value=f"{invalid}", label="trials not valid", tone="warning" if invalid else "good")]


def _finding_sections(findings: Sequence[Finding]) -> list[FindingSection]:
    sections = []
    for topic in sorted({finding.topic for finding in findings}, key=lambda topic: topic.place):
        own = [finding for finding in findings if finding.topic == topic]
        shown = len(own) if len(own) <= SHOWN_FIRST + 1 else SHOWN_FIRST
        sections.append(FindingSection(title=topic.title, first=own[:shown], more=own[shown:]))
    return sections


def _resilience_sections(tables: Tables, summary: Summary) -> list[ChartSection]:
    causes = cause_chart(summary)
    consumers = _consumer_legend(summary)
    sections = (
        ChartSection(
            id="causes",
            link="Causes",
            title="Why disconnects were missed",
            text="Each missed disconnect has one cause, found in the records of both sides.",
            charts=[causes] if causes else [],
            legend=cause_colours(summary),
        ),
        ChartSection(
            id="detection",
            link="Detection",
            title="How fast a drop reached disconnect()",
            text="Each thin tick is one drop, on a log scale; the dot is the median with its 95 % interval, the long "
            "tick the slowest of all trials. Drops that never reached disconnect() are counted at the right, and count "
            "in the median as later than all. All these charts have the same scale.",
            charts=detection_charts(summary),
            legend=consumers,
            wide=True,
        ),
        ChartSection(
            id="timeline",
            link="Timeline",
            title="What happened while connections were dropped",
            text="One trial of each consumer in steps of a quarter of a second. Triangles and grey bands mark drops; "
            "latency is that of the messages to those who stayed.",
            charts=timeline_charts(tables, summary),
            legend=consumers,
            selects=True,
        ),
    )
    return [section for section in sections if section.charts]


def _overview(summary: Summary) -> ChartSection:
    return ChartSection(
        id="overview",
        link="",
        title="",
        text="Points: all layers together, bars: 95 % intervals. Small open points: single layers.",
        charts=overview_charts(summary),
        legend=_consumer_legend(summary),
    )


def _curves(summary: Summary) -> ChartSection:
    return ChartSection(
        id="curves",
        link="Against load",
        title="Against load",
        text="Over how busy the server was: its event loop, the thread of its sync consumers or the broker, whichever "
        "was busiest. Bars are 95 % intervals. Where both consumers lie on one curve, they differ by how busy they "
        "make the server. Missed disconnects: the broken line with open points is the exposure, which is sampled "
        "without any drop. Latency: the line is p99, the broken one p50; a triangle is what never came, at the time "
        "for which it was waited.",
        charts=curve_charts(summary),
        legend=_consumer_legend(summary),
        wide=True,
    )


def _speed_sections(summary: Summary) -> list[ChartSection]:
    consumers = _consumer_legend(summary)
    sections = (
        ChartSection(
            id="throughput",
            link="Throughput",
            title="Messages a second",
            text="The thin line on each bar is the 95 % interval that the rounds of trials allow. "
            "Where senders are paced, bars of the same length mean that every server kept up.",
            charts=throughput_charts(summary),
            legend=consumers,
        ),
        ChartSection(
            id="latency",
            link="Latency",
            title="Latency",
            text="From the median (dot) to p99 (tick); the thin line is the 95 % interval of p99. "
            "Further left is better; all these charts have the same scale.",
            charts=latency_charts(summary),
            legend=consumers,
        ),
    )
    return [section for section in sections if section.charts]


def _consumer_legend(summary: Summary) -> Mapping[str, str]:
    """The colours of the consumers; none are needed where there is one."""
    found = palette_of(summary.evidence)
    return found if len(found) > 1 else {}
