"""Relative loads: how a plan names them, and which share of a capacity each is."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from loadtest.dimensions import FIXED_LOAD
from loadtest.load import by_comma

_PERCENTAGE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%")
LARGEST_PERCENTAGE: Final = 1000
"""Ten times what a server can carry: more shows nothing new, and is mostly a typing error."""
SMALLEST_PERCENTAGE: Final = 0.01
"""A ten-thousandth of what a server can carry: less is hardly a message in a trial."""


def share_of_load(load: str) -> float | None:
    """Return the share of the capacity that a load is, 0.3 for "30%"; None for a fixed one."""
    return None if load == FIXED_LOAD else float(load.removesuffix("%")) / 100


def _named(load: Any) -> str:
    """Return a load as cells have it; raises ValueError for what is none."""
    if load == FIXED_LOAD:
        return FIXED_LOAD
    found = _PERCENTAGE.fullmatch(load) if isinstance(load, str) else None
    if found is None or not SMALLEST_PERCENTAGE <= float(found[1]) <= LARGEST_PERCENTAGE:
        raise ValueError(
            f"{load!r} is no load; give percentages of the capacity from {SMALLEST_PERCENTAGE}% "
            f'up to {LARGEST_PERCENTAGE}%, as 30%,80%, or "fixed"'
        )
    return f"{float(found[1]):g}%"


def _loads(loads: Any) -> tuple[str, ...]:
    if not isinstance(loads, list | tuple) or not loads:
        raise ValueError('name at least one load: a percentage of the capacity, as 30%, or "fixed"')
    return tuple(dict.fromkeys(map(_named, loads)))


Loads = Annotated[
    tuple[str, ...],
    BeforeValidator(_loads),
    BeforeValidator(by_comma),  # it comes first, and says that one option has all loads
    Field(
        description="how busy the server is to be: comma-separated percentages of the rate that it carries at most, "
        "which is found before the trials; fixed: the scenario's own rate, or --rate"
    ),
]
LoadOf = Annotated[
    Literal["slowest", "own"],
    Field(
        description="what a percentage is of: slowest: of the slowest cell of the scenario, so that all cells have the "
        "same rate; own: of each cell's own, so that all servers are equally busy"
    ),
]
