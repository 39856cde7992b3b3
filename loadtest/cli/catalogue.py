"""`drops`, `layers`, `scenarios`, `consumers`: what there is, one line each."""

import json
from collections.abc import Callable
from typing import Annotated

import typer

from loadtest.bench.scenarios import SCENARIOS
from loadtest.drops import DROPS
from loadtest.outages import OUTAGES
from loadtest.stack.layers import LAYERS
from target_app.consumers import CONSUMERS

Row = dict[str, object]


def _drops() -> list[Row]:
    return [
        {
            "name": drop.name,
            "form": drop.form,
            "summary": drop.wire,
            "default": drop.default,
            "silent": drop.silent,
            "privileged": drop.privileged,
            "unavailable": drop.unavailable(),
        }
        for drop in DROPS.values()
    ]


def _outages() -> list[Row]:
    return [
        {
            "name": outage.name,
            "form": outage.name,
            "summary": outage.summary,
            "default": False,
            "silent": False,
            "privileged": False,
            "unavailable": outage.unavailable(),
        }
        for outage in OUTAGES.values()
    ]


def _layers() -> list[Row]:
    return [
        {
            "name": layer.name,
            "summary": layer.summary,
            "default": layer.default,
            "backend": layer.backend,
            "at_capacity": layer.at_capacity,
        }
        for layer in LAYERS.values()
    ]


def _scenarios() -> list[Row]:
    return [
        {
            "name": scenario.name,
            "summary": scenario.summary,
            "users": scenario.users,
            "rate": scenario.rate,
            "room_size": scenario.room_size,
            "duration": scenario.duration,
            "drops": scenario.drops,
            "default": scenario.default,
        }
        for scenario in SCENARIOS.values()
    ]


def _consumers() -> list[Row]:
    return [{"name": consumer.name, "summary": consumer.summary, "default": consumer.default} for consumer in CONSUMERS]


def add_to(app: typer.Typer) -> None:
    """Add one command for each kind of thing there is."""
    for name, meaning, rows in (
        ("drops", "List the ways to end a connection.", lambda: [*_drops(), *_outages()]),
        ("layers", "List the channel layers.", _layers),
        ("scenarios", "List the scenarios.", _scenarios),
        ("consumers", "List the consumers of the reference app.", _consumers),
    ):
        app.command(name, help=meaning)(_lister(rows))


def _lister(rows: Callable[[], list[Row]]) -> Callable[[bool], None]:
    def show(as_json: Annotated[bool, typer.Option("--json", help="all there is to know, as JSON")] = False) -> None:
        if as_json:
            typer.echo(json.dumps(rows(), indent=2))
            return
        width = max(len(str(row.get("form", row["name"]))) for row in rows())
        for row in rows():
            typer.echo(f"{row.get('form', row['name']):<{width}}  {row['summary']}{_remark(row)}")

    return show


def _remark(row: Row) -> str:
    if why := row.get("unavailable"):
        return f" (NOT HERE: {why})"
    return "" if row.get("default", True) else " (outside the default plan)"
