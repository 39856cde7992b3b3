"""Twins: trials of one cell in one round, run twice to show by how much equals differ (an A/A pair).

The trial of a round has the round's number; its twin has the number of trials more. So of 4 trials a cell, numbers 1 to
4 are the rounds, and 5 to 8 are twins, whose pairs are (1, 5), (2, 6), (3, 7) and (4, 8).
"""

from __future__ import annotations


def twin_number(round_number: int, *, trials: int) -> int:
    """Return the number of the twin of a round's trial; `trials` is how many rounds the plan has."""
    return trials + round_number


def is_twin(number: int, *, trials: int) -> bool:
    """Tell whether a trial of that number is a twin, and not the trial of a round."""
    return number > trials


def round_of(number: int, *, trials: int) -> int:
    """Return the round in which a trial of that number was run."""
    return number - trials if is_twin(number, trials=trials) else number


def twin_pairs(trials: int) -> list[tuple[int, int]]:
    """Return the numbers of a cell's trials that are pairs: (round, twin)."""
    return [(number, twin_number(number, trials=trials)) for number in range(1, trials + 1)]
