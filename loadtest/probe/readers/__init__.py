"""Readers: what a channel layer holds, one module for each layer's class; found by its BACKEND."""

import functools
import importlib
import pkgutil
from collections.abc import Mapping

from loadtest.probe.readers.reader import LayerReader, LayerResidue

__all__ = ["LayerReader", "LayerResidue", "layer_readers"]


@functools.cache
def layer_readers() -> Mapping[str, LayerReader]:
    """Return the reader of each layer there is one for, by the full name of the layer's class."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return {module.BACKEND: module.read for module in modules if hasattr(module, "BACKEND")}
