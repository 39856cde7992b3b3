"""The reference app's database: a migrated SQLite file copied for each trial, or the one that the user names."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import dj_database_url

from loadtest.shipped import SHIPPED
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.process import indented_tail, run_command

MANAGE = SHIPPED / "target_app" / "manage.py"

COMMAND_S = 60.0
"""A migration takes 2 s on SQLite; a far database on a busy machine is given longer."""


class Database(Protocol):
    """A database that trials can use, each of them starting without presence rows of ours."""

    def for_trial(self, folder: Path) -> str:
        """Return the DATABASE_URL for a trial that may put files in `folder`. Raises EnvironmentFailed."""

    def end_trial(self) -> None:
        """Take back what the trial left, where that is not simply in the folder. Raises EnvironmentFailed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteTemplate:
    """A migrated SQLite file that is never opened, only copied."""

    path: Path

    def for_trial(self, folder: Path) -> str:
        """Copy the file into `folder`."""
        copy = folder / "trial.sqlite3"
        try:
            shutil.copyfile(self.path, copy)
        except OSError as error:
            raise EnvironmentFailed(f"cannot copy the database to {copy}: {error.strerror}") from error
        return f"sqlite:///{copy}"

    def end_trial(self) -> None:
        """Do nothing: the copy goes with its folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersDatabase:
    """The user's own database, from which only presence rows of load test connections are deleted."""

    url: str

    def for_trial(self, folder: Path) -> str:
        """Delete rows that an earlier trial may have left, for connection ids come again."""
        self.end_trial()
        return self.url

    def end_trial(self) -> None:
        """Delete our presence rows."""
        run_manage("forget_connections", database_url=self.url)


def prepare_database(folder: Path, database_url: str | None) -> Database:
    """Migrate the user's database when a URL is given, else a new SQLite template in `folder`.

    Takes about 2 s, so once a run. Raises EnvironmentFailed when the database cannot be reached or migrated.
    """
    if database_url is not None:
        _require_address(database_url)
        run_manage("migrate", "--no-input", database_url=database_url)
        return UsersDatabase(url=database_url)
    template = folder / "template.sqlite3"
    run_manage("migrate", "--no-input", database_url=f"sqlite:///{template}")
    return SqliteTemplate(path=template)


def _require_address(database_url: str) -> None:
    """Raise EnvironmentFailed, which repeats nothing of it, where it is no address of a database."""
    try:
        dj_database_url.parse(database_url)
    except (ValueError, KeyError):  # of which some name a part of it, for a port say
        raise EnvironmentFailed(
            "DATABASE_URL is no address of a database (it is not repeated here); write postgres://user:password@host/"
            "name, say; in a password / ? # @ : and % are written as %2F %3F %23 %40 %3A and %25"
        ) from None


def without_secrets(text: str, database_url: str) -> str:
    """Return what a database's driver said, without the address and the password of the database."""
    try:
        password = str(dj_database_url.parse(database_url).get("PASSWORD") or "")
    except (ValueError, KeyError):
        password = ""
    for secret in filter(None, (database_url, password, quote(password), quote(password, safe=""))):
        text = text.replace(secret, "***")
    return text


def run_manage(*arguments: str, database_url: str) -> None:
    """Run one management command of the reference app on a database; raises EnvironmentFailed when it fails."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "target_app.settings", "DATABASE_URL": database_url}
    env.pop("CHANNEL_LAYERS", None)
    try:
        ended = run_command([sys.executable, str(MANAGE), *arguments], env=env, timeout_s=COMMAND_S)
    except TimeoutError as error:
        raise EnvironmentFailed(
            f"`manage.py {arguments[0]}` took longer than {COMMAND_S:.0f} s; does the database of DATABASE_URL answer?"
        ) from error
    if ended.code != 0:
        said = indented_tail(without_secrets(ended.errors, database_url))
        raise EnvironmentFailed(f"`manage.py {arguments[0]}` failed on the database; check DATABASE_URL:\n{said}")
