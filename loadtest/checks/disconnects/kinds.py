"""Which kinds of drop are missed more or less often than the others: only where it is decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from loadtest.checks.disconnects.account import MISSED_OF
from loadtest.dimensions import CellKey
from loadtest.figures.cell import Cell
from loadtest.figures.share import counts_of
from loadtest.stats.holm import holm
from loadtest.stats.paired import Verdict
from loadtest.stats.share_difference import of_shares

ALPHA: Final = 0.01
"""The chance that a run in which all kinds are alike has a kind that stands out; asked of many kinds by the way."""


def standing_out(groups: Sequence[Sequence[Cell]]) -> dict[CellKey, Verdict]:
    """The kinds that are missed more ("higher") or less often than the rest of their group, over all groups of a run.

    Each kind is compared with the other kinds of its group together; Holm's correction over all of them.
    """
    compared = list(_with_the_rest(groups))
    differences = [of_shares(counts_of([cell], MISSED_OF), counts_of(rest, MISSED_OF)) for cell, rest in compared]
    found: dict[CellKey, Verdict] = {}
    corrected = holm([difference.p_of_difference() for difference in differences])
    for (cell, _), difference, p in zip(compared, differences, corrected, strict=True):
        if p <= ALPHA:
            found[cell.key] = "higher" if difference.estimate > 0 else "lower"
    return found


def _with_the_rest(groups: Sequence[Sequence[Cell]]) -> Iterator[tuple[Cell, list[Cell]]]:
    for cells in groups:
        for cell in cells:
            if rest := [other for other in cells if other is not cell]:
                yield cell, rest
