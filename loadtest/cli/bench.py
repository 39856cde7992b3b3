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
from loadtest.bench.plan import Plan, PlanError, make_plan
from loadtest.bench.run_folder import RunFolder
from loadtest.cli.exit_codes import ENVIRONMENT_FAILED, NOT_VALID
from loadtest.cli.progress import ShownProgress
from loadtest.report import print_report, write_report
from loadtest.report.errors import ReportError


def bench(
    profile: Annotated[
        str | None, typer.Option(help="quick (the whole matrix within eight minutes), standard or full")
    ] = None,
    consumers: Annotated[str | None, typer.Option(help="by comma; `channels-loadtest consumers` lists them")] = None,
    layers: Annotated[str | None, typer.Option(help="by comma; `channels-loadtest layers` lists them")] = None,
    scenarios: Annotated[str | None, typer.Option(help="by comma; `channels-loadtest scenarios` lists them")] = None,
    drops: Annotated[str | None, typer.Option(help="by comma; `channels-loadtest drops` lists them")] = None,
    users: Annotated[int | None, typer.Option(help="in every trial; default: the scenario's own")] = None,
    rate: Annotated[float | None, typer.Option(help="messages a second and sender, 0: as fast as answers come")] = None,
    duration: Annotated[float | None, typer.Option(help="seconds that count in each trial")] = None,
    trials: Annotated[int | None, typer.Option(help="of each cell")] = None,
    seed: Annotated[int | None, typer.Option(help="of the order of trials and every random choice")] = None,
    work: Annotated[str | None, typer.Option(help="of the handlers: none, sleep:MS, cpu:MS or orm")] = None,
    port: Annotated[int | None, typer.Option(help="of the target; 0 picks a free one")] = None,
    plan: Annotated[Path | None, typer.Option(help="TOML file with the same keys and more; options win")] = None,
    out: Annotated[Path, typer.Option(help="folder that gets the run's folder")] = Path("results"),
    resume: Annotated[Path | None, typer.Option(help="go on with this run's folder")] = None,
    redis_url: Annotated[
        str | None,
        typer.Option(envvar="LOADTEST_REDIS_URL", help="use this Redis, under a key prefix of our own"),
    ] = None,
) -> None:
    """Compare consumers across channel layers: throughput, latency, and what became of dropped connections."""
    given = {
        "profile": profile, "consumers": consumers, "layers": layers, "scenarios": scenarios, "drops": drops,
        "users": users, "rate": rate, "duration": duration, "trials": trials, "seed": seed, "work": work, "port": port,
    }  # fmt: skip
    run = _resumed(resume, given, plan) if resume else _created(out, make_plan(given, plan))
    console = Console(highlight=False)
    try:
        with ShownProgress(console) as progress:
            run_campaign(run, redis_url=redis_url, database_url=os.environ.get("DATABASE_URL"), watcher=progress)
    finally:  # also when something failed or Ctrl-C came: what was measured is there to be read
        print_report(write_report(run.folder), console, run.folder)
    if run.failed:
        raise typer.Exit(ENVIRONMENT_FAILED)
    if run.has_cell_without_valid_trial:
        raise typer.Exit(NOT_VALID)


def _created(out: Path, plan: Plan) -> RunFolder:
    return RunFolder.create(out, plan, command=shlex.join(["channels-loadtest", *sys.argv[1:]]))


def _resumed(folder: Path, given: Mapping[str, object], plan: Path | None) -> RunFolder:
    changed = [f"--{name}" for name, value in {**given, "plan": plan}.items() if value is not None]
    if changed:
        raise PlanError(f"--resume goes on with the run's own plan; leave out {', '.join(changed)}")
    try:
        return RunFolder.resume(folder)
    except ReportError as error:
        raise PlanError(f"--resume {folder}: {error}") from None
