"""What a test asks for, and the app that it means where it names none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One scenario on one app."""

    scenario: str
    path: str
    app: str
    """As `--app` has it."""
    settings: str
    """DJANGO_SETTINGS_MODULE; empty: the app names it itself."""
    root: Path
    """From which the app can be imported."""
    arguments: Mapping[str, Any]
    """Options of `bench --app` and keys of its plan, by their names."""


class NoApp(Exception):
    """It is not said which app is meant; the message says how to say it."""


def app_of_settings() -> str:
    """Return the application that the settings name, as `--app` has it; raises NoApp where they name none."""
    from django.conf import settings  # costs what it costs when a test asks for it
    from django.core.exceptions import ImproperlyConfigured

    try:
        named = getattr(settings, "ASGI_APPLICATION", None)
    except (ImportError, ImproperlyConfigured) as error:
        raise NoApp(f"the settings cannot be read ({error}); {_HOW}") from error
    if not named:
        raise NoApp(f"the settings {settings_module()} have no ASGI_APPLICATION; {_HOW}")
    module, _, attribute = str(named).rpartition(".")
    return f"{module}:{attribute}"


def settings_module() -> str:
    """Return the name of the settings' module, which pytest-django sets too; empty where there is none."""
    return os.environ.get("DJANGO_SETTINGS_MODULE", "")


_HOW = (
    "name the app with channels_loadtest_app = myproject.asgi:application in pytest's settings, or Django's settings "
    "with DJANGO_SETTINGS_MODULE"
)
