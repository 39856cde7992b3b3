"""The whole report in a terminal: tables, findings, and where the page lies; plain text when piped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from rich.box import SIMPLE_HEAD, Box
from rich.console import Console, JustifyMethod
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text as RichText

from loadtest.figures.finding import Finding, Severity
from loadtest.figures.printed import Folds, Text, Tone
from loadtest.figures.words import counted
from loadtest.report.console import PlainConsole
from loadtest.report.noise import noise_words
from loadtest.report.printed import PrintedTable, printed_tables
from loadtest.report.show_command import show_command
from loadtest.report.summary import Summary

PIPED_WIDTH = 110
"""A pipe has no width; rich would take 80 columns, which folds the disconnects table."""

MEASURED_WIDTH = 1000
"""Wide enough to ask a table how wide it wants to be; one that wants too much stands closer together."""

SHOWN_A_TOPIC = 3
"""Sentences printed of each topic: more push the tables out of a terminal's view; the page has them all."""

SHOWN = 25
"""Sentences printed at most."""

MARK_WIDTH = 4
"""Of the word before each sentence: "good", "note", "warn"."""

_EARLY: tuple[Folds, ...] = ("early",)
_ALL: tuple[Folds, ...] = ("early", "late")

_STYLES: dict[Tone, str] = {"": "", "good": "green", "warning": "bold yellow", "unknown": "bold magenta"}
_MARKS: dict[Severity, tuple[str, str]] = {
    "good": ("good", "green"),
    "note": ("note", "cyan"),
    "warning": ("warn", "bold yellow"),
    "unknown": ("?", "bold magenta"),
}


def print_report(summary: Summary, console: Console, run_folder: Path | None = None) -> None:
    """Print the tables, the findings and the place of the page; without a folder there is neither page nor ledgers."""
    console = plain_when_piped(console)
    print_tables(summary, console)
    if summary.cells:
        console.print(RichText(f"\n{noise_words(summary.noise, summary.evidence.namer)}"))
    _print_findings(summary.findings, console, run_folder)
    if run_folder is not None:
        console.print(RichText(f"\nReport: {run_folder / 'report.html'}"), soft_wrap=True)


def print_tables(summary: Summary, console: Console, *, only: Collection[str] = ()) -> None:
    """Print the tables that are for a terminal; `only` names some of them."""
    console = plain_when_piped(console)
    tables = [table for table in printed_tables(summary) if table.in_terminal]
    for table in tables:
        if not only or table.name in only:
            print_table(table, console)
    if not tables:
        console.print("No trial was finished, so there is nothing to show in tables.")


def plain_when_piped(console: Console, width: int = PIPED_WIDTH) -> Console:
    """Return the console, or one for a pipe: without colours, and `width` columns wide at least."""
    if console.is_terminal:
        return console
    return PlainConsole(file=console.file, width=max(console.width, width), color_system=None)


def print_table(table: PrintedTable, console: Console, box: Box | None = SIMPLE_HEAD) -> None:
    """Print a table as wide as the console allows."""
    console.print(RichText(f"\n{table.caption}", style="bold"))
    console.print(_fitting(table, console, box))
    for note in table.notes:
        console.print(RichText(note, style="magenta"))


def _fitting(table: PrintedTable, console: Console, box: Box | None) -> Table:
    """As wide as it wants to be; else closer together; else without intervals, as far as it must; else
    with what folds early folded; else with more folded."""
    places = sorted(range(len(table.headings)), key=lambda place: table.headings[place].keeps_limits)
    shortened = [_shortened(table, places[: count + 1]) for count in range(len(places))]
    close = (_rich_table(one, box, padding=0) for one in (table, *shortened))
    for rich_table in (_rich_table(table, box), *close):
        if _wanted_width(rich_table, console) <= console.width:
            return rich_table
    table = shortened[-1]
    if _wanted_width(_rich_table(table, box, padding=0, narrow=_EARLY), console) <= console.width:
        return _rich_table(table, box, padding=0, folding=_EARLY)  # no further than it must
    return _rich_table(table, box, padding=0, narrow=_ALL)


def _shortened(table: PrintedTable, places: Collection[int]) -> PrintedTable:
    """The table with the short form of the texts in these columns."""
    rows = [
        tuple(replace(text, text=text.short or text.text) if n in places else text for n, text in enumerate(row))
        for row in table.rows
    ]
    return replace(table, rows=tuple(rows))


def _wanted_width(rich_table: Table, console: Console) -> int:
    return Measurement.get(console, console.options.update(width=MEASURED_WIDTH), rich_table).maximum


def _rich_table(
    table: PrintedTable,
    box: Box | None,
    *,
    padding: int = 1,
    folding: Collection[Folds] = (),
    narrow: Collection[Folds] = (),
) -> Table:
    """Columns that fold as `folding` says give way as far as they must, those of `narrow` have a word a line.

    No other ever folds: a folded `redis-pubsub` reads as two rows.
    """
    padding += box is None  # a box has a blank between columns
    rich_table = Table(box=box, pad_edge=False, padding=(0, padding, 0, 0), header_style="bold", show_edge=False)
    for place, heading in enumerate(table.headings):
        words = " ".join([heading.text, *(row[place].text for row in table.rows)]).split()
        justify: JustifyMethod = "right" if heading.is_number else "left"
        rich_table.add_column(
            heading.text,
            justify=justify,
            no_wrap=heading.folds not in (*folding, *narrow),
            min_width=max(map(len, words)),
            max_width=max(map(len, words)) if heading.folds in narrow else None,
        )
    for row in table.rows:
        rich_table.add_row(*(_rich(text) for text in row))
    return rich_table


def _rich(text: Text) -> RichText:
    return RichText(text.text, style=_STYLES[text.tone])


def _print_findings(findings: Sequence[Finding], console: Console, run_folder: Path | None) -> None:
    shown = _first_of_each_topic(findings)[:SHOWN]
    console.print(RichText("\nWhat was found (the most important first)", style="bold"))
    for finding in shown:
        _print_finding(finding, console)
        if run_folder is not None and finding.example and finding.severity == "warning":
            command = show_command(run_folder, finding.example)
            console.print(RichText(f"{'':{MARK_WIDTH}} {command}", style="dim"), soft_wrap=True)
    if not findings:
        console.print("Nothing: no trial was finished.")
    if len(findings) > len(shown):
        where = " in report.html" if run_folder is not None else ""
        console.print(RichText(f"... and {counted(len(findings) - len(shown), 'more sentence')}{where}."))


def _print_finding(finding: Finding, console: Console) -> None:
    word, style = _MARKS[finding.severity]
    row = Table.grid(padding=(0, 1, 0, 0))
    row.add_column(width=MARK_WIDTH)
    row.add_row(RichText(word, style=style), RichText(finding.text))
    console.print(row)


def _first_of_each_topic(findings: Sequence[Finding]) -> list[Finding]:
    """At most SHOWN_A_TOPIC of each topic, in the order they came in."""
    seen: Counter[str] = Counter()
    shown = []
    for finding in findings:
        seen[finding.topic.name] += 1
        if seen[finding.topic.name] <= SHOWN_A_TOPIC:
            shown.append(finding)
    return shown
