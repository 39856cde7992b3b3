"""`compare`: one run beside another, from their folders alone."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from loadtest.bench.plan import PlanError
from loadtest.cli.exit_codes import FAILED
from loadtest.cli.run_argument import run_named
from loadtest.report.compare import Run, compare_runs, obstacles_between, read_run, warnings_of
from loadtest.report.compare.formats import FORMATS, Told
from loadtest.report.compare.terminal import print_comparison
from loadtest.report.compare.words import sentence
from loadtest.report.console import PlainConsole
from loadtest.report.errors import ReportError


def compare(
    one: Annotated[Path, typer.Argument(metavar="A", help="folder of the first run, or latest")],
    other: Annotated[Path, typer.Argument(metavar="B", help="folder of the second run, or latest; figures are B/A")],
    form: Annotated[
        Literal["text", "md", "junit", "json"],
        typer.Option("--format", help="a table, Markdown, JUnit XML with a test case a cell and figure, or JSON"),
    ] = "text",
    out: Annotated[Path | None, typer.Option(help="write it into this file, and print one sentence")] = None,
    force: Annotated[bool, typer.Option("--force", help="compare runs of different loads all the same")] = False,
) -> None:
    """Compare two runs, cell by cell: what differs by more than noise. Exit code 1 where something does."""
    runs = _read(one), _read(other)
    obstacles = _obstacles(*runs, force=force)
    told = Told(compared=compare_runs(*runs), warnings=[*obstacles, *warnings_of(*runs)])
    if out is None:
        _print(told, form)
    else:
        _write(told, form, out)
    if told.compared.differing:
        raise typer.Exit(FAILED)


def _read(name: Path) -> Run:
    try:
        return read_run(run_named(name))
    except ReportError as error:
        raise PlanError(str(error)) from None


def _obstacles(one: Run, other: Run, *, force: bool) -> list[str]:
    """Return what makes the comparison doubtful and was allowed; PlanError for what was not."""
    if not one.by_key.keys() & other.by_key.keys():
        raise PlanError(f"{one.folder} and {other.folder} have no cell in common: there is nothing to compare")
    obstacles = obstacles_between(one, other)
    if obstacles and not force:
        told = "\n".join(["these runs did not measure the same, so comparing them says nothing:", *obstacles])
        raise PlanError(f"{told}\n--force compares them all the same")
    return obstacles


def _print(told: Told, form: str) -> None:
    if form == "text":
        print_comparison(told, PlainConsole())
    else:
        PlainConsole(soft_wrap=True).print(FORMATS[form](told), end="")


def _write(told: Told, form: str, out: Path) -> None:
    try:
        if form == "text":
            with out.open("w", encoding="utf-8") as file:
                print_comparison(told, PlainConsole(file=file))
        else:
            out.write_text(FORMATS[form](told), encoding="utf-8")
    except OSError as error:
        raise PlanError(f"cannot write {out}: {error.strerror or error}; pass --out with a file that can be") from None
    PlainConsole(soft_wrap=True).print(f"{sentence(told.compared)} {out} has the whole.")
