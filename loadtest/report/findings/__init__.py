"""What was found, in plain words, each sentence with its figures and how sure it is."""

from __future__ import annotations

from loadtest.checks import CHECKS
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Finding, Severity
from loadtest.report.findings.headline import headline
from loadtest.report.findings.speed import speed_findings
from loadtest.report.findings.troubles import trouble_findings
from loadtest.report.manifest import Manifest

__all__ = ["find"]

_SEVERITY_ORDER: dict[Severity, int] = {"warning": 0, "note": 1, "good": 1, "unknown": 2}
"""What went wrong comes first; after it what was measured, by topic; last what could not be found out."""


def find(evidence: Evidence, manifest: Manifest) -> tuple[Finding, ...]:
    """All findings, the most important first; says nothing of what is not in the cells or the manifest."""
    found = [
        *(finding for check in CHECKS if check.says is not None for finding in check.says(evidence)),
        *trouble_findings(manifest, evidence.namer),
        *speed_findings(evidence),
    ]
    return (*headline(evidence), *sorted(found, key=_importance))


def _importance(finding: Finding) -> tuple[int, int]:
    return _SEVERITY_ORDER[finding.severity], finding.topic.rank
