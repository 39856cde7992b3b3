"""Overrides: changes a few of Django's settings in this process, whichever module they come from.

Django makes its settings when they are first used, or when an app configures them by hand. Both are seen by wrapping
two methods of `django.conf.LazySettings` as soon as `django.conf` has been imported, and nothing is imported earlier
than the app does it.
"""

import functools
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from loadtest.contract.overrides import Overrides, read_overrides
from loadtest.contract.variables import OVERRIDES_VARIABLE
from loadtest.guest.broker import at_broker
from loadtest.guest.on_import import on_import

SQLITE = "django.db.backends.sqlite3"
NO_ENGINES = ("", "django.db.backends.dummy")
KEPT: tuple[str, ...] = ("ATOMIC_REQUESTS", "AUTOCOMMIT", "TIME_ZONE")
"""What does not depend on where a database is."""
QUICK_HASHER = "django.contrib.auth.hashers.MD5PasswordHasher"
LOCK_TIMEOUT_S = 20
"""How long a writer waits for another one: Django's 5 s end in errors where many connections write at a time."""

DATABASES_BEFORE = "LOADTEST_DATABASES_BEFORE"
LAYERS_BEFORE = "LOADTEST_CHANNEL_LAYERS_BEFORE"
"""Settings under which the app's own ones are still found."""


def install() -> None:
    """Change settings as the environment says, once Django is imported; nothing where it says nothing."""
    text = os.environ.get(OVERRIDES_VARIABLE)
    if text:
        on_import("django.conf", partial(_wrap, overrides=read_overrides(text)))


def _wrap(conf: Any, *, overrides: Overrides) -> None:
    for name in ("_setup", "configure"):
        setattr(conf.LazySettings, name, _changing(getattr(conf.LazySettings, name), overrides))


def _changing(make: Callable[..., None], overrides: Overrides) -> Callable[..., None]:
    @functools.wraps(make)
    def made(settings: Any, *arguments: Any, **named: Any) -> None:
        make(settings, *arguments, **named)
        change(settings, overrides)

    return made


def change(settings: Any, overrides: Overrides) -> None:
    """Change the settings, which have been made."""
    databases, layers = dict(settings.DATABASES), dict(getattr(settings, "CHANNEL_LAYERS", {}))
    setattr(settings, DATABASES_BEFORE, databases)
    setattr(settings, LAYERS_BEFORE, layers)
    if overrides.database_folder is not None:
        folder = Path(overrides.database_folder)
        settings.DATABASES = {alias: _in_sqlite(alias, one, folder) for alias, one in databases.items()}
    if overrides.channel_layers is not None:
        settings.CHANNEL_LAYERS = {**layers, **overrides.channel_layers}
    if overrides.presence is not None:
        settings.LOADTEST = {**getattr(settings, "LOADTEST", {}), "PRESENCE": overrides.presence}
    if overrides.broker_url is not None:
        settings.CHANNEL_LAYERS = {alias: at_broker(layer, overrides.broker_url) for alias, layer in layers.items()}
    if overrides.has_quick_passwords:
        others = [hasher for hasher in settings.PASSWORD_HASHERS if hasher != QUICK_HASHER]
        settings.PASSWORD_HASHERS = [QUICK_HASHER, *others]
    if overrides.allowed_host is not None:
        any_of_this_machine = settings.DEBUG and not settings.ALLOWED_HOSTS  # a list would end that
        if not any_of_this_machine and overrides.allowed_host not in settings.ALLOWED_HOSTS:
            settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, overrides.allowed_host]


def _in_sqlite(alias: str, database: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return a database as an SQLite file, with what does not depend on where it is; none stays none."""
    if database.get("ENGINE", "") in NO_ENGINES:
        return database
    kept = {name: database[name] for name in KEPT if name in database}
    file = {"ENGINE": SQLITE, "NAME": str(folder / f"{alias}.sqlite3"), "OPTIONS": {"timeout": LOCK_TIMEOUT_S}}
    return {**kept, **file}
