"""The dropped connections of a cell, each accounted for once: called, missed or unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loadtest.report.cells import Cell, Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """dropped = called + missed + unknown, over all trials that say how many were dropped.

    The drops of a trial that could not be audited are unknown, never called nor missed.
    """

    dropped: int
    called: int
    missed: int
    unknown: int
    audited: int  # trials whose drops were looked up
    trials: int

    @property
    def is_whole(self) -> bool:
        """Something was dropped, and of each drop it is known what became of it."""
        return self.dropped > 0 and self.unknown == 0 and self.audited == self.trials


def account_of(cell: Cell) -> Account:
    """The account of one cell's drops."""
    return account_of_all([cell])


def account_of_all(cells: Iterable[Cell]) -> Account:
    """The account of the drops of several cells together."""
    trials = [trial for cell in cells for trial in cell.trials if "disconnects.dropped" in trial.figures]
    audited = [trial for trial in trials if _is_audited(trial)]
    dropped = _sum(trials, "dropped")
    called, missed = _sum(audited, "disconnect_called"), _sum(audited, "missed")
    return Account(
        dropped=dropped,
        called=called,
        missed=missed,
        unknown=dropped - called - missed,
        audited=len(audited),
        trials=len(trials),
    )


def _is_audited(trial: Trial) -> bool:
    return all(
        isinstance(trial.figures.get(f"disconnects.{n}"), int) for n in ("dropped", "disconnect_called", "missed")
    )


def _sum(trials: Iterable[Trial], name: str) -> int:
    values = (trial.figures[f"disconnects.{name}"] for trial in trials)
    return sum(value for value in values if isinstance(value, int))
