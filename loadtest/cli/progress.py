"""Progress of a campaign: a bar with the time left on a terminal, a line a trial elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from loadtest.bench.plan import Trial
from loadtest.dimensions import CellKey
from loadtest.figures.words import counted
from loadtest.report.manifest import Capacity
from loadtest.report.tables import Tables

FIRST_GUESS_S = 9.0
"""Time a trial takes until one has been timed."""


class ShownProgress:
    """Shows how far a campaign is; a `Watcher` of it."""

    def __init__(self, console: Console) -> None:
        """Show on `console`."""
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]} left", markup=False),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("setting up", total=None, left="?")
        self._started = time.monotonic()
        self._trial_s = FIRST_GUESS_S

    def __enter__(self) -> Self:
        """Begin to show."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        self._progress.stop()

    def calibration_begins(self, cell: CellKey, *, place: int, of: int) -> None:
        """Show which cell is calibrated."""
        text = f"calibrating {' '.join(cell.spoken())}"
        self._progress.update(self._task, description=text, total=of, completed=place - 1, left="?")
        if not self._console.is_terminal:
            self._console.print(f"[{place}/{of}] {text}", soft_wrap=True)

    def calibrated(self, capacity: Capacity) -> None:
        """Say what the cell carries at most."""
        name = " ".join(capacity.cell.spoken())
        if capacity.rate is None:
            self._console.print(f"{name}: not calibrated: {capacity.why}", style="yellow", soft_wrap=True)
            return
        self._console.print(f"{name}: carries {capacity.rate:.3g} messages/s from each sender")
        if capacity.why:
            self._console.print(f"{name}: this is rough: {capacity.why}", style="yellow", soft_wrap=True)

    def cell_refused(self, cell: CellKey, why: str) -> None:
        """Say why there will be no result."""
        self._console.print(f"{' '.join(cell.spoken())}: not run: {why}", style="yellow", soft_wrap=True)

    def trial_begins(self, trial: Trial, *, place: int, of: int) -> None:
        """Show which trial runs, and the time left by the mean of those before it."""
        now = time.monotonic()
        if place == 1:
            self._started = now
        else:
            self._trial_s = (now - self._started) / (place - 1)
        left = _minutes((of - place + 1) * self._trial_s)
        self._progress.update(self._task, description=str(trial), total=of, completed=place - 1, left=left)
        if not self._console.is_terminal:
            self._console.print(f"[{place}/{of}, {left} left] {trial}", soft_wrap=True)

    def trial_done(self, trial: Trial, tables: Tables, invalid: tuple[str, ...]) -> None:
        """Say so when the trial does not count."""
        self._progress.advance(self._task)
        for why in invalid:
            self._console.print(f"{trial}: not valid: {why}", style="yellow", soft_wrap=True)

    def repeats_begin(self, count: int) -> None:
        """Say how many trials are run again."""
        self._console.print(f"running {counted(count, 'trial')} again: not valid", soft_wrap=True)
        self._progress.update(self._task, total=count, completed=0)

    def trial_failed(self, trial: Trial, why: str) -> None:
        """Say why there is no result."""
        self._progress.advance(self._task)
        self._console.print(f"{trial}: failed: {why}", style="red", soft_wrap=True)


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
