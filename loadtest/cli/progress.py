"""Progress of a campaign: a bar with what runs, the drops so far and the time left; elsewhere a line a trial."""

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from loadtest.bench.plan import Trial
from loadtest.checks.disconnects.table import DROPPED, MISSED
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.checks.throughput.table import MESSAGES_PER_S
from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.dimensions import CellKey
from loadtest.figures.words import counted, number
from loadtest.report.manifest import Capacity
from loadtest.report.tables import Tables

FIRST_GUESS_S = 9.0
"""Time a trial takes until one has been timed."""

BAR_WIDTH = 12
"""In columns: what runs, and what was seen, need the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the trials so far have shown; reading it while a trial runs would disturb what it measures."""

    dropped: int = 0
    missed: int = 0
    per_s: float | None = None
    """Messages received a second in the last trial; None: there is none, or it is not known."""

    def with_trial(self, tables: Tables) -> "Seen":
        """Return the same with the tables of one more trial."""
        rates = tables[THROUGHPUT][MESSAGES_PER_S.name].drop_nulls()
        dropped, missed = (int(tables[DISCONNECTS][column.name].sum()) for column in (DROPPED, MISSED))
        return Seen(
            dropped=self.dropped + dropped,
            missed=self.missed + missed,
            per_s=None if rates.is_empty() else float(rates[0]),
        )

    def __str__(self) -> str:
        """Return `243 dropped, 12 missed, last 1,222 messages/s`."""
        rate = "" if self.per_s is None else f", last {number(self.per_s)} messages/s"
        return f"{self.dropped:,} dropped, {self.missed:,} missed{rate}"


class ShownProgress:
    """Shows how far a campaign is; a `Watcher` of it."""

    def __init__(self, console: Console) -> None:
        """Show on `console`."""
        self._console = console
        self._progress = Progress(
            BarColumn(bar_width=BAR_WIDTH),
            MofNCompleteColumn(),
            _TimeLeft(),
            TextColumn("{task.fields[seen]}", markup=False, table_column=Column(no_wrap=True)),
            TextColumn(
                "{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)
            ),
            console=console,
            expand=True,
            disable=not console.is_terminal or console.quiet,
        )
        self._task = self._progress.add_task("setting up", total=None, ends=None, seen="")
        self._started = time.monotonic()
        self._trial_s = FIRST_GUESS_S
        self._seen = Seen()

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
        self._progress.update(self._task, description=text, total=of, completed=place - 1, ends=None)
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
        """Show which trial runs and at which rate, what the others have shown, and the time left by their mean."""
        now = time.monotonic()
        if place == 1:
            self._started = now
        else:
            self._trial_s = (now - self._started) / (place - 1)
        left_s = (of - place + 1) * self._trial_s
        running, seen = _running(trial), str(self._seen)
        self._progress.update(
            self._task, description=running, total=of, completed=place - 1, ends=now + left_s, seen=seen
        )
        if not self._console.is_terminal:
            so_far = f" (so far {seen})" if place > 1 else ""
            self._console.print(f"[{place}/{of}, {_minutes(left_s)} left] {running}{so_far}", soft_wrap=True)

    def trial_done(self, trial: Trial, tables: Tables, invalid: tuple[str, ...]) -> None:
        """Count what it has shown, and say so when it does not count."""
        if not invalid:
            self._seen = self._seen.with_trial(tables)
        self._progress.update(self._task, advance=1, seen=str(self._seen))
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


class _TimeLeft(ProgressColumn):
    """`6:12 left`, which goes down while a trial runs."""

    def render(self, task: Task) -> Text:
        """Return the time until the field `ends`, a time.monotonic()."""
        ends: float | None = task.fields["ends"]
        return Text("" if ends is None else f"{_minutes(max(0.0, ends - time.monotonic()))} left")


def _running(trial: Trial) -> str:
    """`redis sync churn mixed 80% 1, 8.2/s from each`; without a rate where it is the scenario's own."""
    return str(trial) if trial.rate is None else f"{trial}, {number(trial.rate)}/s from each"


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
