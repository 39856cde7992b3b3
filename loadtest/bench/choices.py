"""Choices: what a plan can choose from in each dimension, told the same way for rows of every kind."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from loadtest.bench.scenarios import SCENARIOS, Scenario
from loadtest.dimensions import CLOSED_LOOP, CONSUMER, DIMENSIONS, DROP, LAYER, SCENARIO, SERVER, AnyDimension, Value
from loadtest.drops import DROPS, Drop, find_drop
from loadtest.installed import Installed
from loadtest.layers import CONFIGURED, Layer, find_layer
from loadtest.outages import OUTAGES, Outage
from loadtest.servers import ELSEWHERE, SERVERS, Server, find_server
from loadtest.targets import Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value that a plan can name."""

    value: Value
    """What the manifest says of it."""
    form: str = ""
    """How it is written, where something may follow its name; empty: the name alone."""
    default: bool
    """A plan that names none has it."""
    unavailable: str | None = None
    """Why it cannot be had on this machine, in plain words."""
    is_of_every: bool = True
    """A plan that asks for every one has it too."""
    takes_pings: bool = True
    """A server that is told how often to ping; else a plan has to say how often it does."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """What else there is to know of it, for `--json`."""

    @property
    def name(self) -> str:
        """The name that it is asked for by."""
        return self.value.name


Choices = Mapping[str, Sequence[Choice]]
"""By the dimension's plural, which is the plan's key and the command that lists them."""


def choices_of(offer: Offer) -> Choices:
    """Return what there is to choose from when the target with that offer is measured."""
    scenarios = SCENARIOS if offer.scenarios is None else offer.scenarios
    return MappingProxyType(
        {
            SERVER.plural: _servers(offer),
            LAYER.plural: tuple(_layer(find_layer(name), offer) for name in offer.layers),
            CONSUMER.plural: tuple(_consumer(value, offer) for value in offer.consumers),
            SCENARIO.plural: tuple(_scenario(SCENARIOS[name], offer) for name in scenarios),
            DROP.plural: (*map(_drop, DROPS.values()), *map(_outage, OUTAGES.values())),
        }
    )


def with_scenarios(choices: Sequence[Choice], own: Iterable[Scenario]) -> tuple[Choice, ...]:
    """Return the scenarios that there are with some of a user's own besides."""
    return (*choices, *map(_own_scenario, own))


def names_of(choices: Sequence[Choice]) -> tuple[str, ...]:
    """Return their names."""
    return tuple(choice.name for choice in choices)


def defaults_of(choices: Sequence[Choice]) -> tuple[str, ...]:
    """Return the names of those that a plan has when it names none."""
    return tuple(choice.name for choice in choices if choice.default)


def every_of(choices: Sequence[Choice]) -> tuple[str, ...]:
    """Return the names of those that a plan has when it asks for every one."""
    return tuple(choice.name for choice in choices if choice.is_of_every)


def values_in(
    choices: Choices, chosen: Mapping[str, Sequence[Any]], own: Iterable[Scenario] = ()
) -> dict[str, tuple[Value, ...]]:
    """Return what the manifest says of the chosen values, by the dimension's name, in the order of the choice.

    A value that is in no list, a number of workers say, is described by its name; `own` are a plan's own scenarios.
    """
    choices = {**choices, SCENARIO.plural: with_scenarios(choices.get(SCENARIO.plural, ()), own)}
    return {
        dimension.name: tuple(_value(dimension, choices, name) for name in chosen[dimension.plural])
        for dimension in DIMENSIONS
        if dimension.plural in chosen
    }


def _value(dimension: AnyDimension, choices: Choices, name: Any) -> Value:
    found = (choice.value for choice in choices.get(dimension.plural, ()) if choice.name == name)
    with_parameter = dimension is DROP and ":" in name
    return next(itertools.chain(found, [_drop(find_drop(name)).value if with_parameter else Value(name=str(name))]))


def _servers(offer: Offer) -> tuple[Choice, ...]:
    if offer.server:
        own = _server(find_server(offer.server), offer.installed)
        return (replace(own, default=True, unavailable=None, takes_pings=False),)
    if not offer.elsewhere:
        return _with_a_default([_server(row, offer.installed) for row in SERVERS.values()])
    there = Choice(value=Value(name=ELSEWHERE.name, summary=ELSEWHERE.summary), default=True)
    others = (_server(row, offer.installed) for row in SERVERS.values())
    return (there, *(replace(other, default=False, unavailable=offer.elsewhere) for other in others))


def _with_a_default(servers: Sequence[Choice]) -> tuple[Choice, ...]:
    """Return the choices with the first one that can be had as the default, where the default one cannot."""
    can_be_had = [choice.name for choice in servers if not choice.unavailable]
    if not can_be_had or any(choice.default for choice in servers if choice.name in can_be_had):
        return tuple(servers)
    return tuple(replace(choice, default=choice.name == can_be_had[0]) for choice in servers)


def _server(row: Server, installed: Installed) -> Choice:
    unavailable = row.unavailable(installed)
    return Choice(
        value=Value(name=row.name, summary=row.summary, ignores_gone=row.ignores_gone),
        default=row.default,
        unavailable=unavailable,
        facts={
            "package": row.package,
            "version": installed.version_of(row.package),
            "ping_interval_s": row.ping_interval_s,
            "ping_timeout_s": row.ping_timeout_s,
            "max_workers": row.max_workers,
            "ignores_gone": row.ignores_gone,
        },
    )


def _layer(row: Layer, offer: Offer) -> Choice:
    is_theirs = bool(offer.elsewhere) and row is not CONFIGURED
    unavailable = offer.elsewhere if is_theirs else row.unavailable(offer.installed)
    return Choice(
        value=Value(name=row.name, summary=row.summary, ends_connections=row.ends_connections),
        default=row.name in offer.default_layers,
        unavailable=unavailable,
        facts={
            "backend": row.backend,
            "package": row.package,
            "version": offer.installed.version_of(row.package),
            "broker": row.broker,
            "crosses_processes": row.crosses_processes,
            "at_capacity": row.at_capacity,
        },
    )


def _consumer(value: Value, offer: Offer) -> Choice:
    return Choice(
        value=value,
        default=value.name in offer.default_consumers,
        is_of_every=value.name not in offer.on_own_routes,
        facts={"kind": value.kind, "variant_of": value.variant_of or None},
    )


def _scenario(row: Scenario, offer: Offer) -> Choice:
    defaults = offer.default_scenarios
    return Choice(
        value=_value_of_scenario(row),
        default=row.default if defaults is None else row.name in defaults,
        facts={
            "users": row.users,
            "rate": row.rate,
            "room_size": row.room_size,
            "duration": row.duration,
            "drops": row.drops,
            "uses_layer": row.uses_layer,
            "takes_load": row.takes_load,
        },
    )


def _own_scenario(row: Scenario) -> Choice:
    return Choice(value=_value_of_scenario(row), default=False)


def _value_of_scenario(row: Scenario) -> Value:
    return Value(name=row.name, summary=row.summary, kind="" if row.rate else CLOSED_LOOP)


def _drop(row: Drop) -> Choice:
    return Choice(
        value=Value(name=row.name, summary=row.wire, outcome=row.outcome),
        form=row.form,
        default=row.default,
        unavailable=row.unavailable(),
        facts={"outcome": row.outcome, "silent": row.silent, "privileged": row.privileged},
    )


def _outage(row: Outage) -> Choice:
    return Choice(
        value=Value(name=row.name, summary=row.summary),
        default=False,
        unavailable=row.unavailable(),
        facts={"outcome": "other", "silent": False, "privileged": False, "outage_of": row.of},
    )
