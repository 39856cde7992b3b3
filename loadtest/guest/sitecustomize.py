"""Imported by Python itself when a process of a target starts, from the folder that is first on its path."""

import importlib.util
import sys
from importlib.machinery import PathFinder
from pathlib import Path

from loadtest.guest import overrides, wrapping

overrides.install()
wrapping.install()


def _run_the_other_one() -> None:
    """Run the sitecustomize that would have been found without this one: a system's own, say."""
    here = str(Path(__file__).parent)
    spec = PathFinder.find_spec("sitecustomize", [entry for entry in sys.path if entry != here])
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


_run_the_other_one()
