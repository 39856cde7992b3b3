"""Loading: imports the app that is named, as an ASGI server does."""

import functools
import importlib
from typing import Any

ATTRIBUTE = "application"
"""What Django's and Channels' documentation call it."""


def load_application(name: str) -> Any:
    """Return what "package.module:attribute" names; raises whatever its import raises, or AttributeError."""
    module, attribute = split_name(name)
    return functools.reduce(getattr, attribute.split("."), importlib.import_module(module))


def split_name(name: str) -> tuple[str, str]:
    """Return the module and the attribute that a name stands for, "application" where it has none."""
    module, _, attribute = name.partition(":")
    return module, attribute or ATTRIBUTE
