"""The brief report in a terminal: the verdict, one table on speed, one on drops, and what to look at next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.text import Text as RichText

from loadtest.figures.finding import Severity
from loadtest.figures.words import UNKNOWN
from loadtest.report.answers import Answer, answers_of
from loadtest.report.printed import PrintedTable, printed_tables
from loadtest.report.show_command import report_command, show_command
from loadtest.report.summary import Summary
from loadtest.report.terminal import plain_when_piped, print_table

PIPED_WIDTH = 100
"""A pipe has no width; rich would take 80 columns, which costs the tables their intervals."""

_STYLES: dict[Severity, str] = {"good": "green", "note": "", "warning": "bold", "unknown": "magenta"}


def print_brief(summary: Summary, console: Console, run_folder: Path | None = None) -> None:
    """Print all of it: for the default bench 45 lines of 100 columns at most; the rest is in `print_report`."""
    console = plain_when_piped(console, PIPED_WIDTH)
    answers = answers_of(summary)
    _print_answers(answers, console)
    tables = [_brief(table) for table in printed_tables(summary) if table.brief]
    for table in tables:
        print_table(table, console, box=None)
    for line in _next(answers, tables, run_folder):
        console.print(RichText(line), soft_wrap=True)


def print_verdict(summary: Summary, console: Console) -> None:
    """Print the answers, the most important first."""
    _print_answers(answers_of(summary), plain_when_piped(console, PIPED_WIDTH))


def _print_answers(answers: Sequence[Answer], console: Console) -> None:
    shown = [answer for answer in answers if answer.in_brief]
    for answer in shown:
        console.print(RichText(answer.short or answer.text, style=_STYLES[answer.severity]))
    if not shown:
        console.print("Nothing was measured: no trial was finished.")


def _brief(table: PrintedTable) -> PrintedTable:
    """The table with the columns and the caption that it has here; why a number is not known stands elsewhere."""
    places = [place for place, heading in enumerate(table.headings) if heading.in_brief]
    return replace(
        table,
        caption=table.brief,
        headings=tuple(table.headings[place] for place in places),
        rows=tuple(tuple(row[place] for place in places) for row in table.rows),
        notes=(),
    )


def _next(answers: Sequence[Answer], tables: list[PrintedTable], run_folder: Path | None) -> Iterator[str]:
    """What to look at next: each a line with a path or a command to copy."""
    has_unknown = any(UNKNOWN in text.text for table in tables for row in table.rows for text in row)
    why = f", and why a number is {UNKNOWN}" if has_unknown else ""
    if run_folder is None:
        yield f"Next: --verbose has all tables and findings{why}."
        return
    yield f"Next: the report, with charts: {run_folder / 'report.html'}"
    example = next((answer.example for answer in answers if answer.example), "")
    if example:
        yield f"  a missed drop, as both sides saw it: {show_command(run_folder, example)}"
    yield f"  all tables and findings{why}: {report_command(run_folder)} --verbose"
