"""A user's own app with what all its trials share: its tables, its users, and how each trial is staged."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from loadtest.contract.inspection import Inspection
from loadtest.contract.overrides import Overrides
from loadtest.contract.variables import READY_ANSWER, READY_PATH, WRAPPED_VARIABLE
from loadtest.layers import CONFIGURED, CONFIGURED_PRIVATE, new_prefix
from loadtest.load.entry import Entry
from loadtest.load.talk import ROOM
from loadtest.servers import HOST
from loadtest.targets.configured_layer import require_broker
from loadtest.targets.login import Account, Login, sign_in
from loadtest.targets.made_users import change_users
from loadtest.targets.prime_app import prime_app
from loadtest.targets.probed import ProbedApp, Staging, probe_environment
from loadtest.targets.project import Project, require_success
from loadtest.targets.served import Application
from loadtest.targets.speaking import Templates
from loadtest.targets.target import Setting

AROUND: Final = "loadtest.guest.around:application"
MIGRATION: Final = "loadtest.guest.migration"
ONLINE: Final = "loadtest.guest.online"
DATABASES: Final = "databases"
"""The folder of scratch databases, that of the run and that of a trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedUserApp:
    """A project that can be started, trial after trial."""

    project: Project
    found: Inspection
    guest: Path
    databases: Path | None
    """The folder of the scratch databases, which are copied for each trial; None: it uses its own."""
    paths: Mapping[str, str]
    """By the consumer's name."""
    login: Login | None
    """How its users sign in; None: nobody does."""

    def set_up(self, made: Sequence[Account]) -> None:
        """Make the tables of scratch databases, run what is to be run before, then make users.

        In this order, for rows that a command loads have their own keys, and would take those of users. Raises
        EnvironmentFailed.
        """
        env = self.project.environment(self.guest, self._overrides(self.databases))
        if self.databases is not None:
            self.databases.mkdir()
            what = "making the app's tables in SQLite"
            ended = self.project.run("-m", MIGRATION, env=env, what=what)
            require_success(ended, what, " (--database as-is has it use its own databases, and makes no tables)")
        for command in self.project.before:
            what = f"--before {command!r}"
            require_success(self.project.shell(command, env=env, what=what), what)
        if self.project.online:
            what = f"--online {self.project.online!r}"
            require_success(self.project.run("-m", ONLINE, env=env, what=what), what)
        if made:
            change_users("create", made, self.project, env)

    def start(self, setting: Setting) -> ProbedApp:
        """Return the app in that setting; it starts when `with` is entered."""
        path = self.paths[setting.consumer]
        staging = Staging(
            stage=partial(self._stage, setting),
            prime=partial(prime_app, setting.own_users or [Templates(talk=setting.talk)], setting.talk.push),
            admit=self._admit,
            path=path,
            priming_path=path.replace(ROOM, "0"),
        )
        return ProbedApp(setting, staging)

    def _admit(self, _application: Application, url: str, users: int) -> Entry:
        """Return with what users open their connections; those who have to be signed in are."""
        entry, login = self.project.entry, self.login
        return entry if login is None else replace(entry, sessions=sign_in(url, login, users))

    def _stage(self, setting: Setting, folder: Path, closing: ExitStack) -> Application:
        if setting.layer is CONFIGURED:
            require_broker(self.found)
        databases = None
        if self.databases is not None:
            databases = folder / DATABASES
            shutil.copytree(self.databases, databases)
        overrides = replace(
            self._overrides(databases),
            channel_layers=self._layers(setting, closing),
            broker_url=_own_url(setting),
        )
        env = self.project.environment(self.guest, overrides)
        own = self.project.command
        return Application(
            name=self.project.application if own else AROUND,
            folder=self.project.folder,
            python=self.project.python,
            env={**env, **probe_environment(setting, folder), **(self._wrapped if own else {})},
            health=READY_PATH,
            answer=READY_ANSWER,
            command=own,
        )

    @property
    def _wrapped(self) -> dict[str, str]:
        """What has the probe put around the app wherever it is imported."""
        return {WRAPPED_VARIABLE: self.project.application}

    def _layers(self, setting: Setting, closing: ExitStack) -> Mapping[str, Any] | None:
        """Return the channel layers that the app gets in the place of its own; None where it keeps them."""
        if setting.layer in (CONFIGURED, CONFIGURED_PRIVATE):
            return None
        prefix, broker = new_prefix(), setting.broker if setting.layer.broker else None
        if broker is not None:
            closing.callback(broker.forget, prefix)
        return setting.layer.setting(broker_url=broker.url if broker else None, prefix=prefix)

    def _overrides(self, databases: Path | None) -> Overrides:
        folder = None if databases is None else str(databases)
        return Overrides(
            database_folder=folder,
            allowed_host=HOST,
            has_quick_passwords=databases is not None and self.login is not None,
            presence=self.project.online or None,
        )


def _own_url(setting: Setting) -> str | None:
    """Return the address of the broker that the app's own layer gets; None where that stays as it is."""
    return setting.broker.url if setting.layer is CONFIGURED_PRIVATE and setting.broker is not None else None
