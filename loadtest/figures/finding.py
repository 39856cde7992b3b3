"""A finding: one or two plain sentences with the figures they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from loadtest.dimensions import CellKey
from loadtest.figures.column import AnyColumn
from loadtest.figures.statistics import Figure
from loadtest.figures.words import counted

Severity = Literal["good", "note", "warning", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What findings are on: the page shows them by topic."""

    name: str
    title: str
    """The heading on the page."""
    rank: int
    """Of findings that are as grave, those of the lowest rank come first."""
    place: int
    """On the page, from the top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found, and the cells and the figures it rests on."""

    severity: Severity
    topic: Topic
    text: str
    cells: tuple[CellKey, ...] = ()
    figures: tuple[AnyColumn, ...] = ()
    example: str = ""
    """A connection as `channels-loadtest show RUN` takes it; "" where there is none."""


def how_sure(figure: Figure) -> str:
    """`median of 3 trials`, `median of 2 of 3 trials`, `one trial only`."""
    if figure.known == 1:
        return "one trial only"
    whole = figure.trials + figure.left_out
    return f"median of {figure.known}{f' of {whole}' if whole > figure.known else ''} trials"


def trials_each(trials: Sequence[int], of: str = "") -> str:
    """`3 trials each`, `2 to 3 trials each`, `one trial each`."""
    low, high = min(trials), max(trials)
    if low == high:
        return f"{of}{counted(low, 'trial')} each" if low > 1 else "one trial each"
    return f"{of}{low} to {high} trials each"
