"""`users`: makes users in the app's own database, to sign in with `--login-url`, and takes them away again."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import typer

from loadtest.bench.plan import PlanError
from loadtest.cli.app_options import project_of, with_app_options
from loadtest.cli.entry_options import accounts_in
from loadtest.cli.examples import epilog_of
from loadtest.contract.overrides import Overrides
from loadtest.report.console import PlainConsole
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import short_folder
from loadtest.targets.guest_path import make_guest_path
from loadtest.targets.inspecting import inspect_project
from loadtest.targets.login import Account
from loadtest.targets.made_users import change_users, is_ours, new_accounts, write_accounts
from loadtest.targets.project import SCRATCH, Project

_OPTIONS: Final = ("app", "app_dir", "python", "settings", "env", "env_file", "database", "users_file")
_NEEDED: Final = ("app", "users_file")
_MOST: Final = 1000
"""Each takes Django some tenths of a second, and they are made in one go (`targets.project.COMMAND_S`)."""

app = typer.Typer(no_args_is_help=True, help="Make users in the app's own database to sign in with, and remove them.")


def create(count: Annotated[int, typer.Option(min=1, max=_MOST, help="how many")], *, app: Mapping[str, Any]) -> None:
    """Make users in the app's own database, and write names and passwords into a new file."""
    project, file, console = _project(app), app["users_file"], PlainConsole(soft_wrap=True)
    theirs = inspect_project(project).databases
    accounts = new_accounts(count)
    try:
        write_accounts(accounts, file)  # first: rows of which nobody knows the names could not be removed
    except OSError as error:
        raise PlanError(f"--users-file {file} cannot be made: {error.strerror}; name a new file") from None
    where = ", ".join(f"{alias} ({what})" for alias, what in theirs.items())
    console.print(f"MAKING USERS IN THE APP'S OWN DATABASE: {where}", style="yellow")
    try:
        made = _change("create", accounts, project)
    except EnvironmentFailed:
        file.unlink()
        raise
    console.print(f"{made} users were made, all or none; {file} has their names and passwords")


def remove(*, app: Mapping[str, Any]) -> None:
    """Remove the users that `users create` made, and the file that has them."""
    project, file, console = _project(app), app["users_file"], PlainConsole(soft_wrap=True)
    accounts = accounts_in(file)
    if strangers := [account.name for account in accounts if not is_ours(account)]:
        raise PlanError(f"--users-file {file}: `users create` did not make {strangers[0]!r}; nobody was removed")
    removed = _change("remove", accounts, project)
    file.unlink()
    left = len(accounts) - removed
    others = f"; {left} are gone already, or have another password now, and were left alone" if left else ""
    console.print(f"{removed} users were removed from the app's own database, and {file}{others}")


app.command("create", epilog=epilog_of("users create"))(with_app_options(create, _OPTIONS))
app.command("remove", epilog=epilog_of("users remove"))(with_app_options(remove, _OPTIONS))


def _project(given: Mapping[str, Any]) -> Project:
    """Return the project; PlanError unless it is to use its own databases."""
    if missing := [name for name in _NEEDED if name not in given]:
        raise PlanError(f"users: give {' and '.join(f'--{name}'.replace('_', '-') for name in missing)}")
    if given.get("database", SCRATCH) == SCRATCH:
        raise PlanError(
            "users: these are rows in the app's own database; say --database as-is if that is meant. In a scratch "
            "database bench --login-url makes users by itself"
        )
    return project_of({name: value for name, value in given.items() if name != "users_file"})


def _change(what: Literal["create", "remove"], accounts: tuple[Account, ...], project: Project) -> int:
    with short_folder() as folder:
        return change_users(what, accounts, project, project.environment(make_guest_path(folder), Overrides()))
