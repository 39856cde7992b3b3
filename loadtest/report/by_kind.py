"""Kinds of drop side by side: of each what every kind of consumer missed, and after how long the others were called."""

from __future__ import annotations

from collections.abc import Sequence

from loadtest.checks.disconnects.account import MISSED_OF
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.checks.drops import DETECT_MS
from loadtest.dimensions import CONSUMER, DROP
from loadtest.figures.cell import Cell, pooled
from loadtest.figures.evidence import Evidence
from loadtest.figures.share import share_in
from loadtest.figures.words import quantile_with_interval, share_with_interval

MEDIAN = 0.5


def by_kind_table(evidence: Evidence) -> str:
    """A table in Markdown: a row each kind of drop, all other dimensions but the consumer together."""
    cells = sorted(evidence.having(DISCONNECTS), key=lambda cell: evidence.values.order(cell.key))
    consumers = list(dict.fromkeys(cell.key[CONSUMER] for cell in cells))
    kinds = dict.fromkeys(cell.key[DROP] for cell in cells)
    head = [
        "drop",
        *(f"{consumer}: missed (95 %)" for consumer in consumers),
        *(f"{consumer}: called after, ms" for consumer in consumers),
    ]
    rows = [head, ["---"] * len(head)]
    for kind in kinds:
        of_kind = [[cell for cell in cells if (cell.key[DROP], cell.key[CONSUMER]) == (kind, one)] for one in consumers]
        rows.append([f"`{kind}`", *map(_missed, of_kind), *map(_called, of_kind)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _missed(cells: Sequence[Cell]) -> str:
    return share_with_interval(share_in(cells, MISSED_OF))


def _called(cells: Sequence[Cell]) -> str:
    """The median of all drops, those that were missed included, which are called later than was waited for."""
    if not cells:
        return "·"
    (median,) = pooled(cells, cells[0].key).quantiles(DETECT_MS, [MEDIAN])
    return quantile_with_interval(median)
