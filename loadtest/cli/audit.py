"""`audit`: the checks of a bench on ledgers that somebody recorded without one."""

from pathlib import Path
from typing import Annotated

import typer

from loadtest.audit import Audited, AuditError, Told, audited, write_run
from loadtest.audit.folder import manifest_of
from loadtest.bench.plan import PlanError
from loadtest.bench.scenarios import SCENARIOS
from loadtest.checks.records import Reaches
from loadtest.cli.exit_codes import NOT_VALID
from loadtest.cli.new_run import typed_command
from loadtest.cli.output import AsJson, Output, Quiet, Verbose
from loadtest.report import write_report
from loadtest.report.console import PlainConsole
from loadtest.report.summary import summarise
from loadtest.stack.errors import EnvironmentFailed

_TOLD = Told()


def audit(
    client_ledger: Annotated[Path, typer.Argument(help="the folder that locust was given by --ledger")],
    server_ledger: Annotated[Path, typer.Argument(help="the folder that LOADTEST_LEDGER named for the server")],
    scenario: Annotated[
        str, typer.Option(help="what the users did; `channels-loadtest scenarios` lists them; echo: each alone")
    ] = _TOLD.scenario,
    reaches: Annotated[
        Reaches, typer.Option(help="who gets what a user says: everyone in its room, others but itself, or nobody")
    ] = _TOLD.reaches,
    allow_contention: Annotated[
        bool, typer.Option("--allow-contention", help="count the test also where other processes disturbed it")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="folder that gets a run's folder; none is written without")] = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Audit ledgers that were recorded by locust and a server that you started yourself."""
    output = Output(verbose=verbose, quiet=quiet, as_json=as_json)
    if scenario not in SCENARIOS:
        raise PlanError(f"--scenario: there is no {scenario!r}; there are {', '.join(SCENARIOS)}")
    told = Told(scenario=scenario, reaches=reaches, allow_contention=allow_contention)
    try:
        found = audited(client_ledger, server_ledger, told)
    except AuditError as error:
        raise PlanError(str(error)) from None
    _say(found)
    _show(found, out, output)
    if found.invalid:
        raise typer.Exit(NOT_VALID)


def _say(found: Audited) -> None:
    """Say what whoever reads the tables has to know first."""
    console = PlainConsole(stderr=True, soft_wrap=True)
    for note in found.notes:
        console.print(f"Note: {note}", style="yellow")
    for why in found.invalid:
        console.print(f"not valid: {why}", style="yellow")


def _show(found: Audited, out: Path | None, output: Output) -> None:
    if out is None:
        output.show(summarise(found.tables, manifest_of(found, command=typed_command())), None)
        return
    try:
        run = write_run(found, out, command=typed_command())
    except OSError as error:
        raise EnvironmentFailed(
            f"cannot make the run's folder in {out}: {error.strerror}; pass --out with a folder that can be written"
        ) from error
    output.show(write_report(run), run)
