"""A project: a Channels app as its user names it, and how its processes are run."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

from loadtest.contract.overrides import Overrides, write_overrides
from loadtest.contract.variables import APPLICATION_VARIABLE, OVERRIDES_VARIABLE
from loadtest.load.entry import Entry
from loadtest.servers.own_command import server_of
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.process import Ended, indented_tail, run_command
from loadtest.targets.login import Login

OURS: Final = ("LOCUST_", "LOADTEST_")
"""Beginnings of variables that speak to us, and not to the app."""

COMMAND_S: Final = 300.0
"""A migration of a large project takes a minute; one that takes longer than this hangs."""

DatabaseChoice = Literal["scratch", "as-is"]
"""SQLite files that are thrown away, or what the app's settings name."""
DATABASE_CHOICES: Final[tuple[DatabaseChoice, ...]] = get_args(DatabaseChoice)
SCRATCH: Final = "scratch"
PRIVATE: Final = "private"
"""The broker of the app's channel layer, where it is not its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A Channels app of the user's own."""

    application: str
    """As "package.module:attribute"."""
    folder: Path
    """From which it can be imported: the working folder of all its processes."""
    paths: tuple[str, ...]
    """The paths that are measured, a consumer each; {room} and {user} stand for numbers."""
    python: str
    """The interpreter in which it and its server are installed."""
    settings: str = ""
    """DJANGO_SETTINGS_MODULE; empty: the app names it itself."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Added to the environment of its processes; may hold secrets."""
    command: tuple[str, ...] = ()
    """The user's own way to start its server, with {port} in it; empty: ours."""
    before: tuple[str, ...] = ()
    """Commands that are run before anything is measured."""
    database: DatabaseChoice = SCRATCH
    has_private_broker: bool = False
    """Its channel layer is as its settings have it, but at a broker of ours."""
    entry: Entry = field(default_factory=Entry)
    """With what all users open their connections."""
    login: Login | None = None
    """How each of them signs in before; None: nobody does."""
    online: str = ""
    """What tells who is online: "package.module:callable", or SQL that returns a number; empty: nothing is asked."""
    users_file: str = ""
    """Where their names and passwords were read."""

    @property
    def server(self) -> str:
        """What the server of its own command is called; "" where it has none."""
        return server_of(self.command) if self.command else ""

    def environment(self, guest: Path, overrides: Overrides) -> dict[str, str]:
        """Return the whole environment of its processes, which find us at `guest` only."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | dict(self.env)
        if self.settings:
            env["DJANGO_SETTINGS_MODULE"] = self.settings
        return env | {
            APPLICATION_VARIABLE: self.application,
            OVERRIDES_VARIABLE: write_overrides(overrides),
            "PYTHONPATH": os.pathsep.join(filter(None, (str(guest), env.get("PYTHONPATH")))),
            "PATH": os.pathsep.join(filter(None, (str(Path(self.python).parent), env.get("PATH")))),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",  # nothing is written into the project's folder
        }

    def run(self, *arguments: str, env: Mapping[str, str], what: str) -> Ended:
        """Run its interpreter to the end; `what` says in an error what was done. Raises EnvironmentFailed."""
        return self._command([self.python, *arguments], env=env, what=what)

    def shell(self, command: str, *, env: Mapping[str, str], what: str) -> Ended:
        """Run a command line to the end, as a shell reads it. Raises EnvironmentFailed."""
        return self._command(["/bin/sh", "-c", command], env=env, what=what)

    def _command(self, command: list[str], *, env: Mapping[str, str], what: str) -> Ended:
        try:
            return run_command(command, env=env, timeout_s=COMMAND_S, cwd=self.folder)
        except TimeoutError as error:
            raise EnvironmentFailed(f"{what} took longer than {COMMAND_S:.0f} s: {shlex.join(command)}") from error


def require_success(ended: Ended, what: str, advice: str = "") -> None:
    """Raise EnvironmentFailed with what a command printed last unless it ended well."""
    if ended.code:
        told = indented_tail(ended.errors) or "  (it printed nothing)"
        raise EnvironmentFailed(f"{what} failed with exit code {ended.code}{advice}; its last lines:\n{told}")
