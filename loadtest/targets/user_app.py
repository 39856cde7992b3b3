"""Target: a Channels app of the user's own, started with the probe around it and with no file of it touched."""

import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from loadtest.contract.inspection import FoundPath, Inspection
from loadtest.dimensions import Value
from loadtest.installed import Installed
from loadtest.layers import CONFIGURED, CONFIGURED_PRIVATE, LAYERS, Layer
from loadtest.load.handshake import header_pair
from loadtest.load.talk import ROOM, TUTORIAL
from loadtest.targets.guest_path import make_guest_path
from loadtest.targets.inspecting import inspect_project
from loadtest.targets.made_users import new_accounts
from loadtest.targets.offer import Offer
from loadtest.targets.prepared_app import DATABASES, PreparedUserApp
from loadtest.targets.project import PRIVATE, SCRATCH, Project

IN_MEMORY: Final = LAYERS["inmemory"].backend
NAMED: Final = ("django", "channels")
"""Packages whose versions are told where they are not the project's own."""

SCENARIOS: Final = ("churn", "broadcast", "bursts", "echo", "idle")
"""Those that an app can take part in; `blocker` wants a handler that blocks when it is told to."""
DEFAULT_SCENARIOS: Final = ("churn",)
"""What a disconnect leaves behind is what an app's owner cannot see otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserApp:
    """A project, and what it was found to be."""

    project: Project
    found: Inspection

    @classmethod
    def inspected(cls, project: Project) -> "UserApp":
        """Look at the project, which takes seconds. Raises NoSuchPath or EnvironmentFailed."""
        return cls(project=project, found=inspect_project(project))

    @property
    def name(self) -> str:
        """The application's."""
        return self.project.application

    @property
    def consumers(self) -> Mapping[str, FoundPath]:
        """What answers at each path, by the consumer's name, with the path where two have the same."""
        names = [found.consumer.rpartition(".")[2] for found in self.found.paths]
        if len(set(names)) < len(names):
            names = [f"{name}-{_slug(found.path)}" for name, found in zip(names, self.found.paths, strict=True)]
        if len(set(names)) < len(names):  # paths that differ by a hyphen alone, say
            names = [f"{name}-{number}" for number, name in enumerate(names, 1)]
        return dict(zip(names, self.found.paths, strict=True))

    @property
    def offer(self) -> Offer:
        """Its consumers, on the layer that it is set to."""
        login = self.project.login
        values = tuple(
            Value(name=name, summary=f"{found.consumer} at {found.path}", kind=found.kind)
            for name, found in self.consumers.items()
        )
        return Offer(
            consumers=values,
            default_consumers=tuple(value.name for value in values),
            layers=(self._own_layer.name, *LAYERS),
            default_layers=(self._own_layer.name,),
            alone_in_process=self.found.layer if self.found.layer == IN_MEMORY else "",
            scenarios=SCENARIOS,
            default_scenarios=DEFAULT_SCENARIOS,
            server=self.project.server,
            installed=Installed(python=self.project.python, packages=self.found.packages),
            takes_work=False,
            takes_push=True,
            message=TUTORIAL,
            accounts=len(login.accounts) if login is not None and login.accounts else None,
            tells_rooms_apart=all(ROOM in path for path in self.project.paths),
            notes=tuple(self._notes()),
            origin=self._origin(),
        )

    def prepare(self, folder: Path, users: int = 0) -> PreparedUserApp:
        """Make its tables in scratch databases, run what is to be run before, and make users where none are named.

        Raises EnvironmentFailed.
        """
        login = self.project.login
        made = new_accounts(users) if self._makes_users else ()
        prepared = PreparedUserApp(
            project=self.project,
            found=self.found,
            guest=make_guest_path(folder),
            databases=folder / DATABASES if self._has_scratch_databases else None,
            paths={name: found.path for name, found in self.consumers.items()},
            login=login if login is None or not made else replace(login, accounts=made),
        )
        prepared.set_up(made)
        return prepared

    @property
    def _own_layer(self) -> Layer:
        return CONFIGURED_PRIVATE if self.project.has_private_broker else CONFIGURED

    @property
    def _makes_users(self) -> bool:
        return self.project.login is not None and not self.project.login.accounts

    @property
    def _has_scratch_databases(self) -> bool:
        return self.project.database == SCRATCH and bool(self._databases)

    @property
    def _databases(self) -> dict[str, str]:
        """Engine and name by alias, without those that are none."""
        named = self.found.databases.items()
        return {alias: what for alias, what in named if what and not what.startswith("django.db.backends.dummy")}

    def _notes(self) -> Iterator[str]:
        theirs = ", ".join(f"{alias} ({what})" for alias, what in self._databases.items())
        if self._has_scratch_databases:
            yield (
                f"the app writes to SQLite files that are thrown away, not to its databases {theirs}; --database as-is "
                "has it write to those"
            )
        elif theirs:
            yield f"THE APP WRITES TO ITS OWN DATABASES: {theirs} (--database as-is)"
        if self._makes_users:
            yield "users who can sign in are made in the scratch database; --users-file names others"
        if self._own_layer is CONFIGURED and self.found.layer not in ("", IN_MEMORY):
            yield f"on the layer {CONFIGURED.name} it uses {self.found.layer} as its settings have it, and writes there"
        if self.project.python == sys.executable:
            versions = " and ".join(f"{name} {self.found.packages[name]}" for name in NAMED)
            yield f"the app runs in this tool's own environment, with {versions}; --python names another interpreter"
        if self.found.is_debugging:
            yield "DEBUG is on in the app's settings: Django then keeps every query in memory, and is slower"

    def _origin(self) -> dict[str, Any]:
        project = self.project
        return {
            "app": project.application,
            "app_dir": str(project.folder),
            "path": list(project.paths),
            "python": project.python,
            "settings": project.settings,
            "env": sorted(project.env),  # names only: the values may be secrets
            "command": shlex.join(project.command),
            "before": list(project.before),
            "broker": PRIVATE if project.has_private_broker else "",
            "database": project.database,
            "online": project.online,
            "origin": project.entry.origin,
            "subprotocol": list(project.entry.subprotocols),
            "header": [header_pair(line)[0] for line in project.entry.headers],  # names only, as of variables
            "cookie": sorted(project.entry.cookies),
            "login_url": "" if project.login is None else project.login.page,
            "users_file": project.users_file,
        }


def _slug(path: str) -> str:
    return re.sub(r"\W+", "-", path).strip("-")
