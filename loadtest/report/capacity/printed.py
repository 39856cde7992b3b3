"""The table of a capacity run as a reader sees it, in the terminal and in the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text as RichText

from loadtest.dimensions import CONSUMER, DIMENSIONS, LAYER, AnyDimension
from loadtest.figures.printed import Text, without_interval
from loadtest.figures.words import NOT_APPLICABLE, number, time_ms
from loadtest.report.capacity.answers import CapacityAnswers, CellCapacity
from loadtest.report.capacity.words import (
    gave_way_written,
    interrupted_note,
    lead_of,
    scaling_sentences,
    sentences,
    written,
)
from loadtest.report.printed import Heading, PrintedTable
from loadtest.report.terminal import plain_when_piped, print_table

SHOWN = 6
"""Sentences in a terminal; the table has a row for each cell, and the page has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    heading: Heading
    write: Callable[[CellCapacity], Text]


def print_answers(answers: CapacityAnswers, console: Console, folder: Path) -> None:
    """Print what was found, the table, and where the page lies."""
    console = plain_when_piped(console)
    console.print(RichText(f"\n{lead_of(answers)}", style="bold"))
    found = sentences(answers)
    for text in (*found[:SHOWN], *scaling_sentences(answers)):
        console.print(RichText(f"- {text}"))
    if len(found) > SHOWN:
        console.print(f"... and {len(found) - SHOWN} more in the page.")
    if not found:
        console.print("Nothing was measured: no step was finished.")
    table = table_of(answers)
    if table.rows:
        print_table(table, console)
    for note in interrupted_note(answers):
        console.print(RichText(note, style="bold yellow"))
    console.print(RichText(f"\nReport: {folder / 'report.html'}"), soft_wrap=True)


def table_of(answers: CapacityAnswers) -> PrintedTable:
    """Return the table: a row a cell."""
    cells = answers.cells
    shown = [row for row in DIMENSIONS if row in (LAYER, CONSUMER) or len({cell.cell[row] for cell in cells}) > 1]
    columns = [*map(_key_column, shown), *_FIGURES]
    unit = "messages/s from each sender" if answers.asked.of == "rate" else "connections"
    return PrintedTable(
        name="capacity",
        caption=f"Capacity in {unit}; in brackets the 95 % interval that the searches allow",
        headings=tuple(column.heading for column in columns),
        rows=tuple(tuple(column.write(cell) for column in columns) for cell in cells),
        notes=(),
    )


def _key_column(dimension: AnyDimension) -> _Column:
    heading = Heading(text=dimension.name, meaning=dimension.meaning, is_number=False)
    return _Column(heading=heading, write=lambda cell: Text(text=str(cell.cell[dimension])))


def _carried(cell: CellCapacity) -> Text:
    return without_interval(Text(text=written(cell), tone="" if cell.interval is not None else "warning"))


def _in_all(cell: CellCapacity) -> str:
    return NOT_APPLICABLE if cell.interval is None else number(cell.interval.estimate * cell.beside)


def _singles(cell: CellCapacity) -> str:
    return " ".join(number(value) for value in cell.singles) or NOT_APPLICABLE


def _knee(cell: CellCapacity) -> str:
    if cell.knee is None:
        return NOT_APPLICABLE
    return f"{'' if cell.knee.below is not None else '≤ '}{number(cell.knee.load)}"


def _p99_at_knee(cell: CellCapacity) -> Text:
    return Text(text=NOT_APPLICABLE if cell.knee is None else time_ms(cell.knee.time))


def _column(heading: str, meaning: str, write: Callable[[CellCapacity], Text]) -> _Column:
    return _Column(heading=Heading(text=heading, meaning=meaning, is_number=True), write=write)


_FIGURES = (
    _column("carries", "the most that keeps the service level", _carried),
    _column("sent/s in all", "messages a second from all senders together", lambda cell: Text(text=_in_all(cell))),
    _Column(
        heading=Heading(text="searches", meaning="what each search found", is_number=True, folds="late"),
        write=lambda cell: Text(text=_singles(cell)),
    ),
    _column("knee", "the load beyond which latency grows faster than the load", lambda cell: Text(text=_knee(cell))),
    _column("p99 there", "the latency that 99 of 100 messages came within at the knee", _p99_at_knee),
    _Column(
        heading=Heading(
            text="gave way first",
            meaning="what was busiest where the level broke, and how busy; level: nothing was busy all the time",
            is_number=False,
            folds="early",
        ),
        write=lambda cell: Text(text=gave_way_written(cell.gave_way)),
    ),
)
