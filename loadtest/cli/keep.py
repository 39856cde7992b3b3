"""`keep`: a small copy of a run, for git."""

from pathlib import Path
from typing import Annotated

import typer

from loadtest.bench.plan import PlanError
from loadtest.cli.run_argument import run_named
from loadtest.report.console import PlainConsole
from loadtest.report.errors import ReportError
from loadtest.report.keep import keep_run


def keep(
    run: Annotated[Path, typer.Argument(help="the run's folder, or latest")],
    folder: Annotated[Path, typer.Argument(help="a new folder for the copy")],
) -> None:
    """Write a small copy of a run for git: compressed tables, and the records of example connections."""
    try:
        kept = keep_run(run_named(run), folder)
    except ReportError as error:
        raise PlanError(str(error)) from None
    PlainConsole(soft_wrap=True).print(
        f"{folder}: {kept.trials} trials and {kept.examples} examples in {kept.size / 1000:,.0f} kB;"
        f" channels-loadtest report {folder} makes its report",
    )
