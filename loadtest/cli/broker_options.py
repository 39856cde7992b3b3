"""The options for brokers of the user's own: one for each broker there is, from its row."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from loadtest.brokers import BROKERS, Broker

ADDRESSES = "addresses"
"""The parameter of a command in whose place the options stand."""


def with_broker_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with an option for each broker; it gets the addresses given, by the broker's name."""

    @functools.wraps(command)
    def taking_options(**given: Any) -> None:
        found = {broker.name: given.pop(_parameter(broker)) for broker in BROKERS.values()}
        command(**given, **{ADDRESSES: {name: address for name, address in found.items() if address}})

    signature = inspect.signature(command)
    own = [parameter for name, parameter in signature.parameters.items() if name != ADDRESSES]
    parameters = [*own, *map(_option, BROKERS.values())]
    taking_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    taking_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return taking_options


def redacted(argument: str) -> str:
    """Return an argument of a command line without the password that a broker's address in it may have."""
    return functools.reduce(lambda text, broker: broker.redacted(text), BROKERS.values(), argument)


def _option(broker: Broker) -> inspect.Parameter:
    option = typer.Option(
        f"--{broker.option}",
        envvar=broker.variable,
        help=f"use your own server of {broker.summary}, under a key prefix of our own, instead of a private one",
    )
    return inspect.Parameter(
        _parameter(broker), inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, option]
    )


def _parameter(broker: Broker) -> str:
    return broker.option.replace("-", "_")
