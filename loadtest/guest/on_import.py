"""On import: changes a module as soon as it has been run, and imports nothing earlier than the app does it."""

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

Change = Callable[[ModuleType], None]


def on_import(name: str, change: Change) -> None:
    """Have `change` called with the module of that name, each time that it has been run."""
    sys.meta_path.insert(0, _Changing(name, change))


class _Changing(MetaPathFinder):
    """Finds one module as the other finders would, and has it changed when it has been run."""

    def __init__(self, name: str, change: Change) -> None:
        self._name = name
        self._change = change

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        spec = self._found_by_others(path, target)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_and_change(module: ModuleType) -> None:
                run(module)
                self._change(module)

            spec.loader.exec_module = run_and_change  # type: ignore[method-assign]
        return spec

    def _found_by_others(self, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        """Ask every other finder: a project that is installed in place may have one of its own."""
        for finder in sys.meta_path:
            if finder is not self and (spec := finder.find_spec(self._name, path, target)) is not None:
                return spec
        return None
