"""Consumers side by side: of each what was missed of its drops, what stayed behind, and which messages were lost."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from loadtest.checks.delivery.table import EXPECTED, LOST
from loadtest.checks.delivery.table import TABLE as DELIVERY
from loadtest.checks.disconnects.account import MISSED_OF
from loadtest.checks.disconnects.table import DROPPED, GROUPS_LEFT, PRESENCE_LEFT, TASKS_LEFT
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.dimensions import CONSUMER, DIMENSIONS, DROP, MIXED_DROPS, AnyDimension
from loadtest.figures.cell import Cell, pooled
from loadtest.figures.column import Column
from loadtest.figures.evidence import Evidence
from loadtest.figures.share import share_in
from loadtest.figures.words import share_with_interval

HEAD = ("dropped", "missed (95 %)", "still in a group", "still online", "task still runs", "messages lost")
NOT_KNOWN = "?"


def by_consumer_table(evidence: Evidence, consumers: Collection[str]) -> str:
    """A table in Markdown: a row each of these consumers and each place, all kinds of drop together."""
    groups = [cells for cells in evidence.by_drop(DISCONNECTS) if cells[0].key[CONSUMER] in consumers]
    named = list(_telling(groups))
    rows = [[*(dimension.name for dimension in named), *HEAD]]
    rows += [["---"] * len(rows[0])]
    rows += [[*(f"{cells[0].key[dimension]}" for dimension in named), *_figures(cells, evidence)] for cells in groups]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _telling(groups: Sequence[Sequence[Cell]]) -> Iterator[AnyDimension]:
    """The consumer, and what else tells the rows apart."""
    for dimension in DIMENSIONS:
        values = {cells[0].key[dimension] for cells in groups}
        if dimension is CONSUMER or (dimension is not DROP and len(values) > 1):
            yield dimension


def _figures(cells: Sequence[Cell], evidence: Evidence) -> list[str]:
    whole = pooled(cells, cells[0].key.having(DROP, MIXED_DROPS))
    left = [_counted(whole, column) for column in (GROUPS_LEFT, PRESENCE_LEFT, TASKS_LEFT)]
    return [_counted(whole, DROPPED), share_with_interval(share_in(cells, MISSED_OF)), *left, _lost(cells, evidence)]


def _lost(cells: Sequence[Cell], evidence: Evidence) -> str:
    trials = evidence.trials_of(cells, DELIVERY)
    whole = pooled(trials, cells[0].key)
    return f"{_counted(whole, LOST)} of {_counted(whole, EXPECTED)}" if trials else NOT_KNOWN


def _counted(cell: Cell, column: Column[int]) -> str:
    """A count over all trials; `?` where one of them does not know it."""
    found = cell.total(column)
    return NOT_KNOWN if found.total is None or found.known < found.trials else f"{found.total:,}"
