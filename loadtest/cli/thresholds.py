"""Thresholds on the command line: what broke them, and whether anything did."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from loadtest.bench.plan import PlanError
from loadtest.figures.threshold import Threshold
from loadtest.report import Summary
from loadtest.report.thresholds import broken_in, meant_by, read_thresholds


def thresholds_of(texts: Sequence[str]) -> tuple[Threshold, ...]:
    """Read thresholds as they were typed; PlanError names all that is wrong with them."""
    try:
        return read_thresholds(texts)
    except ValueError as error:
        raise PlanError(f"--fail-on {error}") from None


def print_thresholds(thresholds: Sequence[Threshold], console: Console) -> None:
    """Print what the run will be held to, before it starts."""
    for one in thresholds:
        console.print(Text(f"It fails if {one.text} ({meant_by(one)})"), soft_wrap=True)


def is_broken(summary: Summary, thresholds: Sequence[Threshold], console: Console) -> bool:
    """Print which rows break which threshold, or that all are kept; tell whether any is broken."""
    if not thresholds:
        return False
    broken, namer = broken_in(summary, thresholds), summary.evidence.namer
    if not broken:
        console.print(Text(f"\nAll thresholds are kept: {'; '.join(one.text for one in thresholds)}", style="green"))
    for threshold in dict.fromkeys(one.threshold.text for one in broken):
        console.print(Text(f"\nBroken: {threshold}", style="bold red"), soft_wrap=True)
        for row in (one for one in broken if one.threshold.text == threshold):
            where = namer.name(row.cell) if row.cell else "this run"
            console.print(Text(f"  {where}: {row.says}"), soft_wrap=True)
    return bool(broken)
