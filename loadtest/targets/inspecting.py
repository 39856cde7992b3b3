"""Inspecting: has a project's own interpreter look at it, and says in one sentence why it cannot be measured."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

from loadtest.contract.inspection import FoundPath, Inspection, read_inspection
from loadtest.contract.opening import Opening, write_opening
from loadtest.contract.overrides import Overrides
from loadtest.contract.variables import OPENING_VARIABLE
from loadtest.installed import Installed
from loadtest.servers import HOST, SERVERS
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import short_folder
from loadtest.targets.guest_path import make_guest_path
from loadtest.targets.project import SCRATCH, Project, require_success

LEAST_PYTHON: Final = (3, 10)
"""The oldest one that the probe runs on."""
_TOO_OLD: Final = 77
"""Exit code of the program below."""
_PROGRAM: Final = (
    f"import sys; sys.exit({_TOO_OLD}) if sys.version_info < {LEAST_PYTHON} else None; "
    "from loadtest.guest.inspection import main; main()"
)


class NoSuchPath(ValueError):
    """The app does not know a path that is to be measured; the message names those that it knows."""


def inspect_project(project: Project) -> Inspection:
    """Return what the project is. Raises NoSuchPath, or EnvironmentFailed when it cannot be measured as it is."""
    found = _look_at(project)
    if found.problem:
        raise EnvironmentFailed(f"{found.problem} (asked with {project.python})")
    for path in found.paths:
        _require_consumer(path, found.routes)
    if not project.command:
        _require_server(Installed(python=project.python, packages=found.packages))
    return found


def _require_server(installed: Installed) -> None:
    missing = [why for server in SERVERS.values() if (why := server.unavailable(installed))]
    if len(missing) == len(SERVERS):
        raise EnvironmentFailed(f"there is no server to run the app: {'; '.join(missing)}")


def _look_at(project: Project) -> Inspection:
    what = f"looking at {project.application} with {project.python}"
    with short_folder() as folder:
        file, databases = folder / "found.json", folder / "databases"
        databases.mkdir()
        # Middleware on the way to a consumer may use a database: never the app's own unless that is wanted
        scratch = str(databases) if project.database == SCRATCH else None
        env = project.environment(make_guest_path(folder), Overrides(database_folder=scratch, allowed_host=HOST))
        paths = [path.replace("{room}", "0").replace("{user}", "0") for path in project.paths]
        env[OPENING_VARIABLE] = write_opening(_opening(project))
        ended = project.run("-c", _PROGRAM, str(file), *paths, env=env, what=what)
        if ended.code == _TOO_OLD:
            least = ".".join(map(str, LEAST_PYTHON))
            raise EnvironmentFailed(f"{project.python} is older than Python {least}, which the probe needs")
        require_success(ended, what)
        return _with_templates(_read(file, what), project.paths)


def _opening(project: Project) -> Opening:
    entry = project.entry
    return Opening(
        headers=entry.of_user(0),
        origin=entry.origin,
        subprotocols=list(entry.subprotocols),
        is_let_in_later=project.login is not None or bool(project.before),
    )


def _read(file: Path, what: str) -> Inspection:
    try:
        return read_inspection(file.read_text())
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise EnvironmentFailed(f"{what} told nothing that can be read: {error}") from error


def _with_templates(found: Inspection, paths: tuple[str, ...]) -> Inspection:
    """Return it with the paths as they were given, {room} and {user} in them."""
    named = [replace(one, path=path) for one, path in zip(found.paths, paths, strict=False)]
    return replace(found, paths=named)


def _require_consumer(found: FoundPath, routes: list[str]) -> None:
    if not found.is_routed:
        there_are = f"; there are {', '.join(routes)}" if routes else ""
        raise NoSuchPath(f"the app has no route for the path {found.path!r}{there_are}")
    if not found.consumer:
        raise EnvironmentFailed(f"no consumer was reached at the path {found.path!r}: {found.problem}")
