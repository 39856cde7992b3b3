"""How fast: who carried more messages a second, and whose latency p99 was lower where most was asked."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from loadtest.checks.throughput.table import LATENCY_MS_P99, MESSAGES_PER_S
from loadtest.dimensions import DROP
from loadtest.figures.words import time_ms, with_interval
from loadtest.report.answers.answer import Answer
from loadtest.report.answers.setting import setting_of
from loadtest.report.comparisons import Comparison
from loadtest.report.findings.compared import claim
from loadtest.report.questions import CARRIED, LATE, Metric
from loadtest.report.summary import Summary


def speed_answer(summary: Summary) -> Answer | None:
    """Of throughput and of latency, where these are known."""
    said = [_compared(metric, summary) for metric in (CARRIED, LATE)]
    if not any(said):
        said = [*_alone(summary)]
    text = " ".join(filter(None, said))
    return Answer(asks="Speed", text=text, anchor="speed", evidence="the charts") if text else None


def _compared(metric: Metric, summary: Summary) -> str:
    """The comparison that is decided, else any: of these the one with the highest load, which stands last."""
    found = [one for one in summary.comparisons if one.asked.metric is metric and one.whole.is_known]
    return _said(max(enumerate(found), key=lambda at: (_is_decided(at[1]), at[0]))[1]) if found else ""


def _is_decided(comparison: Comparison) -> bool:
    return comparison.verdicts.whole in ("higher", "lower")


def _said(comparison: Comparison) -> str:
    asked = comparison.asked
    if _is_decided(comparison):
        return f"{setting_of(asked.key)} {claim(comparison)}."
    both = f"{asked.one} and {asked.other}"
    return f"{setting_of(asked.key)} it is not decided whether {both} differ in {asked.metric.what}."


def _alone(summary: Summary) -> Iterator[str]:
    """Of consumers that are not compared: the most that one carried, and the worst latency."""
    namer = summary.evidence.namer
    carried = [cell for cell in summary.cells if cell.median(MESSAGES_PER_S).is_known]
    if carried:
        most = max(carried, key=lambda cell: cell.interval(MESSAGES_PER_S).estimate)
        figure = with_interval(most.interval(MESSAGES_PER_S))
        yield f"The most were {figure} messages a second: {namer.setting(most.key, but=(DROP,))}."
    late = [cell for cell in summary.cells if cell.median(LATENCY_MS_P99).is_known]
    late = [cell for cell in late if isfinite(cell.interval(LATENCY_MS_P99).estimate)]
    if late:
        worst = max(late, key=lambda cell: cell.interval(LATENCY_MS_P99).estimate)
        figure = with_interval(worst.interval(LATENCY_MS_P99), time_ms)
        yield f"The highest latency p99 was {figure}: {namer.setting(worst.key, but=(DROP,))}."
