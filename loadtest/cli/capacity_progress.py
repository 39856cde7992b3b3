"""Progress of a capacity run: a line a step, and what each search found."""

from rich.console import Console
from rich.text import Text

from loadtest.dimensions import CellKey
from loadtest.figures.words import number, percent, time_ms
from loadtest.report.capacity import CapacityStep, Raised
from loadtest.stats.search import Ended

_STYLES = {"kept": "green", "broken": "yellow", "not valid": "magenta", "disturbed": "magenta", "failed": "red"}
_UNITS = {"rate": "messages/s each", "users": "connections"}


class ShownSearches:
    """Shows how far a run is; a `Watcher` of it."""

    def __init__(self, console: Console, of: Raised) -> None:
        """Show on `console`."""
        self._console = console
        self._of: Raised = of

    def search_begins(self, cell: CellKey, search: int, *, place: int, of: int) -> None:
        """Say which cell is searched."""
        self._print(f"[{place}/{of}] {' '.join(cell.spoken())}, search {search}", "bold")

    def step_begins(self, cell: CellKey, value: float) -> None:
        """Say nothing: a step takes some seconds."""

    def step_done(self, step: CapacityStep) -> None:
        """Say what the step showed."""
        self._print(
            f"  {number(step.value(self._of))} {_UNITS[self._of]}: {step.outcome}{_seen(step)}", _STYLES[step.outcome]
        )

    def search_done(self, cell: CellKey, ended: Ended) -> None:
        """Say what the search found."""
        bound = ended.kept if ended.kind == "at least" else ended.broken
        told = number(ended.middle) if ended.middle is not None else f"{ended.kind} {number(bound or 0.0)}"
        self._print(f"  {told if ended.kind != 'not known' else 'nothing was found'}", "")

    def _print(self, text: str, style: str) -> None:
        self._console.print(Text(text, style=style), soft_wrap=True)


def _seen(step: CapacityStep) -> str:
    if step.why:
        return f", {step.why}"
    busy = (
        f", {step.busiest} {percent(step.busiest_share)} % busy"
        if step.busiest and step.busiest_share is not None
        else ""
    )
    return f", p99 {time_ms(step.p99)}{busy}{f'; {step.broke}' if step.broke else ''}"
