"""The form of a login page, as Django and others write it."""

from __future__ import annotations

import pytest

from loadtest.targets.login_form import find_login_form

DJANGO = """
<form action="/search/"><input name="q" type="search"></form>
<form method="post">
  <input type="hidden" name="csrfmiddlewaretoken" value="abc&amp;d">
  <p><label>Username:</label><input type="text" name="username" autofocus required></p>
  <p><label>Password:</label><input type="password" name="password" required></p>
  <input type="hidden" name="next" value="">
  <input type="submit" value="Log in">
</form>
"""
ANOTHER = """
<FORM ACTION="session?to=home"><input name=login type=email /><input type=checkbox name=remember>
<input name=secret type=PASSWORD></FORM>
"""


def test_form_when_it_is_djangos_then_its_token_is_sent_with_name_and_password() -> None:
    form = find_login_form(DJANGO)
    assert form is not None
    assert form.action == ""
    assert form.filled("ann", "pw") == {
        "csrfmiddlewaretoken": "abc&d", "next": "", "username": "ann", "password": "pw",
    }  # fmt: skip


def test_form_when_its_fields_have_other_names_then_they_are_known_by_their_types() -> None:
    form = find_login_form(ANOTHER)
    assert form is not None
    assert form.action == "session?to=home"
    assert form.filled("ann", "pw") == {"login": "ann", "secret": "pw"}


@pytest.mark.parametrize("page", ["", "<p>Sign in elsewhere", '<form><input name="q"></form>', "<form><<input>"])
def test_form_when_no_password_is_asked_for_then_there_is_none(page: str) -> None:
    assert find_login_form(page) is None
