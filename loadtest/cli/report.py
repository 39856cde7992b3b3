"""`report`: makes the report of a run anew, from its folder alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from loadtest.bench.plan import PlanError
from loadtest.cli.exit_codes import FAILED
from loadtest.cli.run_argument import run_named
from loadtest.cli.thresholds import is_broken, thresholds_of
from loadtest.figures.threshold import Threshold
from loadtest.report import Summary, print_report, write_report
from loadtest.report.capacity import has_steps, print_answers, write_capacity_report
from loadtest.report.console import PlainConsole
from loadtest.report.errors import ReportError
from loadtest.report.formats import FORMATS


def report(
    run: Annotated[Path, typer.Argument(help="the run's folder, or latest")] = Path("results/latest"),
    fail_on: Annotated[
        list[str] | None,
        typer.Option(help="threshold that makes it end with exit code 1, as of bench; may be given several times"),
    ] = None,
    form: Annotated[
        Literal["text", "md", "junit"],
        typer.Option("--format", help="tables, or for a CI job Markdown, or JUnit XML with a test case a threshold"),
    ] = "text",
    out: Annotated[Path | None, typer.Option(help="write Markdown or JUnit XML into this file")] = None,
) -> None:
    """Show a run's tables and write its summary.json and report.html anew.

    Markdown and JUnit XML are about the run's own thresholds where --fail-on names none.
    """
    thresholds, folder, console = thresholds_of(fail_on or ()), run_named(run), PlainConsole()
    if form == "text" and out:
        raise PlanError("--out is for --format md or junit; tables are printed")
    try:
        if has_steps(folder):
            _show_capacity(folder, fail_on, form, console)
            return
        summary = write_report(folder)
        if form == "text":
            print_report(summary, console, folder)
        else:
            _write(summary, thresholds, form, out)
    except ReportError as error:
        raise PlanError(str(error)) from None
    if is_broken(summary, thresholds, console if form == "text" else PlainConsole(quiet=True)):
        raise typer.Exit(FAILED)


def _write(summary: Summary, thresholds: Sequence[Threshold], form: str, out: Path | None) -> None:
    own = thresholds or thresholds_of(summary.manifest.plan.get("fail_on", ()))
    text = FORMATS[form](summary, own)
    if out is None:
        PlainConsole(soft_wrap=True).print(text, end="")
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PlanError(f"cannot write {out}: {error.strerror or error}; pass --out with a file that can be") from None


def _show_capacity(folder: Path, fail_on: list[str] | None, form: str, console: Console) -> None:
    if form != "text":
        raise PlanError(f"{folder} is a capacity run, which is told as text only; leave out --format")
    if fail_on:
        raise PlanError(f"{folder} is a capacity run, in which every search breaks its level; leave out --fail-on")
    print_answers(write_capacity_report(folder), console, folder)
