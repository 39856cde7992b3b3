"""Users: makes or removes users of the app by its own user model: `python -m loadtest.guest.users WHAT ACCOUNTS COUNT`.

WHAT is create or remove, ACCOUNTS a file with a NAME:PASSWORD in each line, and COUNT the file that gets the number of
users that were made or removed. All of them are, or none.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from loadtest.contract.variables import APPLICATION_VARIABLE
from loadtest.guest.loading import load_application

Accounts = Iterable["tuple[str, str]"]
"""Names and passwords."""


def main() -> None:
    """Do what the command line says, in settings that the app itself has chosen."""
    what, accounts, count = sys.argv[1:]
    load_application(os.environ[APPLICATION_VARIABLE])  # it names its settings, and sets Django up
    from django.contrib.auth import get_user_model
    from django.db import router, transaction

    pairs = [line.partition(":")[::2] for line in Path(accounts).read_text().splitlines()]
    model: Any = get_user_model()
    with transaction.atomic(using=router.db_for_write(model)):
        done = {"create": create, "remove": remove}[what](model, pairs)
    Path(count).write_text(str(done))


def create(model: Any, accounts: Accounts) -> int:
    """Make a user of each account; returns how many."""
    made = 0
    for made, (name, password) in enumerate(accounts, 1):  # noqa: B007 - the last number is how many
        wanted = {field: _value(model._meta.get_field(field), name) for field in model.REQUIRED_FIELDS}
        model._default_manager.create_user(**{**wanted, model.USERNAME_FIELD: name}, password=password)
    return made


def remove(model: Any, accounts: Accounts) -> int:
    """Remove those who still have their password, for it was drawn for them alone; returns how many."""
    removed = 0
    for name, password in accounts:
        user = model._default_manager.filter(**{model.USERNAME_FIELD: name}).first()
        if user is not None and user.check_password(password):
            user.delete()
            removed += 1
    return removed


def _value(field: Any, name: str) -> Any:
    """Return what a field that is asked for gets; the name is an e-mail address."""
    from django.db import models

    longest = getattr(field, "max_length", None) or len(name)
    if isinstance(field, models.CharField | models.TextField):
        return name if len(name) <= longest else name.partition("@")[0][-longest:]
    for kind, value in ((models.BooleanField, False), (models.IntegerField, 0)):
        if isinstance(field, kind):
            return value
    return sys.exit(
        f"users of this app need {field.name!r}, and what that can be is not known; make them yourself, by --before say"
    )


if __name__ == "__main__":
    main()
