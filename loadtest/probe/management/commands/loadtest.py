"""`python manage.py loadtest ...`: the command `channels-loadtest` on the project whose manage.py it is."""

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

TOOL: Final = "loadtest.cli"
ON_AN_APP: Final = (["bench"], ["users"])
"""The sub-commands that are about an app of the user's own."""
NO_APP: Final = ("--resume", "--target")
"""Options beside which no app is named: the run that is gone on with says it, or it runs elsewhere."""


class Command(BaseCommand):
    """Becomes the tool's process, so that signals and the exit code are the tool's."""

    help = "Run channels-loadtest on this project: `manage.py loadtest bench --path /ws/chat/lobby/`, say."
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django has it; the bench says what is wrong with the app

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take everything that follows as it is."""
        parser.add_argument("arguments", nargs=argparse.REMAINDER, help="those of channels-loadtest: bench --help, say")

    def handle(self, *args: Any, arguments: list[str], **options: Any) -> None:
        """Run the tool with these arguments; does not return."""
        if find_spec(TOOL) is None:
            raise CommandError("only the probe is installed here; pip install channels-loadtest has the rest")
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", TOOL, *with_project(arguments)])


def with_project(arguments: list[str]) -> list[str]:
    """Return the arguments with the project's own where they are told nothing else; CommandError without ASGI."""
    if arguments[:1] not in ON_AN_APP or "--help" in arguments or any(_is_given(name, arguments) for name in NO_APP):
        return arguments
    of_project = {
        "--settings": os.environ.get("DJANGO_SETTINGS_MODULE", ""),
        "--python": sys.executable,
    }
    if not _is_given("--app", arguments):
        application = _application()
        of_project = {"--app": application, "--app-dir": str(_folder_of(application)), **of_project}
    added = [f"{name}={value}" for name, value in of_project.items() if value and not _is_given(name, arguments)]
    return [*arguments, *added]


def _is_given(option: str, arguments: list[str]) -> bool:
    return any(argument == option or argument.startswith(f"{option}=") for argument in arguments)


def _application() -> str:
    """Return the project's application as a server is given it."""
    module, _, name = (getattr(settings, "ASGI_APPLICATION", None) or "").rpartition(".")
    if not module:
        raise CommandError("the settings have no ASGI_APPLICATION; set it, or pass --app myproject.asgi:application")
    return f"{module}:{name}"


def _folder_of(application: str) -> Path:
    """Return the folder from which the application can be imported."""
    package = application.partition(".")[0].partition(":")[0]
    spec = find_spec(package)
    if spec is None:
        raise CommandError(f"ASGI_APPLICATION is in {package}, which cannot be imported; pass --app and --app-dir")
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve().parent
    return Path(spec.origin or "").resolve().parent
