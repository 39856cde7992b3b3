"""`bench`: runs a plan and shows what came of it."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from loadtest.bench.campaign import run_campaign
from loadtest.bench.choices import choices_of, values_in
from loadtest.bench.plan import Plan, PlanError, make_plan
from loadtest.bench.run_folder import RunFolder
from loadtest.cli.broker_options import redacted, with_broker_options
from loadtest.cli.exit_codes import ENVIRONMENT_FAILED, INTERRUPTED, NOT_VALID
from loadtest.cli.progress import ShownProgress
from loadtest.dimensions import Value
from loadtest.report import print_report, write_report
from loadtest.report.errors import ReportError
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.lock import only_bench
from loadtest.targets import Target
from loadtest.targets.reference import ReferenceApp


@with_broker_options
def bench(
    profile: Annotated[
        str | None, typer.Option(help="quick (the whole matrix within eight minutes), standard or full")
    ] = None,
    consumers: Annotated[str | None, typer.Option(help="by comma; `channels-loadtest consumers` lists them")] = None,
    servers: Annotated[str | None, typer.Option(help="by comma; `channels-loadtest servers` lists them")] = None,
    layers: Annotated[str | None, typer.Option(help="by comma; `channels-loadtest layers` lists them")] = None,
    scenarios: Annotated[str | None, typer.Option(help="by comma; `channels-loadtest scenarios` lists them")] = None,
    drops: Annotated[str | None, typer.Option(help="by comma, or all; `channels-loadtest drops` lists them")] = None,
    users: Annotated[int | None, typer.Option(help="in every trial; default: the scenario's own")] = None,
    rate: Annotated[float | None, typer.Option(help="messages a second and sender, 0: as fast as answers come")] = None,
    duration: Annotated[float | None, typer.Option(help="seconds that count in each trial")] = None,
    trials: Annotated[int | None, typer.Option(help="of each cell")] = None,
    seed: Annotated[int | None, typer.Option(help="of the order of trials and every random choice")] = None,
    work: Annotated[str | None, typer.Option(help="of the handlers: none, sleep:MS, cpu:MS or orm")] = None,
    server_ping: Annotated[
        str | None,
        typer.Option(help="INTERVAL/TIMEOUT of the server in s, as 20/20; quick sets 1/1 for silent drops"),
    ] = None,
    port: Annotated[int | None, typer.Option(help="of the target; 0 picks a free one")] = None,
    plan: Annotated[Path | None, typer.Option(help="TOML file with the same keys and more; options win")] = None,
    out: Annotated[Path, typer.Option(help="folder that gets the run's folder")] = Path("results"),
    resume: Annotated[Path | None, typer.Option(help="go on with this run's folder")] = None,
    *,
    addresses: Mapping[str, str],
) -> None:
    """Compare consumers across channel layers: throughput, latency, and what became of dropped connections."""
    given = {
        "profile": profile, "servers": servers, "consumers": consumers, "layers": layers,
        "scenarios": scenarios, "drops": drops, "users": users, "rate": rate, "duration": duration,
        "trials": trials, "seed": seed, "work": work,
        "server_ping": server_ping, "port": port,
    }  # fmt: skip
    target = ReferenceApp(database_url=os.environ.get("DATABASE_URL"))
    if resume:
        _refuse_changes({**given, "plan": plan})
        _resumed(resume, target)  # what is no run is told at once; it is read anew when nobody else can be writing it
        with only_bench():
            _carry_out(_resumed(resume, target), target, addresses)
    else:
        choices = choices_of(target)
        new_plan = make_plan(given, plan, choices=choices)
        for note in new_plan.notes:
            Console(stderr=True, highlight=False, soft_wrap=True).print(f"Note: {note}", style="yellow", markup=False)
        with only_bench():  # before there is a folder: a bench that is refused leaves nothing
            _carry_out(_created(out, new_plan, values_in(choices, new_plan.chosen)), target, addresses)


def _carry_out(run: RunFolder, target: Target, addresses: Mapping[str, str]) -> None:
    """Run the campaign, show its report whatever comes, and end with the exit code of what came."""
    console = Console(highlight=False)
    interrupted = False
    try:
        with ShownProgress(console) as progress:
            run_campaign(run, target, addresses=addresses, watcher=progress)
    except KeyboardInterrupt:
        interrupted = True
    finally:  # also when something failed: what was measured is there to be read
        print_report(write_report(run.folder), console, run.folder)
    if interrupted:
        console.print(f"Interrupted; to go on: channels-loadtest bench --resume {run.folder}", soft_wrap=True)
        raise typer.Exit(INTERRUPTED)
    if run.failed:
        raise typer.Exit(ENVIRONMENT_FAILED)
    if run.has_cell_without_valid_trial:
        raise typer.Exit(NOT_VALID)


def _created(out: Path, plan: Plan, values: Mapping[str, tuple[Value, ...]]) -> RunFolder:
    command = shlex.join(["channels-loadtest", *map(redacted, sys.argv[1:])])
    try:
        return RunFolder.create(out, plan, command=command, values=values)
    except OSError as error:
        raise EnvironmentFailed(
            f"cannot make the run's folder in {out}: {error.strerror}; pass --out with a folder that can be written"
        ) from error


def _refuse_changes(given: Mapping[str, object]) -> None:
    changed = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None]
    if changed:
        raise PlanError(f"--resume goes on with the run's own plan; leave out {', '.join(changed)}")


def _resumed(folder: Path, target: Target) -> RunFolder:
    try:
        return RunFolder.resume(folder, choices_of(target))
    except ReportError as error:
        raise PlanError(f"--resume {folder}: {error}") from None
