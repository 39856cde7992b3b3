"""Migration: `python -m loadtest.guest.migration` makes the tables of the app in the databases of its settings."""

import os

from loadtest.contract.variables import APPLICATION_VARIABLE
from loadtest.guest.loading import load_application


def migrate() -> None:
    """Have Django migrate every database, in settings that the app itself has chosen."""
    load_application(os.environ[APPLICATION_VARIABLE])  # it names its settings, and sets Django up
    from django.conf import settings
    from django.core.management import call_command

    for alias in settings.DATABASES:
        call_command("migrate", database=alias, verbosity=0, interactive=False)


if __name__ == "__main__":
    migrate()
