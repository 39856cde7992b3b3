"""`bench`: runs a plan and shows what came of it."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from loadtest.bench.campaign import Watcher, run_campaign
from loadtest.bench.choices import Choices, choices_of, values_in
from loadtest.bench.examining import examined
from loadtest.bench.expected_time import left_s
from loadtest.bench.fitting import fitted
from loadtest.bench.like import plan_like
from loadtest.bench.plan import Plan, PlanError
from loadtest.bench.profiles import PROFILES, make_plan
from loadtest.bench.run_folder import RunFolder
from loadtest.bench.watchers import Watchers
from loadtest.brokers import BROKERS
from loadtest.cli.app_options import resumed_target, target_of, with_app_options
from loadtest.cli.broker_options import with_broker_options
from loadtest.cli.described import described
from loadtest.cli.exit_codes import ENVIRONMENT_FAILED, FAILED, INTERRUPTED, NOT_VALID
from loadtest.cli.live_metrics import MetricsPort, served_metrics
from loadtest.cli.new_run import new_run
from loadtest.cli.output import AsJson, Output, Quiet, Verbose
from loadtest.cli.plan_options import signature_of
from loadtest.cli.progress import ShownProgress
from loadtest.cli.run_argument import RESULTS, run_named
from loadtest.cli.thresholds import is_broken, print_thresholds, thresholds_of
from loadtest.figures.words import counted
from loadtest.outages import OUTAGES
from loadtest.report import write_report
from loadtest.report.console import PlainConsole
from loadtest.report.errors import ReportError
from loadtest.report.manifest import MANIFEST, read_manifest
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.lock import only_bench
from loadtest.targets import Target


def bench(
    plan: Annotated[Path | None, typer.Option(help="TOML file of these options; those given here win")] = None,
    out: Annotated[Path | None, typer.Option(help="folder that gets the run's folder; results where left out")] = None,
    like: Annotated[Path | None, typer.Option(help="take the plan of this run (or latest); options win")] = None,
    resume: Annotated[Path | None, typer.Option(help="go on with the run in this folder")] = None,
    metrics_port: MetricsPort = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
    *,
    app: Mapping[str, Any],
    addresses: Mapping[str, str],
    **given: Any,
) -> None:
    """Compare consumers across channel layers: throughput, latency, and what became of dropped connections.

    Of the reference app that comes with the tool; with --app and --path of your own; with --target of one elsewhere.
    """
    output = Output(verbose=verbose, quiet=quiet, as_json=as_json)
    if resume:
        _refuse_changes({**given, "plan": plan, "like": like, "out": out})
        target = resumed_target(_target_of(resume), app)
        found = _resumed(resume, target)  # a bad folder is told at once; it is read anew below, under the lock
        _refuse_outage_of_own_broker(found.plan, addresses)
        with only_bench(), served_metrics(metrics_port, found.plan, output.beside()) as metrics:
            _carry_out(_resumed(resume, target), target, addresses, output, metrics)
    else:
        if "command" in app and given["servers"]:
            raise PlanError("--command starts the server itself; leave --servers out")
        if "broker" in app and addresses:
            own = ", ".join(f"--{BROKERS[name].option}" for name in addresses)
            raise PlanError(f"--broker private is a broker of our own, and {own} one of yours; give one of them")
        target = target_of(app)
        choices = choices_of(target.offer)
        if like is None:
            made = make_plan(given, plan, choices=choices)
        else:
            made = _like(like, plan, given, choices, is_own_app=bool(app))
        new_plan = fitted(made, target.offer, examined(made))
        _refuse_outage_of_own_broker(new_plan, addresses)
        for note in new_plan.notes:
            PlainConsole(stderr=True, soft_wrap=True).print(f"Note: {note}", style="yellow")
        # both before there is a folder: a bench that is refused leaves nothing
        with only_bench(), served_metrics(metrics_port, new_plan, output.beside()) as metrics:
            create = partial(RunFolder.create, target=target.offer.origin)
            values = values_in(choices, new_plan.chosen, new_plan.locustfile)
            _carry_out(new_run(create, out or RESULTS, new_plan, values), target, addresses, output, metrics)


bench.__signature__ = signature_of(bench, Plan.model_fields, PROFILES)  # type: ignore[attr-defined]
bench_command = with_broker_options(with_app_options(bench))
"""The command with its options: those of the plan, its own, those of an app of the user's own and of the brokers."""


def _carry_out(
    run: RunFolder, target: Target, addresses: Mapping[str, str], output: Output, metrics: Iterable[Watcher]
) -> None:
    """Run the campaign, show its report whatever comes, and end with the exit code of what came."""
    console = output.beside()
    interrupted = False
    console.print(f"{counted(len(run.left), 'trial')}, about {counted(round(left_s(run) / 60), 'minute')}")
    thresholds = thresholds_of(run.plan.fail_on)
    print_thresholds(thresholds, console)
    try:
        with ShownProgress(console) as progress:
            run_campaign(run, target, addresses=addresses, watcher=Watchers(progress, *metrics))
    except KeyboardInterrupt:
        interrupted = True
    except (EnvironmentFailed, ReportError, OSError) as error:
        _show_what_there_is(run, output)
        raise EnvironmentFailed(_with_what_to_do(error, run)) from error
    summary = write_report(run.folder)
    output.show(summary, run.folder)
    broken = is_broken(summary, thresholds, console)
    if interrupted:
        console.print(f"Interrupted; to go on: {_resuming(run)}", soft_wrap=True)
    if code := exit_code(run, interrupted=interrupted, broken=broken):
        raise typer.Exit(code)


def _show_what_there_is(run: RunFolder, output: Output) -> None:
    """Report what was measured before something failed; where that cannot be written either, the first error counts."""
    with suppress(ReportError, OSError):
        output.show(write_report(run.folder), run.folder)


def _with_what_to_do(error: Exception, run: RunFolder) -> str:
    if not (run.folder / MANIFEST).is_file():
        return f"{run.folder} was removed while the bench ran, and with it what was measured; run the bench again"
    return f"{described(error)}; to go on, when that is mended: {_resuming(run)}"


def _resuming(run: RunFolder) -> str:
    return f"channels-loadtest bench --resume {run.folder}"


def exit_code(run: RunFolder, *, interrupted: bool, broken: bool) -> int:
    """Return the code of what weighs most: figures that are missing, or of the rig, keep and break no threshold."""
    if interrupted:
        return INTERRUPTED
    if run.failed:
        return ENVIRONMENT_FAILED
    if run.has_cell_without_valid_trial:
        return NOT_VALID
    return FAILED if broken else 0


def _like(run: Path, plan: Path | None, given: Mapping[str, Any], choices: Choices, *, is_own_app: bool) -> Plan:
    """Return the plan of a run with the options given; PlanError where it cannot be repeated here."""
    beside = [name for name, value in (("--plan", plan), ("--profile", given.get("profile"))) if value is not None]
    if beside:
        raise PlanError(f"--like takes the whole plan of a run; leave out {', '.join(beside)}")
    try:
        earlier = read_manifest(run_named(run))
        if earlier.target and not is_own_app:
            raise PlanError(f"--like {run}: that run was of {_named(earlier.target)}")
        return plan_like(earlier, given, choices=choices)
    except ReportError as error:
        raise PlanError(f"--like {run}: {error}") from None


def _named(target: Mapping[str, Any]) -> str:
    if "app" in target:
        return f"{target['app']}; name it with --app and --path"
    return f"{target['target']}; name it with --target"


def _refuse_changes(given: Mapping[str, object]) -> None:
    changed = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None]
    if changed:
        raise PlanError(f"--resume goes on with the run's own plan; leave out {', '.join(changed)}")


def _refuse_outage_of_own_broker(plan: Plan, addresses: Mapping[str, str]) -> None:
    asked = [name for name in plan.drops if name in OUTAGES and OUTAGES[name].of == "broker"]
    own = [f"--{BROKERS[name].option}" for name in addresses]
    if own and asked:
        raise PlanError(f"{', '.join(asked)} stops a private broker only; leave it or {', '.join(own)} out")


def _target_of(run: Path) -> Mapping[str, Any]:
    """Return what a run measured."""
    try:
        return read_manifest(run).target
    except ReportError as error:
        raise PlanError(f"--resume {run}: {error}") from None


def _resumed(folder: Path, target: Target) -> RunFolder:
    try:
        return RunFolder.resume(folder, choices_of(target.offer))
    except ReportError as error:
        raise PlanError(f"--resume {folder}: {error}") from None
