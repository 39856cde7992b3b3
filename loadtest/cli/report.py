"""`report`: makes the report of a run anew, from its folder alone."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from loadtest.bench.plan import PlanError
from loadtest.report import print_report, write_report
from loadtest.report.errors import ReportError


def report(run: Annotated[Path, typer.Argument(help="the run's folder")] = Path("results/latest")) -> None:
    """Show a run's tables and write its summary.json and report.html anew."""
    try:
        print_report(write_report(run), Console(highlight=False), run)
    except ReportError as error:
        raise PlanError(str(error)) from None
