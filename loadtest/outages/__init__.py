"""The outages: one module of this package each, found by its KIND. In a plan they stand among the drops."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from loadtest.drops import DROPS, problem_with_drop
from loadtest.outages.kind import Failing, Outage, Subject

__all__ = ["OUTAGES", "Failing", "Outage", "Subject", "problem_with_ending"]


def problem_with_ending(name: str) -> str | None:
    """Say why there is no drop and no outage of that name, or why it cannot be done here; None where it can."""
    outage = OUTAGES.get(name)
    if outage is None:
        return problem_with_drop(name, others=OUTAGES)
    why = outage.unavailable()
    return f"the outage {name} cannot be done here: {why}" if why else None


def _discover() -> Mapping[str, Outage]:
    """Load every module here that has a KIND, sorted by its name."""
    found: dict[str, Outage] = {}
    for module in pkgutil.iter_modules(__path__):
        kind = getattr(importlib.import_module(f"{__name__}.{module.name}"), "KIND", None)
        if not isinstance(kind, Outage):
            continue
        assert kind.name not in found | dict(DROPS), f"two drops or outages are called {kind.name}"
        found[kind.name] = kind
    return MappingProxyType(dict(sorted(found.items())))


OUTAGES: Mapping[str, Outage] = _discover()
"""Every outage by its name, sorted."""
