"""Reading old folders: what a manifest did not say yet, and was only in names then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from loadtest.dimensions import CLOSED_LOOP, CONSUMER, DIMENSIONS, DROP, LAYER, SCENARIO, Value

_GUARDED = "-guarded"
_ENDS_CONNECTIONS = {
    "redis-stock": "redis-py 8 gives up a read after 5 s, just as long as this layer's own blocking pop waits, and the "
    'consumer that waited ends; hosts: [{"address": url, "socket_timeout": None}] cures it',
}
_KINDS = ("sync", "async")
_CLOSED_LOOP = "echo"
_OUTCOMES = {
    **dict.fromkeys(("burst-close", "upgrade-gone"), "certain"),
    **dict.fromkeys(("accept-gone", "upgrade-half"), "other"),
    **dict.fromkeys(("blackhole", "never-reader", "slow-reader", "vanish", "zombie"), "other"),
}


TOLD_SINCE: Final = {SCENARIO.name: 5, DROP.name: 5}
"""The version from which on a manifest says all that is used of a dimension's values; of the others 4."""


def values_of_old_run(plan: Mapping[str, Any]) -> dict[str, tuple[Value, ...]]:
    """Return the values of each dimension that a plan lists, in its order, with what their names used to say."""
    return {
        dimension.name: tuple(_value(dimension.name, str(name)) for name in plan[dimension.plural])
        for dimension in DIMENSIONS
        if isinstance(plan.get(dimension.plural), list | tuple)
    }


def _value(dimension: str, name: str) -> Value:
    if dimension == CONSUMER.name:
        plain = name.removesuffix(_GUARDED)
        return Value(name=name, kind=plain if plain in _KINDS else "", variant_of=plain if plain != name else "")
    if dimension == SCENARIO.name:
        return Value(name=name, kind=CLOSED_LOOP if name == _CLOSED_LOOP else "")
    if dimension == DROP.name:
        return Value(name=name, outcome=_OUTCOMES.get(name.partition(":")[0], "chance"))
    if dimension == LAYER.name:
        return Value(name=name, ends_connections=_ENDS_CONNECTIONS.get(name, ""))
    return Value(name=name)
