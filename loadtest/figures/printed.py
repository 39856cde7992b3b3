"""Printed tables: the cells that a reader sees, as text; the same in the terminal and in the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Literal

from loadtest.dimensions import CONSUMER, LAYER, SCENARIO, AnyDimension
from loadtest.figures.cell import Cell
from loadtest.figures.column import AnyColumn, Column
from loadtest.figures.evidence import Evidence
from loadtest.figures.share import Part, share_in
from loadtest.figures.statistics import Total
from loadtest.figures.table import Table
from loadtest.figures.words import (
    NOT_APPLICABLE,
    UNKNOWN,
    number,
    share_with_interval,
    with_interval,
    with_range,
)

Tone = Literal["", "good", "warning", "unknown"]
Folds = Literal["never", "early", "late"]

LONGEST_UNFOLDED = 13
"""Figures with slashes between them, "1,056/1,911/4", fit a terminal's table up to this length."""

LONGEST_PIECE = 8
"""Between the blanks of longer ones: "1,911/4"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One printed cell."""

    text: str
    tone: Tone = ""
    short: str = ""
    """What stands there in a terminal that is too narrow: a figure without its interval; "": the same."""


Write = Callable[[Cell], Text]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedColumn:
    """One printed column: its head, and how a cell's figures are written in it."""

    heading: str
    meaning: str
    write: Write
    is_number: bool = True
    folds: Folds = "never"
    """Whether it gives way in a terminal that is too narrow, and before or after others."""
    keeps_limits: bool = False
    """In a terminal that is too narrow its intervals go last."""
    only_if: Callable[[Sequence[Cell]], bool] | None = None
    """The column is left out where this does not hold for the cells of the table."""
    in_brief: bool = True
    """Also in the table as the brief report has it, which is 100 columns wide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """How a table is printed: a row a cell."""

    caption: str
    columns: tuple[PrintedColumn, ...]
    always: tuple[AnyDimension, ...] = (LAYER, CONSUMER, SCENARIO)
    """The dimensions that are columns also where all cells have the same value."""
    in_terminal: bool = True
    """Else in the page only, and the findings say what is in it."""
    brief: str = ""
    """The caption, of one line, that it has in the brief report; "": it is not in that."""
    name: str = ""
    """Where a table is printed in several ways, that of this one; "": the table's own."""
    rows: Callable[[Evidence, Table], Sequence[Cell]] = Evidence.having
    """The cells that have a row each."""


def toned(text: str, tone: Tone = "") -> Text:
    """A cell of that tone, or of the tone of what is not known."""
    return Text(text=text, tone="unknown" if text == UNKNOWN else tone)


def beyond(cell: Cell, column: AnyColumn) -> Text | None:
    """`> 5,300` where a figure is infinite and only known to be more than that; None where it is not."""
    if column.beyond is None or cell.median(column).median != inf:
        return None
    watched = cell.median(column.beyond).low
    return Text(text=f"> {number(inf if watched is None else watched)}", tone="warning")


def median_with_range(column: AnyColumn, tone_if_any: Tone = "") -> Write:
    """Write the median, in brackets the range."""

    def write(cell: Cell) -> Text:
        figure = cell.median(column)
        return toned(with_range(figure), tone_if_any if figure.median else "")

    return write


def typical(column: Column[Any]) -> Write:
    """Write the typical value alone; `> 5,300` of what is more than that."""
    return lambda cell: beyond(cell, column) or toned(_known(cell, column, number(cell.interval(column).estimate)))


def with_limits(column: Column[Any]) -> Write:
    """Write the typical value, in brackets the interval that the rounds allow; `> 5,300` of what is more than that."""

    def write(cell: Cell) -> Text:
        text = beyond(cell, column) or toned(_known(cell, column, with_interval(cell.interval(column))))
        return without_interval(text)

    return write


def without_interval(text: Text) -> Text:
    """A cell that can do without the brackets behind its figure."""
    return replace(text, short=text.text.partition(" (")[0])


def share_with_limits(part: Part, tone_if_any: Tone = "") -> Write:
    """Write a share in percent, in brackets its interval."""

    def write(cell: Cell) -> Text:
        share = share_in([cell], part)
        if not share.of:
            return toned(UNKNOWN if cell.total(part.events).total is None and cell.total(part.events).applies
                         else NOT_APPLICABLE)  # fmt: skip
        return without_interval(Text(text=share_with_interval(share), tone=tone_if_any if share.events else ""))

    return write


def total(column: Column[int], tone_if_any: Tone = "") -> Write:
    """Write the sum over the trials."""
    return lambda cell: toned(_written(cell.total(column)), tone_if_any if cell.total(column).total else "")


def any_of(column: Column[int]) -> Callable[[Sequence[Cell]], bool]:
    """Whether some cell has counted one."""
    return lambda cells: any(cell.total(column).total for cell in cells)


def unless_none(column: Column[int]) -> Callable[[Sequence[Cell]], bool]:
    """Whether some cell has counted one, or may have: what is not known is no 0."""
    return lambda cells: any(cell.total(column).applies and cell.total(column).total != 0 for cell in cells)


def any_known(column: Column[Any]) -> Callable[[Sequence[Cell]], bool]:
    """Whether the figure is known of some cell."""
    return lambda cells: any(cell.median(column).is_known for cell in cells)


def slashed(parts: Sequence[str]) -> str:
    """`93/131/171`; a long one has blanks, where a narrow terminal may fold it: `1,056/ 1,911/4`."""
    text = "/".join(parts)
    if len(text) <= LONGEST_UNFOLDED:
        return text
    pieces = [""]
    for part in text.replace("/", "/ ").split():
        if len(pieces[-1]) + len(part) > LONGEST_PIECE:
            pieces.append("")
        pieces[-1] += part
    return " ".join(filter(None, pieces))


def _known(cell: Cell, column: AnyColumn, text: str) -> str:
    figure = cell.median(column)
    return text if figure.is_known else UNKNOWN if figure.applies else NOT_APPLICABLE


def _written(summed: Total) -> str:
    """The sum; `12+?` where some trial's count is not known."""
    if not summed.applies:
        return NOT_APPLICABLE
    if summed.total is None:
        return UNKNOWN
    return f"{summed.total:,}" + ("+?" if summed.known < summed.trials else "")
