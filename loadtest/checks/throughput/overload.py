"""Overload of a cell: in how many of its trials the server was asked for more than it could do."""

from collections.abc import Mapping
from math import inf

from loadtest.checks.throughput.table import LATENCY_MS_P99, OVERLOADED
from loadtest.figures.cell import Cell
from loadtest.figures.words import listed


def overloaded_trials(cell: Cell) -> int:
    """Count the trials that count and were overloaded."""
    return cell.values(OVERLOADED).count("yes")


def overloaded(cell: Cell) -> str:
    """`yes`, `in 2 of 3 trials`, or "" for none."""
    count, trials = overloaded_trials(cell), len(cell.valid_trials)
    return "" if not count else "yes" if count == trials else f"in {count} of {trials} trials"


def not_comparable(cells: Mapping[str, Cell]) -> str:
    """Say why the latencies of these cells, by their names, are not compared; "" where they may be.

    The latency of an overloaded server is the length of its queue, which the plan's length and the layer's capacity
    decide; and a layer that throws messages away must not look best.
    """
    queued = [name for name, cell in cells.items() if overloaded_trials(cell)]
    if queued:
        return f"{listed(queued)} {'was' if len(queued) == 1 else 'were'} overloaded"
    cut = [name for name, cell in cells.items() if cell.median(LATENCY_MS_P99).median == inf]
    return f"too much never came with {listed(cut)}" if cut else ""
