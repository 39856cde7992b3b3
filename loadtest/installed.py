"""Installed: which packages an interpreter has, ours or that of a target, and what to say of one that is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from loadtest.contract.answers import normal_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What an interpreter has: the versions that it told by their normal names, or what is found in this process."""

    python: str = ""
    """The interpreter; empty: the one that runs this."""
    packages: Mapping[str, str] | None = None
    """None: to be looked up in this process."""

    def version_of(self, package: str) -> str | None:
        """Return the version of a package; None where it is not installed."""
        if self.packages is not None:
            return self.packages.get(normal_name(package))
        try:
            return version(package)
        except PackageNotFoundError:
            return None

    def lacks(self, package: str, *, wanted: str = "") -> str | None:
        """Say that a package is missing and what installs it (`wanted`, where that is not its name); None if it is
        there."""
        if self.version_of(package) is not None:
            return None
        if not self.python:
            return f"{package} is not installed; pip install {wanted or package}"
        return f"{package} is not installed for {self.python}; {self.python} -m pip install {package}"


HERE: Final = Installed()
"""What the interpreter has that runs this."""
