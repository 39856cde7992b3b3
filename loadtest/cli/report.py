"""`report`: makes the report of a run anew, from its folder alone."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from loadtest.bench.plan import PlanError
from loadtest.cli.exit_codes import FAILED
from loadtest.cli.run_argument import run_named
from loadtest.cli.thresholds import is_broken, thresholds_of
from loadtest.report import print_report, write_report
from loadtest.report.capacity import has_steps, print_answers, write_capacity_report
from loadtest.report.console import PlainConsole
from loadtest.report.errors import ReportError


def report(
    run: Annotated[Path, typer.Argument(help="the run's folder, or latest")] = Path("results/latest"),
    fail_on: Annotated[
        list[str] | None,
        typer.Option(help="threshold that makes it end with exit code 1, as of bench; may be given several times"),
    ] = None,
) -> None:
    """Show a run's tables and write its summary.json and report.html anew."""
    thresholds, folder, console = thresholds_of(fail_on or ()), run_named(run), PlainConsole()
    try:
        if has_steps(folder):
            _show_capacity(folder, fail_on, console)
            return
        summary = write_report(folder)
        print_report(summary, console, folder)
    except ReportError as error:
        raise PlanError(str(error)) from None
    if is_broken(summary, thresholds, console):
        raise typer.Exit(FAILED)


def _show_capacity(folder: Path, fail_on: list[str] | None, console: Console) -> None:
    if fail_on:
        raise PlanError(f"{folder} is a capacity run, in which every search breaks its level; leave out --fail-on")
    print_answers(write_capacity_report(folder), console, folder)
