"""`show`: what both sides recorded of one connection."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from loadtest.bench.plan import PlanError
from loadtest.cli.run_argument import run_named
from loadtest.report.console import PlainConsole
from loadtest.report.errors import ReportError
from loadtest.report.story import Story, read_story

PIPED_WIDTH = 200
"""A pipe has no width; rich would take 80 columns and cut the names of exceptions."""


def show(
    run: Annotated[Path, typer.Argument(help="the run's folder, or latest")],
    connection: Annotated[str, typer.Argument(help="TRIAL:ID as the report names it, or the id alone")],
) -> None:
    """Print both sides' timeline of one connection."""
    try:
        story = read_story(run_named(run), connection)
    except ReportError as error:
        raise PlanError(str(error)) from None
    console = PlainConsole()
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    console.print(story_table(story))


def story_table(story: Story) -> Table:
    """Return what both sides recorded of a connection, a line for each thing that happened."""
    zero = "its drop" if story.from_drop else "its first record"
    table = Table(
        title=f"connection {story.connection} of {story.trial}; ms from {zero}", box=None, title_justify="left"
    )
    table.add_column("ms", justify="right")
    table.add_column("client")
    table.add_column("server")
    for line in story.lines:
        sides = (line.what, "") if line.side == "client" else ("", line.what)
        table.add_row(f"{line.t_ms:,.3f}", *sides)
    return table
