"""What was found, in plain words, each sentence with its figures and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence

from loadtest.report.cells import Cell
from loadtest.report.examples import Examples
from loadtest.report.findings.delivery import delivery_findings
from loadtest.report.findings.detection import detection_findings
from loadtest.report.findings.drops import drop_findings, headline
from loadtest.report.findings.finding import Finding, Severity, Topic
from loadtest.report.findings.left_behind import left_behind_findings
from loadtest.report.findings.speed import speed_findings
from loadtest.report.findings.stalls import stall_findings
from loadtest.report.findings.troubles import trouble_findings
from loadtest.report.findings.unasked import unasked_findings
from loadtest.report.manifest import Manifest
from loadtest.report.words import Namer

__all__ = ["Finding", "Severity", "Topic", "find"]

_SEVERITY_ORDER: dict[Severity, int] = {"warning": 0, "note": 1, "good": 1, "unknown": 2}
"""What went wrong comes first; after it what was measured, by topic; last what could not be found out."""

_TOPIC_ORDER: tuple[Topic, ...] = (
    "disconnects",
    "unasked",
    "guards",
    "delivery",
    "throughput",
    "latency",
    "left behind",
    "detection",
    "cost",
    "codes",
    "run",
)


def find(cells: Sequence[Cell], manifest: Manifest, examples: Examples | None = None) -> tuple[Finding, ...]:
    """All findings, the most important first; says nothing of what is not in the cells or the manifest."""
    namer = Namer(cell.key for cell in cells)
    examples = examples or Examples.none()
    dropped = [cell for cell in cells if cell.has("disconnects")]
    measured = [cell for cell in cells if cell.has("throughput")]
    found = [
        *drop_findings(dropped, namer, examples),
        *unasked_findings(cells, namer),
        *left_behind_findings(cells, namer, examples),
        *delivery_findings([cell for cell in cells if cell.has("delivery")], namer),
        *trouble_findings(manifest, namer),
        *detection_findings(dropped, namer, examples),
        *stall_findings(measured, namer),
        *speed_findings(measured, namer),
    ]
    return (*headline(dropped), *sorted(found, key=_importance))


def _importance(finding: Finding) -> tuple[int, int]:
    return _SEVERITY_ORDER[finding.severity], _TOPIC_ORDER.index(finding.topic)
