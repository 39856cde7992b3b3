"""What was found, in plain words, each sentence with its figures and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence

from loadtest.checks import CHECKS
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding, Severity
from loadtest.figures.topics import DISCONNECTS, STOOD_STILL
from loadtest.report.comparisons import Comparison
from loadtest.report.findings.compared import compared_findings
from loadtest.report.findings.headline import headline
from loadtest.report.findings.troubles import trouble_findings
from loadtest.report.manifest import Manifest

__all__ = ["find"]

_SEVERITY_ORDER: dict[Severity, int] = {"warning": 0, "note": 1, "good": 1, "unknown": 2}
"""What went wrong comes first; after it what was measured, by topic; last what could not be found out."""


def find(evidence: Evidence, manifest: Manifest, comparisons: Sequence[Comparison]) -> tuple[Finding, ...]:
    """All findings, the most important first; says nothing of what is not in the cells or the manifest.

    That a server stood still comes before everything else, for all other figures tell of that. Behind the headline
    stands how the values that are compared differ in what they missed.
    """
    compared = [*compared_findings(comparisons, evidence, manifest)]
    first = [finding for finding in compared if finding.topic == DISCONNECTS]
    found = [
        *(finding for check in CHECKS if check.says is not None for finding in check.says(evidence)),
        *trouble_findings(manifest, evidence.namer),
        *(finding for finding in compared if finding not in first),
    ]
    still = [finding for finding in found if finding.topic == STOOD_STILL]
    others = [finding for finding in found if finding not in still]
    return (*still, *headline(evidence), *first, *sorted(others, key=_importance))


def _importance(finding: Finding) -> tuple[int, int]:
    return _SEVERITY_ORDER[finding.severity], finding.topic.rank
