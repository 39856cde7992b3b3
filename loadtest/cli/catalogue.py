"""`servers`, `layers`, `consumers`, `scenarios`, `drops`: what there is to choose from, one line each."""

import json
from collections.abc import Callable
from typing import Annotated

import typer

from loadtest.bench.choices import Choice, choices_of
from loadtest.cli.examples import epilog_of
from loadtest.report.console import PlainConsole
from loadtest.targets.reference import ReferenceApp

_MEANINGS = {
    "servers": "List the ASGI servers.",
    "layers": "List the channel layers.",
    "consumers": "List the consumers of the reference app.",
    "scenarios": "List the scenarios.",
    "drops": "List the ways to end a connection, and the outages.",
}


def add_to(app: typer.Typer) -> None:
    """Add one command for each kind of thing there is."""
    for name, meaning in _MEANINGS.items():
        app.command(name, help=meaning, epilog=epilog_of(name))(_lister(name))


def _lister(name: str) -> Callable[[bool], None]:
    def show(as_json: Annotated[bool, typer.Option("--json", help="all there is to know, as JSON")] = False) -> None:
        choices = choices_of(ReferenceApp().offer)[name]
        if as_json:
            PlainConsole(soft_wrap=True).print(json.dumps([_told(choice) for choice in choices], indent=2))
            return
        width = max(len(_form(choice)) for choice in choices)
        for choice in choices:
            PlainConsole(soft_wrap=True).print(f"{_form(choice):<{width}}  {choice.value.summary}{_remark(choice)}")

    return show


def _told(choice: Choice) -> dict[str, object]:
    return {
        "name": choice.name,
        "form": _form(choice),
        "summary": choice.value.summary,
        "default": choice.default,
        "unavailable": choice.unavailable,
        **choice.facts,
    }


def _form(choice: Choice) -> str:
    return choice.form or choice.name


def _remark(choice: Choice) -> str:
    if choice.unavailable:
        return f" (NOT HERE: {choice.unavailable})"
    return "" if choice.default else " (outside the default plan)"
