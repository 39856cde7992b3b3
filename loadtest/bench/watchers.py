"""Several watchers of one campaign: each is told the same, in their order."""

from loadtest.bench.campaign import Watcher
from loadtest.bench.plan import Trial
from loadtest.dimensions import CellKey
from loadtest.report.manifest import Capacity
from loadtest.report.tables import Tables


class Watchers:
    """A `Watcher` that passes on what it is told."""

    def __init__(self, *watchers: Watcher) -> None:
        """To all of these."""
        self._watchers = watchers

    def calibration_begins(self, cell: CellKey, *, place: int, of: int) -> None:
        """Pass it on."""
        for watcher in self._watchers:
            watcher.calibration_begins(cell, place=place, of=of)

    def calibrated(self, capacity: Capacity) -> None:
        """Pass it on."""
        for watcher in self._watchers:
            watcher.calibrated(capacity)

    def cell_refused(self, cell: CellKey, why: str) -> None:
        """Pass it on."""
        for watcher in self._watchers:
            watcher.cell_refused(cell, why)

    def trial_begins(self, trial: Trial, *, place: int, of: int) -> None:
        """Pass it on."""
        for watcher in self._watchers:
            watcher.trial_begins(trial, place=place, of=of)

    def trial_done(self, trial: Trial, tables: Tables, invalid: tuple[str, ...]) -> None:
        """Pass it on."""
        for watcher in self._watchers:
            watcher.trial_done(trial, tables, invalid)

    def repeats_begin(self, count: int) -> None:
        """Pass it on."""
        for watcher in self._watchers:
            watcher.repeats_begin(count)

    def trial_failed(self, trial: Trial, why: str) -> None:
        """Pass it on."""
        for watcher in self._watchers:
            watcher.trial_failed(trial, why)
