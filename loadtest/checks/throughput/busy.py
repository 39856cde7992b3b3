"""How busy the server was in the trials of some cells: it stands beside every figure of a message or a drop."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from loadtest.checks.throughput.table import TABLE, UTILISATION
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.printed import PrintedColumn, Text, toned
from loadtest.figures.words import NOT_APPLICABLE, UNKNOWN, number


def busy_in(cells: Iterable[Cell], evidence: Evidence) -> list[float]:
    """The utilisation, 0 to 1, of each cell in whose trials these were measured, where it is known."""
    trials = evidence.trials_of(cells, TABLE)
    return [cell.interval(UTILISATION).estimate for cell in trials if cell.median(UTILISATION).is_known]


def busy_text(cells: Iterable[Cell], evidence: Evidence) -> Text:
    """The same as a table has it: of several cells the mean."""
    cells = list(cells)
    if found := busy_in(cells, evidence):
        return Text(text=number(fmean(found)))
    applies = any(cell.median(UTILISATION).applies for cell in evidence.trials_of(cells, TABLE))
    return toned(UNKNOWN if applies else NOT_APPLICABLE)


def busy_column(evidence: Evidence) -> PrintedColumn:
    """The column of every table that stands behind the load."""
    return PrintedColumn(
        heading="busy",
        meaning="utilisation: the share of the time in which the server's event loop, the thread of its sync "
        "consumers or the broker was busy, the largest of them",
        write=lambda cell: busy_text([cell], evidence),
        only_if=lambda cells: bool(busy_in(cells, evidence)),
    )
