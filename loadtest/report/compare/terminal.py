"""A comparison in a terminal of 100 columns: its sentence, the warnings, and a row a cell and figure."""

from __future__ import annotations

from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from loadtest.report.compare.comparing import ComparedRuns, Row
from loadtest.report.compare.formats import Told, texts_of
from loadtest.report.compare.words import HEADINGS, MEANINGS, sentence
from loadtest.report.console import PlainConsole

PIPED_WIDTH = 100
"""A pipe has no width; rich would take 80 columns."""

INDENT = "  "
"""Before a cell's figures, below its name: in a column of its own it would take half of the width."""


def print_comparison(told: Told, console: Console) -> None:
    """Print what came of it first, then what to know beside it, then the table."""
    console = _wide_enough(console)
    compared = told.compared
    style = "bold red" if any(row.is_worse for row in compared.rows) else "bold"
    console.print(Text(sentence(compared), style=style))
    console.print(Text(f"A: {compared.one.folder}\nB: {compared.other.folder}"), soft_wrap=True)
    for warning in told.warnings:
        console.print(Text(f"Note: {warning}", style="yellow"))
    console.print(_table(compared))
    for meaning in MEANINGS:
        console.print(Text(meaning, style="dim"))


def _wide_enough(console: Console) -> Console:
    if console.is_terminal:
        return console
    return PlainConsole(file=console.file, width=PIPED_WIDTH, color_system=None)


def _table(compared: ComparedRuns) -> Table:
    """Each cell's name in a line of its own, which folds where it must; its figures below it."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(HEADINGS[0])
    for heading in HEADINGS[2:]:
        table.add_column(heading, justify="left" if heading == HEADINGS[-1] else "right", no_wrap=True)
    for key, rows in groupby(compared.rows, key=lambda row: row.cell):
        table.add_row(Text(compared.namer.name(key), style="bold"))
        for row in rows:
            _add_row(table, row)
    return table


def _add_row(table: Table, row: Row) -> None:
    figure, *texts = texts_of(row)
    style = ("red" if row.is_worse else "green") if row.is_difference else ""
    table.add_row(Text(f"{INDENT}{figure}"), *(Text(text, style=style) for text in texts))
