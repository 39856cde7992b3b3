"""Findings on the run itself: interrupted, failed trials, trials that are not valid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loadtest.report.findings.finding import Finding
from loadtest.report.manifest import Manifest, TroubledTrial
from loadtest.report.words import Namer, counted


def trouble_findings(manifest: Manifest, namer: Namer) -> Iterator[Finding]:
    """A sentence for each trial that gave no figures or figures that do not count."""
    if manifest.state != "finished":
        word = "was interrupted" if manifest.state == "interrupted" else "is still going on"
        yield Finding(
            severity="warning",
            topic="run",
            text=f"The run {word}: {manifest.done} of {counted(manifest.planned, 'trial')} were done.",
        )
    yield from _each(manifest.failed, "failed and gave no figures", namer)
    yield from _each(manifest.invalid, "is not valid and is left out of throughput and latency", namer)


def _each(trials: Sequence[TroubledTrial], what: str, namer: Namer) -> Iterator[Finding]:
    for trial in trials:
        yield Finding(
            severity="warning",
            topic="run",
            text=f"{namer.name(trial.cell)}: trial {trial.trial} {what}: {trial.why.rstrip('.')}.",
            cells=(trial.cell,),
        )
