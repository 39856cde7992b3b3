"""`capacity`: searches for the highest load that keeps a service level, and shows what was found."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from loadtest.bench.choices import choices_of, values_in
from loadtest.bench.examining import examined
from loadtest.bench.fitting import for_own_routes
from loadtest.capacity.expected_time import expected_s
from loadtest.capacity.folder import CapacityFolder
from loadtest.capacity.plan import OF_NO_CAPACITY, CapacityPlan, make_capacity_plan
from loadtest.capacity.run import run_capacity
from loadtest.cli.broker_options import with_broker_options
from loadtest.cli.capacity_progress import ShownSearches
from loadtest.cli.exit_codes import ENVIRONMENT_FAILED, INTERRUPTED, NOT_VALID
from loadtest.cli.new_run import new_run
from loadtest.cli.output import AsJson, Output, Quiet, print_text
from loadtest.cli.plan_options import signature_of
from loadtest.dimensions import Value
from loadtest.figures.values import Values
from loadtest.figures.words import counted
from loadtest.report.capacity import CapacityAnswers, print_answers, write_capacity_report
from loadtest.report.console import PlainConsole
from loadtest.report.errors import ReportError
from loadtest.report.summary_json import SUMMARY
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.lock import only_bench
from loadtest.targets.reference import ReferenceApp


def capacity(
    out: Annotated[Path, typer.Option(help="folder that gets the run's folder")] = Path("results"),
    quiet: Quiet = False,
    as_json: AsJson = False,
    *,
    addresses: Mapping[str, str],
    **given: Any,
) -> None:
    """Find the highest rate, or number of connections, that keeps a service level, and what gives way first."""
    target = ReferenceApp(database_url=os.environ.get("DATABASE_URL"))
    choices = choices_of(target.offer)
    plan = for_own_routes(make_capacity_plan(given, choices=choices), target.offer)
    for note in plan.notes:
        PlainConsole(stderr=True, soft_wrap=True).print(f"Note: {note}", style="yellow")
    examined(plan)
    values = values_in(choices, plan.chosen, plan.locustfile)
    with only_bench():  # before there is a folder: a run that is refused leaves nothing
        output = Output(quiet=quiet, as_json=as_json)
        _carry_out(new_run(CapacityFolder.create, out, plan, values), target, addresses, values, output)


capacity.__signature__ = signature_of(  # type: ignore[attr-defined]
    capacity, {name: field for name, field in CapacityPlan.model_fields.items() if name not in OF_NO_CAPACITY}, {}
)
capacity_command = with_broker_options(capacity)
"""The command with its options: those of the plan, its own, and those of the brokers."""


def _carry_out(
    run: CapacityFolder,
    target: ReferenceApp,
    addresses: Mapping[str, str],
    values: Mapping[str, tuple[Value, ...]],
    output: Output,
) -> None:
    """Run the searches, show the report whatever comes, and end with the exit code of what came."""
    console, plan = output.beside(), run.plan
    searches = counted(len(plan.cells()) * plan.searches, "search", "searches")
    console.print(f"{searches}, about {counted(max(1, round(expected_s(plan) / 60)), 'minute')}")
    watcher, interrupted = ShownSearches(console, plan.of), False
    try:
        run_capacity(run, target, addresses=addresses, values=Values(values), watcher=watcher)
    except KeyboardInterrupt:
        interrupted = True
    except (EnvironmentFailed, ReportError, OSError):
        with suppress(ReportError, OSError):  # the first error counts
            _show(run, output)
        raise
    answers = _show(run, output)
    if code := exit_code(answers, interrupted=interrupted, failed=run.has_failed_step):
        raise typer.Exit(code)


def _show(run: CapacityFolder, output: Output) -> CapacityAnswers:
    answers = write_capacity_report(run.folder)
    if output.as_json:
        print_text((run.folder / SUMMARY).read_text(encoding="utf-8"))
    else:
        print_answers(answers, PlainConsole(), run.folder)
    return answers


def exit_code(answers: CapacityAnswers, *, interrupted: bool, failed: bool) -> int:
    """Return the code of what weighs most; "at least" and "below" are answers, "not known" is none."""
    if interrupted:
        return INTERRUPTED
    if all(cell.kind != "not known" for cell in answers.cells):
        return 0
    return ENVIRONMENT_FAILED if failed else NOT_VALID
