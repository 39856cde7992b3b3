"""Packages: what is installed for the interpreter that runs this."""

from importlib.metadata import distributions

from loadtest.contract.answers import normal_name


def installed_packages() -> dict[str, str]:
    """Return the version of every installed package by its normal name: which of them count is for the reader."""
    found: dict[str, str] = {}
    for package in distributions():  # in the order of sys.path: the first of a name is the one that is imported
        name = package.metadata["Name"]
        if name:  # none in what an interrupted installation left
            found.setdefault(normal_name(name), package.version)
    return dict(sorted(found.items()))
