"""`report`: makes the report of a run anew, from its folder alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from loadtest.bench.plan import PlanError
from loadtest.cli.exit_codes import FAILED
from loadtest.cli.output import PANEL, Output, Quiet, Verbose, print_text
from loadtest.cli.run_argument import run_named
from loadtest.cli.thresholds import is_broken, thresholds_of
from loadtest.figures.threshold import Threshold
from loadtest.report import Summary, write_report
from loadtest.report.capacity import has_steps, print_answers, write_capacity_report
from loadtest.report.console import PlainConsole
from loadtest.report.errors import ReportError
from loadtest.report.formats import FORMATS
from loadtest.report.summary_json import SUMMARY


def report(
    run: Annotated[Path, typer.Argument(help="the run's folder, or latest")] = Path("results/latest"),
    fail_on: Annotated[
        list[str] | None,
        typer.Option(help="threshold that makes it end with exit code 1, as of bench; may be given several times"),
    ] = None,
    form: Annotated[
        Literal["text", "md", "json", "junit"],
        typer.Option(
            "--format",
            help="text for a terminal; Markdown; what summary.json has; or JUnit XML with a test case a threshold",
            rich_help_panel=PANEL,
        ),
    ] = "text",
    out: Annotated[Path | None, typer.Option(help="write md, json or junit into this file", rich_help_panel=PANEL)] = (
        None
    ),
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show what a run found and write its summary.json and report.html anew.

    Markdown and JUnit XML are about the run's own thresholds where --fail-on names none.
    """
    thresholds, folder, output = thresholds_of(fail_on or ()), run_named(run), Output(verbose=verbose, quiet=quiet)
    if form == "text" and out:
        raise PlanError("--out is for --format md, json or junit; text is printed")
    if form != "text" and (verbose or quiet):
        raise PlanError(f"--verbose and --quiet are for text; leave them out with --format {form}")
    try:
        if has_steps(folder):
            _show_capacity(folder, fail_on, form, out)
            return
        summary = write_report(folder)
        if form == "text":
            output.show(summary, folder)
        else:
            _write(summary, thresholds, form, out)
    except ReportError as error:
        raise PlanError(str(error)) from None
    if is_broken(summary, thresholds, output.beside() if form == "text" else PlainConsole(quiet=True)):
        raise typer.Exit(FAILED)


def _write(summary: Summary, thresholds: Sequence[Threshold], form: str, out: Path | None) -> None:
    own = thresholds or thresholds_of(summary.manifest.plan.get("fail_on", ()))
    _tell(FORMATS[form](summary, own), out)


def _tell(text: str, out: Path | None) -> None:
    if out is None:
        print_text(text)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PlanError(f"cannot write {out}: {error.strerror or error}; pass --out with a file that can be") from None


def _show_capacity(folder: Path, fail_on: list[str] | None, form: str, out: Path | None) -> None:
    if form not in ("text", "json"):
        raise PlanError(f"{folder} is a capacity run, which is told as text and json only; leave out --format {form}")
    if fail_on:
        raise PlanError(f"{folder} is a capacity run, in which every search breaks its level; leave out --fail-on")
    answers = write_capacity_report(folder)
    if form == "json":
        _tell((folder / SUMMARY).read_text(encoding="utf-8"), out)
    else:
        print_answers(answers, PlainConsole(), folder)
