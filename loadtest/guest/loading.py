"""Loading: imports the app that is named, as an ASGI server does."""

import functools
import importlib
from typing import Any

ATTRIBUTE = "application"
"""What Django's and Channels' documentation call it."""


def load_application(name: str) -> Any:
    """Return what "package.module:attribute" names; raises whatever its import raises, or AttributeError."""
    module, _, attribute = name.partition(":")
    return functools.reduce(getattr, (attribute or ATTRIBUTE).split("."), importlib.import_module(module))
