"""`like`: the plan of an earlier run, to be carried out again here."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from loadtest.bench.choices import Choices
from loadtest.bench.plan import Plan, PlanError
from loadtest.bench.profiles import make_plan
from loadtest.dimensions import DIMENSIONS
from loadtest.load import by_comma, flag_of
from loadtest.report.compare.surroundings import OF_NO_FIGURE, what_differs
from loadtest.report.manifest import Manifest
from loadtest.stack.machine import machine, versions

_OLDER_TALK: Final = {
    "message": "", "message_form": "text", "join": (), "expect": "", "ack": "", "reaches": "everyone", "locustfile": (),
}  # fmt: skip
"""What users said before a plan could say it."""


def plan_like(manifest: Manifest, given: Mapping[str, Any], *, choices: Choices) -> Plan:
    """Return the plan of a run, changed by what was given; its notes say where this machine is another one.

    A key that the run is older than has what every run had then where that is known: the default of a dimension.
    PlanError names all that keeps the run from being repeated here.
    """
    asked = {key: value for key, value in given.items() if value is not None}
    was = _without_the_other_load({**_older_dimensions(), **_OLDER_TALK, **manifest.plan}, asked)
    was = _without_other_files(was, asked)
    problems = list(_not_said(manifest.plan.keys() | was.keys() | asked.keys()))
    try:
        plan = make_plan({**was, **asked}, choices=choices)
    except PlanError as error:
        problems.append(str(error))
    if problems:
        raise PlanError("\n".join([f"{manifest.name} cannot be repeated here:", *problems]))
    return plan.noting(f"the plan is that of {manifest.name}", *_surroundings(manifest))


def _without_the_other_load(was: dict[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """An absolute rate that is asked for takes the place of the run's relative loads, and they that of its rate."""
    other = {"rate": "load", "load": "rate"}
    gone = {other[key] for key in other if key in asked and other[key] not in asked}
    return {key: value for key, value in was.items() if key not in gone}


def _without_other_files(was: dict[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Scenarios that are asked for take the place of the run's: of its locustfiles those stay that are named."""
    if "scenarios" not in asked or "locustfile" in asked:
        return was
    names = by_comma(asked["scenarios"])
    kept = [one for one in was["locustfile"] if isinstance(names, list | tuple) and one["name"] in names]
    return {**was, "locustfile": kept}


def _older_dimensions() -> dict[str, tuple[Any, ...]]:
    return {row.plural: (row.default,) for row in DIMENSIONS if row.plural in Plan.model_fields}


def _not_said(said: set[str]) -> Iterator[str]:
    for key in Plan.model_fields:
        if key not in said and key not in OF_NO_FIGURE:
            yield f"{key}: that run is older than this key and does not say what it had; give {flag_of(key)}"


def _surroundings(manifest: Manifest) -> list[str]:
    differing = [
        *what_differs("machine", manifest.machine, machine()),
        *what_differs("version", manifest.versions, versions()),
    ]
    return [f"not as in {manifest.name}: {difference} here" for difference in differing]
