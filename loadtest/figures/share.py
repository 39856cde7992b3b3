"""The share of events in one or several cells: counted by round, which are the clusters of its interval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loadtest.figures.cell import Cell
from loadtest.figures.column import Column
from loadtest.stats.share import Share, share_of
from loadtest.stats.share_difference import TrialCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is a share of what: `events` among them and `others` make up all that could be."""

    name: str
    events: Column[int]
    others: Column[int]


def counts_of(cells: Iterable[Cell], part: Part) -> TrialCounts:
    """How many of how many, in each round that is known of, all these cells together."""
    found = _by_round(cells, part).values()
    return TrialCounts(events=[events for events, _ in found], of=[of for _, of in found])


def _by_round(cells: Iterable[Cell], part: Part) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    for cell in cells:
        for trial in cell.valid_trials:
            events, others = trial.get(part.events), trial.get(part.others)
            if events is not None and others is not None:
                before, of = found.get(trial.round, (0, 0))
                found[trial.round] = (before + events, of + events + others)
    return found


def share_by_round(cells: Iterable[Cell], part: Part) -> dict[int, float]:
    """The share in each round in which there was something to count, all these cells together."""
    return {number: events / of for number, (events, of) in _by_round(cells, part).items() if of}


def share_in(cells: Sequence[Cell], part: Part) -> Share:
    """The share in these cells together, with its interval."""
    counts = counts_of(cells, part)
    return share_of(counts.events, counts.of)
