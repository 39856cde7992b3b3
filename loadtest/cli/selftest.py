"""`selftest`: audits the auditor, on planted defects, on this machine."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.console import Console

from loadtest.bench.plan import PlanError
from loadtest.cli.broker_options import with_broker_options
from loadtest.cli.exit_codes import FAILED
from loadtest.layers import LAYERS
from loadtest.report.console import PlainConsole
from loadtest.selftest import Case, Outcome, choose_cases, run_cases
from loadtest.selftest.cases import CONTROLS, names_meant
from loadtest.stack.folders import short_folder
from loadtest.stack.lock import only_bench
from target_app.planted import PLANTED, find_planted

_STYLES = {"found": "green", "clean": "green"}
_BAD_STYLE = "red"


@with_broker_options
def selftest(
    layers: Annotated[
        str | None, typer.Option(help="comma-separated: everything on each of these; default: each on one, in turn")
    ] = None,
    only: Annotated[
        str, typer.Option(help="comma-separated: defects, or consumers such as lost-sync; default: all")
    ] = "",
    show: Annotated[bool, typer.Option("--list", help="list what is planted and what must be found")] = False,
    *,
    addresses: Mapping[str, str],
) -> None:
    """Plant defects in consumers and see whether the audit finds each of them, and nothing where there is none."""
    console = PlainConsole(soft_wrap=True)
    if show:
        _list(console)
        return
    cases = _chosen(layers, only)
    outcomes: list[Outcome] = []
    with only_bench(), short_folder() as folder:
        for outcome in run_cases(cases, folder, addresses=addresses):
            outcomes.append(outcome)
            _print(outcome, console)
    counts = Counter(outcome.verdict for outcome in outcomes)
    console.print(", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()))
    if not all(outcome.is_good for outcome in outcomes):
        raise typer.Exit(FAILED)


def _chosen(layers: str | None, only: str) -> list[Case]:
    names = None if layers is None else _split(layers)
    problems = [f"unknown layer {name!r}; there are {', '.join(LAYERS)}" for name in names or () if name not in LAYERS]
    for name in _split(only):
        try:
            names_meant(name)
        except KeyError:
            known = [*(row.name for row in PLANTED), *CONTROLS, "bare-layer"]
            problems.append(f"nothing is planted under the name {name!r}; there are {', '.join(known)}")
    if problems:
        raise PlanError("\n".join(problems))
    return choose_cases(layers=names, only=_split(only))


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",") if name.strip())


def _print(outcome: Outcome, console: Console) -> None:
    case = outcome.case
    console.print(f"{outcome.verdict:<11}", style=_STYLES.get(outcome.verdict, _BAD_STYLE), end=" ")
    console.print(f"{case.consumer:<23} {case.layer:<13} {'; '.join(outcome.says)}")
    found = find_planted(case.consumer)
    if not outcome.is_good and found is not None:
        console.print(f"{'':<11} planted: {found[0].defect}; to be found: {found[0].finds}")


def _list(console: Console) -> None:
    for row in PLANTED:
        console.print(f"{row.name:<18} {', '.join(row.kinds):<12} {row.defect}; finds: {row.finds}")
