"""Users that are made: names and passwords of chance, and what an app's own user model asks for."""

from __future__ import annotations

import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import models

from loadtest.bench.plan import PlanError
from loadtest.cli.entry_options import accounts_in, login_of
from loadtest.guest.users import create, remove
from loadtest.targets.login import Account
from loadtest.targets.made_users import is_ours, new_accounts, write_accounts

NAME = "loadtest-0a1b2c3d-7@example.invalid"


class Rows:
    """A user model that signs in by e-mail, with its rows in a list."""

    USERNAME_FIELD = "email"

    def __init__(self, **fields: models.Field[Any, Any]) -> None:
        self.rows: list[dict[str, Any]] = []
        self.REQUIRED_FIELDS = list(fields)
        for name, field in fields.items():
            field.name = name
        self._meta = SimpleNamespace(get_field=fields.__getitem__)
        self._default_manager = self

    def create_user(self, **row: Any) -> None:
        self.rows.append(row)

    def filter(self, email: str) -> Any:
        found = next((row for row in self.rows if row["email"] == email), None)
        user = found and SimpleNamespace(
            check_password=lambda password: password == found["password"], delete=lambda: self.rows.remove(found)
        )
        return SimpleNamespace(first=lambda: user)


def test_accounts_when_made_then_nobody_knows_them_and_the_file_is_the_owners_alone(tmp_path: Path) -> None:
    accounts, others = new_accounts(3), new_accounts(3)
    assert len({account.name for account in (*accounts, *others)}) == 6
    assert len({account.password for account in (*accounts, *others)}) == 6
    assert all(map(is_ours, accounts))
    assert not is_ours(Account(name="alice", password="x"))
    write_accounts(accounts, tmp_path / "users")
    assert stat.S_IMODE((tmp_path / "users").stat().st_mode) == 0o600
    assert accounts_in(tmp_path / "users") == accounts
    of_a_resumed_run = login_of({"login_url": "/login/", "users_file": str(tmp_path / "users")})
    assert of_a_resumed_run is not None
    assert of_a_resumed_run.accounts == accounts
    with pytest.raises(FileExistsError):
        write_accounts(others, tmp_path / "users")


def test_create_when_the_model_asks_for_more_than_a_name_then_fields_get_what_fits() -> None:
    model = Rows(short=models.CharField(max_length=8), age=models.IntegerField(), news=models.BooleanField())
    assert create(model, [(NAME, "secret")]) == 1
    assert model.rows == [{"email": NAME, "password": "secret", "short": "1b2c3d-7", "age": 0, "news": False}]


def test_create_when_a_field_asks_for_what_is_not_known_then_it_is_named() -> None:
    with pytest.raises(SystemExit, match="users of this app need 'photo', and what that can be is not known"):
        create(Rows(photo=models.BinaryField()), [(NAME, "secret")])


def test_remove_when_a_user_has_another_password_now_then_it_is_left_alone() -> None:
    model = Rows()
    create(model, [("a", "1"), ("b", "2")])
    assert remove(model, [("a", "1"), ("b", "another"), ("c", "3")]) == 1
    assert [row["email"] for row in model.rows] == ["b"]


def test_login_when_no_accounts_are_named_then_they_are_made_in_a_scratch_database_only() -> None:
    login = login_of({"login_url": "/login/"})
    assert login is not None
    assert login.accounts == ()
    with pytest.raises(PlanError, match="--login-url needs --users-file where the database is the app's own"):
        login_of({"login_url": "/login/", "database": "as-is"})
