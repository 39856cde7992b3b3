"""The drop kinds: one module of this package each, found by its KIND."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from loadtest.drops.kind import Drop, Droppable

__all__ = ["DROPS", "Drop", "Droppable"]


def _discover() -> Mapping[str, Drop]:
    """Load every module here that has a KIND, sorted by its name."""
    found: dict[str, Drop] = {}
    for module in pkgutil.iter_modules(__path__):
        kind = getattr(importlib.import_module(f"{__name__}.{module.name}"), "KIND", None)
        if not isinstance(kind, Drop):
            continue
        assert kind.name not in found, f"two drop kinds are called {kind.name}"
        found[kind.name] = kind
    return MappingProxyType(dict(sorted(found.items())))


DROPS: Mapping[str, Drop] = _discover()
"""Every drop kind by its name, sorted."""
