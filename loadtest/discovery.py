"""Discovery: the kinds of one room, one module each, found where they lie; nothing has to be told of a new one."""

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import Protocol, TypeVar


class _Named(Protocol):
    @property
    def name(self) -> str:
        """The name it is asked for by."""


Kind = TypeVar("Kind", bound=_Named)


def kinds_in(room: ModuleType, kind: type[Kind]) -> Mapping[str, Kind]:
    """Return the KIND of each module in a package that has one of this class, by name, sorted."""
    found: dict[str, Kind] = {}
    for module in pkgutil.iter_modules(room.__path__):
        one = getattr(importlib.import_module(f"{room.__name__}.{module.name}"), "KIND", None)
        if isinstance(one, kind):
            assert one.name not in found, f"two kinds in {room.__name__} are called {one.name}"
            found[one.name] = one
    return MappingProxyType(dict(sorted(found.items())))
