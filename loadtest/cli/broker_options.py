"""The options for brokers of the user's own: one for each broker there is, from its row."""

import functools
import inspect
import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final

import typer

from loadtest.bench.plan import PlanError
from loadtest.brokers import BROKERS, Broker

ADDRESSES = "addresses"
"""The parameter of a command in whose place the options stand."""

_OF_A_USER: Final = re.compile(r"(://)\S*@")
"""A user and a password in an address of whatever else, up to its last @: a password may have one in it."""


def with_broker_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with an option for each broker; it gets the addresses given, by the broker's name."""

    @functools.wraps(command)
    def taking_options(**given: Any) -> None:
        found = {broker.name: given.pop(_parameter(broker)) for broker in BROKERS.values()}
        command(**given, **{ADDRESSES: {name: _checked(name, address) for name, address in found.items() if address}})

    signature = inspect.signature(command)
    own = [parameter for name, parameter in signature.parameters.items() if name != ADDRESSES]
    parameters = [*own, *map(_option, BROKERS.values())]
    taking_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    taking_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return taking_options


def redacted_addresses(arguments: Iterable[str]) -> list[str]:
    """Return a command line whose addresses of brokers say where they lead to, and nothing else."""
    shown = {f"--{broker.option}": broker.redacted for broker in BROKERS.values()}
    found: list[str] = []
    before = ""
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if before in shown:
            found.append(shown[before](argument))
        elif option in shown and equals:
            found.append(f"{option}={shown[option](value)}")
        else:
            found.append(_OF_A_USER.sub(r"\1***@", argument))
        before = argument
    return found


def _checked(name: str, address: str) -> str:
    broker = BROKERS[name]
    try:
        return broker.check(address)
    except ValueError as error:
        raise PlanError(f"--{broker.option} (or {broker.variable}): {error}") from None


def _option(broker: Broker) -> inspect.Parameter:
    option = typer.Option(
        f"--{broker.option}",
        envvar=broker.variable,
        rich_help_panel="Brokers",
        help=f"use your own server of {broker.summary}, under a key prefix of our own, instead of a private one",
    )
    return inspect.Parameter(
        _parameter(broker), inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, option]
    )


def _parameter(broker: Broker) -> str:
    return broker.option.replace("-", "_")
