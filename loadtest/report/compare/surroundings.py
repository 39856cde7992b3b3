"""In what two runs differ besides what is compared, and whether that makes comparing them meaningless."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from loadtest.checks.throughput.table import DURATION_S, USERS
from loadtest.dimensions import DIMENSIONS, CellKey
from loadtest.figures.cell import Cell
from loadtest.figures.words import Namer, counted, number
from loadtest.report.compare.run import Run
from loadtest.report.manifest import Manifest

OF_THE_LOAD: Final = (
    "rate", "room_size", "payload_size", "work", "blocker_work", "arrivals", "load_of",
    "message", "message_form", "join", "expect", "ack", "reaches",
)  # fmt: skip
"""Keys of a plan that say what each user does: with another value of one, another thing was measured."""

OF_NO_FIGURE: Final = frozenset({"profile", "trials", "twins", "seed", "port", "fail_on", "users", "duration"})
"""Keys of a plan that change no figure, or that the tables tell better: `users` and `duration` of each cell."""

LOCUSTFILE: Final = "locustfile"
"""The key of a plan that says what users do in code of a user's own."""

SAME_RATE: Final = 0.05
"""A calibration finds a capacity to some percent."""

SAME_DURATION: Final = 0.1
"""Steady windows of one plan are within a few percent of each other."""


def obstacles_between(one: Run, other: Run) -> list[str]:
    """What makes a comparison meaningless: loads that differ; empty where nothing does."""
    return [*_plan_differences(one, other, OF_THE_LOAD), *_file_differences(one, other), *_cell_differences(one, other)]


def warnings_of(one: Run, other: Run) -> list[str]:
    """What else differs between two runs, and what is not as it should be in one of them."""
    chosen = {dimension.plural for dimension in DIMENSIONS}
    keys = sorted(one.manifest.plan.keys() | other.manifest.plan.keys())
    rest = [key for key in keys if key not in {*OF_THE_LOAD, *OF_NO_FIGURE, *chosen, LOCUSTFILE}]
    first, second = one.manifest, other.manifest
    return [
        *what_differs("machine", first.machine, second.machine),
        *what_differs("machine", _pinned(first), _pinned(second)),
        *what_differs("version", {**first.versions, **first.identity}, {**second.versions, **second.identity}),
        *_plan_differences(one, other, rest),
        *_rate_differences(one, other),
        *_alone(one, other),
        *_alone(other, one),
        *(f"{run.folder}: {said}" for run in (one, other) if (said := _left_out(run))),
        *(f"{run.folder} is {run.manifest.state}: trials are missing" for run in (one, other) if _is_cut_short(run)),
    ]


def _pinned(manifest: Manifest) -> dict[str, str]:
    """Whether the CPUs were divided: without that server and load take each other's."""
    return {"pinned": "yes" if manifest.pinning else "no"}


def what_differs(what: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Say which values two mappings do not share; a key that one of them does not have is not told of."""
    shared = [name for name in one if name in other]
    return [
        f"{what} {name}: {_said(one[name])} and {_said(other[name])}" for name in shared if one[name] != other[name]
    ]


def _rate_differences(one: Run, other: Run) -> list[str]:
    """Rates at relative loads, of which each run found what they are a share of."""
    rates = [{told.cell: told.rate for told in run.manifest.rates} for run in (one, other)]
    namer = Namer([*one.by_key, *other.by_key])
    return [
        f"{namer.name(key)}: {number(rate)} and {number(rates[1][key])} messages/s a sender"
        for key, rate in rates[0].items()
        if key in rates[1] and abs(rates[1][key] / rate - 1) > SAME_RATE
    ]


def _alone(run: Run, beside: Run) -> list[str]:
    keys = [key for key in run.by_key if key not in beside.by_key]
    namer = Namer([*run.by_key, *beside.by_key])
    return [f"only in {run.folder}, so not compared: {_places(keys, namer)}"] if keys else []


def _plan_differences(one: Run, other: Run, keys: Sequence[str]) -> list[str]:
    plans = [{key: run.manifest.plan[key] for key in keys if key in run.manifest.plan} for run in (one, other)]
    return what_differs("plan", *plans)


def _file_differences(one: Run, other: Run) -> list[str]:
    """Locustfiles of a user's own that are not what they were, wherever they lie; of scenarios that both runs have."""
    first, second = (
        {file["name"]: file["sha256"] for file in run.manifest.plan.get(LOCUSTFILE, ())} for run in (one, other)
    )
    return [
        f"the locustfile of the scenario {name} was changed between the two"
        for name in first
        if name in second and first[name] != second[name]
    ]


def _cell_differences(one: Run, other: Run) -> list[str]:
    """Users and durations, of which the tables know those that were measured, also where a plan names none."""
    cells: dict[str, list[CellKey]] = {}
    for key in (key for key in one.by_key if key in other.by_key):
        for difference in _of_cell(one.by_key[key], other.by_key[key]):
            cells.setdefault(difference, []).append(key)
    namer = Namer([*one.by_key, *other.by_key])
    return [f"{difference} in {_places(keys, namer)}" for difference, keys in cells.items()]


def _of_cell(one: Cell, other: Cell) -> Iterator[str]:
    for column, tolerance in ((USERS, 0.0), (DURATION_S, SAME_DURATION)):
        first, second = one.median(column).median, other.median(column).median
        if first is not None and second is not None and abs(first - second) > tolerance * first:
            yield f"{column.name}: {number(first)} and {number(second)}"


def _places(keys: Sequence[CellKey], namer: Namer) -> str:
    more = f" and {counted(len(keys) - 1, 'more cell')}" if len(keys) > 1 else ""
    return f"{namer.name(keys[0])}{more}"


def _left_out(run: Run) -> str:
    """Say how many trials do not count; "" where all do."""
    count = len({(trouble.cell, trouble.trial) for trouble in run.manifest.invalid})
    return f"{counted(count, 'trial')} of {run.manifest.planned} not valid, left out" if count else ""


def _is_cut_short(run: Run) -> bool:
    return run.manifest.state != "finished" or run.manifest.done < run.manifest.planned


def _said(value: Any) -> str:
    if value is None:
        return "not given"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
