"""Overload of a cell: in how many of its trials the server was asked for more than it could do."""

from loadtest.checks.throughput.table import OVERLOADED
from loadtest.figures.cell import Cell


def overloaded_trials(cell: Cell) -> int:
    """Count the trials that count and were overloaded."""
    return cell.values(OVERLOADED).count("yes")


def overloaded(cell: Cell) -> str:
    """`yes`, `in 2 of 3 trials`, or "" for none."""
    count, trials = overloaded_trials(cell), len(cell.valid_trials)
    return "" if not count else "yes" if count == trials else f"in {count} of {trials} trials"
