"""Cures in a run: each consumer beside its variants, on each layer: missed, left behind, lost, and what it carries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loadtest.checks.delivery.table import LOST_OF
from loadtest.checks.delivery.table import TABLE as DELIVERY
from loadtest.checks.disconnects.account import MISSED_OF
from loadtest.checks.disconnects.left import left_of
from loadtest.checks.disconnects.table import GROUPS_LEFT, PRESENCE_LEFT
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.dimensions import CONSUMER, LAYER, CellKey
from loadtest.figures.cell import Cell
from loadtest.figures.column import Column
from loadtest.figures.evidence import Evidence
from loadtest.figures.share import share_in
from loadtest.figures.words import NOT_APPLICABLE, UNKNOWN, share_with_interval, with_interval
from loadtest.report.comparisons import Comparison, shown
from loadtest.report.questions import CARRIED, places_of
from loadtest.report.summary import Summary

HEAD = ("layer", "consumer", "missed (95 %)", "still in a group", "still online", "lost (95 %)")
CARRIES = "carries, of what the plain one does (95 %)"


def cures_table(summary: Summary) -> str:
    """A table in Markdown: a row each layer and consumer whose clients were dropped, plain ones before their variants.

    Where users wait for their answers in a scenario of the run, the last column has the ratio of messages a second,
    paired by round.
    """
    carried = [found for found in summary.comparisons if found.asked.metric is CARRIED]
    head = [*HEAD, CARRIES] if carried else [*HEAD]
    rows = [row if carried else row[: len(HEAD)] for row in _rows(summary.evidence, carried)]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))


def _rows(evidence: Evidence, carried: Sequence[Comparison]) -> Iterator[list[str]]:
    at_risk = [found for cells in evidence.by_drop(DISCONNECTS) if (found := evidence.at_risk(cells))]
    for cells in sorted(at_risk, key=lambda cells: _place(cells[0].key, evidence)):
        key = cells[0].key
        yield [
            f"`{key[LAYER]}`",
            f"`{key[CONSUMER]}`",
            share_with_interval(share_in(cells, MISSED_OF)),
            *(_left(cells, column) for column in (GROUPS_LEFT, PRESENCE_LEFT)),
            share_with_interval(share_in(evidence.trials_of(cells, DELIVERY), LOST_OF)),
            _carries(key, evidence, carried),
        ]


def _place(key: CellKey, evidence: Evidence) -> tuple[object, ...]:
    """By layer, then by the plain consumer, then the plain one before its variants."""
    return evidence.values.order(key.having(CONSUMER, _plain(key, evidence))), evidence.values.order(key)


def _plain(key: CellKey, evidence: Evidence) -> str:
    return evidence.values.of(key, CONSUMER).variant_of or key[CONSUMER]


def _left(cells: Sequence[Cell], column: Column[int]) -> str:
    left = left_of(cells, column)
    return f"{left.count:,} of {left.dropped:,}" if left else UNKNOWN


def _carries(key: CellKey, evidence: Evidence, carried: Sequence[Comparison]) -> str:
    """The ratio to the plain one at the same place; 1 for that itself, a middle dot where it was not measured."""
    if _plain(key, evidence) == key[CONSUMER]:
        return "1"
    for one in carried:
        if (one.asked.one, one.asked.other) == (key[CONSUMER], _plain(key, evidence)):
            for pair, part in zip(one.asked.pairs, one.parts, strict=True):
                if all(pair.one[0].key[place] == key[place] for place in places_of()):
                    return with_interval(shown(one.asked, part))
    return NOT_APPLICABLE
