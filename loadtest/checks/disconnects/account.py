"""The dropped connections of a cell, each accounted for once: called, missed or unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loadtest.checks.disconnects.table import DISCONNECT_CALLED, DROPPED, MISSED
from loadtest.figures.cell import Cell, TrialFigures
from loadtest.figures.column import Column
from loadtest.figures.share import Part

MISSED_OF = Part(name="missed_share", events=MISSED, others=DISCONNECT_CALLED)
"""Missed, of those of which it is known whether disconnect() was called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """dropped = called + missed + unknown, over all valid trials that say how many were dropped.

    The drops of a trial that could not be audited are unknown, never called nor missed.
    """

    dropped: int
    called: int
    missed: int
    unknown: int
    audited: int
    """Trials whose drops were looked up."""
    trials: int
    left_out: int
    """Trials that are not valid: nothing of them is in the other counts."""

    @property
    def is_whole(self) -> bool:
        """Something was dropped, and of each drop it is known what became of it."""
        return self.dropped > 0 and self.unknown == 0 and self.audited == self.trials


def account_of(cell: Cell) -> Account:
    """The account of one cell's drops."""
    return account_of_all([cell])


def account_of_all(cells: Iterable[Cell]) -> Account:
    """The account of the drops of several cells together."""
    having = [trial for cell in cells for trial in cell.trials if DROPPED in trial]
    trials = [trial for trial in having if trial.valid]
    audited = [trial for trial in trials if _is_audited(trial)]
    dropped = _sum(trials, DROPPED)
    called, missed = _sum(audited, DISCONNECT_CALLED), _sum(audited, MISSED)
    return Account(
        dropped=dropped,
        called=called,
        missed=missed,
        unknown=dropped - called - missed,
        audited=len(audited),
        trials=len(trials),
        left_out=len(having) - len(trials),
    )


def _is_audited(trial: TrialFigures) -> bool:
    return all(trial.get(column) is not None for column in (DROPPED, DISCONNECT_CALLED, MISSED))


def _sum(trials: Iterable[TrialFigures], column: Column[int]) -> int:
    return sum(trial.get(column) or 0 for trial in trials)
