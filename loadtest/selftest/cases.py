"""Cases: one trial each, of a planted consumer or of a control, on one channel layer, under a load that suits it.

The loads are light: under more, Channels itself misses disconnects, and what was planted would drown in it.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from loadtest.bench.plan import Plan, Trial
from loadtest.dimensions import MIXED_DROPS, CellKey
from loadtest.layers import LAYERS
from loadtest.servers import SERVERS
from target_app.planted import PLANTED, find_planted

SEED = 4
_BASE: Mapping[str, Any] = MappingProxyType(
    {"users": 12, "room_size": 4, "warm_up": 0.0, "offline": 0.2, "drain": 5.0, "settle": 5.0, "seed": SEED}
)
DROPPING: Mapping[str, Any] = MappingProxyType(
    {**_BASE, "rate": 0.5, "duration": 1.4, "drop_share": 0.5, "drops": ("close", "fin", "rst", "midframe")}
)
"""Eight drops or so, of every kind; a message only now and then, for each is a chance that Channels misses a drop by
itself."""

HANGING: Mapping[str, Any] = MappingProxyType({**DROPPING, "drain": 1.0, "settle": 1.0})
"""The same for consumers that do not end: it is no use waiting for them."""

TALKING: Mapping[str, Any] = MappingProxyType(
    {
        **_BASE,
        "users": 9,
        "room_size": 3,
        "rate": 5,
        "warm_up": 0.5,
        "duration": 1.2,
        "drop_share": 0.0,
        "drops": ("close",),
    }
)
"""Nobody is dropped, so that each message has a certain fate; fewer of them in all than the 100 that a layer holds, so
that a machine that stands still for a while loses none."""

BLOCKING: Mapping[str, Any] = MappingProxyType(
    {**TALKING, "users": 6, "room_size": 2, "rate": 3, "warm_up": 0.0, "duration": 1.5, "drain": 8.0}
)
"""Few messages that block, so that the server catches up."""

ORDERLY: Mapping[str, Any] = MappingProxyType({**DROPPING, "rate": 0.01, "drops": ("close",)})
"""Orderly closes while nobody talks: then the consumers of the tutorial, too, leave nothing behind."""

_LOAD_OF = MappingProxyType(
    {
        "disconnect-blocks": HANGING,
        "never-stops": HANGING,
        "duplicated": TALKING,
        "lost": TALKING,
        "swapped": TALKING,
        "deaf": TALKING,
        "blocking": BLOCKING,
    }
)
"""By the planted defect; DROPPING for all others."""

CONTROLS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"sync": ORDERLY, "async": ORDERLY, "sync-guarded": DROPPING, "async-guarded": DROPPING}
)
"""Consumers in which nothing is planted."""

BESIDE_OTHERS: Mapping[str, Any] = MappingProxyType({"pin": False, "allow_contention": True})
"""Several cases run at a time: pinned, they would all have the same CPUs, and each disturbs the others."""

BARE_LAYER = "bare-layer"
"""Stands for a consumer where there is none: the channel layer alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One planted consumer, or control, on one layer."""

    consumer: str
    layer: str

    @property
    def load(self) -> Plan:
        """Return the plan whose load the trial has."""
        found = find_planted(self.consumer)
        load = CONTROLS[self.consumer] if found is None else _LOAD_OF.get(found[0].name, DROPPING)
        return Plan(**load, **BESIDE_OTHERS)

    @property
    def trial(self) -> Trial:
        """Return the trial, as a campaign would run it."""
        drops = self.load.drops
        cell = CellKey(
            server=next(server.name for server in SERVERS.values() if server.default),
            workers=1,
            layer=self.layer,
            consumer=self.consumer,
            scenario="churn",
            drop=MIXED_DROPS if len(drops) > 1 else drops[0],
        )
        return Trial(cell=cell, number=1, seed=SEED)


def choose_cases(*, layers: Sequence[str] | None = None, only: Iterable[str] = ()) -> list[Case]:
    """Return the cases of the self-test: each consumer on each of the layers.

    Without layers, each consumer on one of those that a bench takes by default, in turn, and the bare layer on all of
    them. `only` names consumers, or defects in all their kinds; raises KeyError for a name there is none of.
    """
    every_layer = tuple(layers or (layer.name for layer in LAYERS.values() if layer.default))
    consumers = [*_planted_consumers(), *CONTROLS]
    if layers is None:
        turns = itertools.cycle(every_layer)
        chosen = [Case(consumer=consumer, layer=next(turns)) for consumer in consumers]
    else:
        chosen = [Case(consumer=consumer, layer=layer) for consumer in consumers for layer in layers]
    chosen = [*(Case(consumer=BARE_LAYER, layer=layer) for layer in every_layer), *chosen]
    wanted = set(itertools.chain.from_iterable(map(names_meant, only)))
    return [case for case in chosen if not wanted or case.consumer in wanted]


def names_meant(name: str) -> tuple[str, ...]:
    """Return the consumers that a name stands for: itself, or a defect in all its kinds. KeyError: there is none."""
    there_are = [*_planted_consumers(), *CONTROLS, BARE_LAYER]
    meant = tuple(consumer for row in PLANTED if row.name == name for consumer in map(row.consumer, row.kinds))
    if meant or name in there_are:
        return meant or (name,)
    raise KeyError(name)


def _planted_consumers() -> list[str]:
    """Return them so that, a layer in turn each, every layer meets sync and async ones."""
    return [row.consumer(kind) for row in PLANTED for kind in row.kinds]
