"""Findings on the run itself: interrupted, failed trials, trials that are not valid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loadtest.figures.finding import Finding
from loadtest.figures.topics import RUN
from loadtest.figures.words import Namer, counted
from loadtest.report.manifest import Manifest, TroubledTrial


def trouble_findings(manifest: Manifest, namer: Namer) -> Iterator[Finding]:
    """A sentence for each trial that gave no figures or figures that do not count."""
    if manifest.state != "finished":
        word = "was interrupted" if manifest.state == "interrupted" else "is still going on"
        yield Finding(
            severity="warning",
            topic=RUN,
            text=f"The run {word}: {manifest.done} of {counted(manifest.planned, 'trial')} were done.",
        )
    yield from _each(manifest.failed, "failed and gave no figures", namer)
    yield from _each(manifest.invalid, "is not valid and is left out of every figure", namer)
    if manifest.repeated:
        yield Finding(
            severity="note",
            topic=RUN,
            text=f"Run again at the end, for they had measured the machine or the generator: "
            f"{counted(len(manifest.repeated), 'trial')}. The report names each, and why.",
        )


def _each(trials: Sequence[TroubledTrial], what: str, namer: Namer) -> Iterator[Finding]:
    for trial in trials:
        yield Finding(
            severity="warning",
            topic=RUN,
            text=f"{namer.name(trial.cell)}: trial {trial.trial} {what}: {trial.why.rstrip('.')}.",
            cells=(trial.cell,),
        )
