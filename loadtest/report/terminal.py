"""The report in a terminal: tables, findings, and where the page lies; plain text when piped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text as RichText

from loadtest.report.findings import Finding, Severity
from loadtest.report.printed import Heading, PrintedTable, Text, Tone, printed_tables
from loadtest.report.summary import Summary
from loadtest.report.words import counted

PIPED_WIDTH = 110
"""A pipe has no width; rich would take 80 columns, which folds the disconnects table."""

FOLDED_WIDTH = 9
"""The codes column folds to one code a line, "1005:1234", before any other gives way."""

MEASURED_WIDTH = 1000
"""Wide enough to ask a table how wide it wants to be; one that wants too much stands closer together."""

SHOWN_A_TOPIC = 4
"""Sentences printed of each topic: more push the tables out of a terminal's view; the page has them all."""

_STYLES: dict[Tone, str] = {"": "", "good": "green", "warning": "bold yellow", "unknown": "bold magenta"}
_MARKS: dict[Severity, tuple[str, str]] = {
    "good": ("good", "green"),
    "note": ("note", "cyan"),
    "warning": ("warn", "bold yellow"),
    "unknown": ("?", "bold magenta"),
}


def print_report(summary: Summary, console: Console, run_folder: Path) -> None:
    """Print the tables, the findings and the place of the page."""
    if not console.is_terminal:
        console = Console(file=console.file, width=max(console.width, PIPED_WIDTH), color_system=None, highlight=False)
    tables = [table for table in printed_tables(summary) if table.name != "residue"]  # the findings say what was left
    for table in tables:
        _print_table(table, console)
    if not tables:
        console.print("No trial was finished, so there is nothing to show in tables.")
    _print_findings(summary.findings, console)
    console.print(RichText(f"\nReport: {run_folder / 'report.html'}"), soft_wrap=True)


def _print_table(table: PrintedTable, console: Console) -> None:
    rich_table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", show_edge=False)
    for heading in table.headings:
        _add_column(rich_table, heading)
    for row in table.rows:
        rich_table.add_row(*(_rich(text) for text in row))
    if Measurement.get(console, console.options.update(width=MEASURED_WIDTH), rich_table).maximum > console.width:
        rich_table.padding = (0, 0, 0, 0)
    console.print(RichText(f"\n{table.caption}", style="bold"))
    console.print(rich_table)
    for note in table.notes:
        console.print(RichText(note, style="magenta"))


def _add_column(rich_table: Table, heading: Heading) -> None:
    """Names never fold: a folded `redis-pubsub` reads as two rows."""
    folds = heading.text == "codes"
    width = FOLDED_WIDTH if folds else None
    justify: JustifyMethod = "right" if heading.is_number else "left"
    rich_table.add_column(heading.text, justify=justify, no_wrap=not folds, min_width=width)


def _rich(text: Text) -> RichText:
    return RichText(text.text, style=_STYLES[text.tone])


def _print_findings(findings: Sequence[Finding], console: Console) -> None:
    shown = _first_of_each_topic(findings)
    console.print(RichText("\nWhat was found (the most important first)", style="bold"))
    rows = Table.grid(padding=(0, 1, 0, 0))
    for finding in shown:
        word, style = _MARKS[finding.severity]
        rows.add_row(RichText(word, style=style), RichText(finding.text))
    console.print(rows if findings else "Nothing: no trial was finished.")
    if len(findings) > len(shown):
        console.print(RichText(f"... and {counted(len(findings) - len(shown), 'more sentence')} in the page."))


def _first_of_each_topic(findings: Sequence[Finding]) -> list[Finding]:
    """At most SHOWN_A_TOPIC of each topic, in the order they came in."""
    seen: Counter[str] = Counter()
    shown = []
    for finding in findings:
        seen[finding.topic] += 1
        if seen[finding.topic] <= SHOWN_A_TOPIC:
            shown.append(finding)
    return shown
