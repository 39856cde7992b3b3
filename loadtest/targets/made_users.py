"""Made users: accounts with passwords of chance, made in a database of the app by its own user model, and removed."""

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from loadtest.load.entry import OURS_ALONE
from loadtest.stack.folders import short_folder
from loadtest.targets.login import Account
from loadtest.targets.project import Project, require_success

MODULE: Final = "loadtest.guest.users"
_NAME: Final = re.compile(r"loadtest-[0-9a-f]{8}-\d+@example\.invalid")
"""An address in a domain that nobody has (RFC 2606 2): it does for models that sign in by name and by e-mail alike."""
_PASSWORD_BYTES: Final = 18


def new_accounts(count: int) -> tuple[Account, ...]:
    """Return so many accounts; truly random, for they may be made in a database that others can reach."""
    token = secrets.token_hex(4)
    return tuple(
        Account(name=f"loadtest-{token}-{number}@example.invalid", password=secrets.token_urlsafe(_PASSWORD_BYTES))
        for number in range(count)
    )


def is_ours(account: Account) -> bool:
    """Tell whether an account has a name of `new_accounts`."""
    return _NAME.fullmatch(account.name) is not None


def write_accounts(accounts: Sequence[Account], file: Path) -> None:
    """Write a new file that its owner alone may read, with a NAME:PASSWORD in each line; raises OSError."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OURS_ALONE), "w", encoding="utf-8") as out:
        out.writelines(f"{account.name}:{account.password}\n" for account in accounts)


def change_users(
    what: Literal["create", "remove"], accounts: Sequence[Account], project: Project, env: Mapping[str, str]
) -> int:
    """Make or remove users in the database that the app has in this environment; return how many.

    Raises EnvironmentFailed with what the app said; none was made or removed then.
    """
    saying = f"{'making' if what == 'create' else 'removing'} {len(accounts)} users"
    with short_folder() as folder:
        file, count = folder / "accounts", folder / "count"
        write_accounts(accounts, file)
        ended = project.run("-m", MODULE, what, str(file), str(count), env=env, what=saying)
        require_success(ended, saying)
        return int(count.read_text())
