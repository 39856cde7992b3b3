"""The form of a login page: which of its forms asks for a password, and what is to be sent for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

_NAMES: Final = frozenset({"text", "email", "tel", ""})
"""Types of the field that a user's name, address or number goes into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginForm:
    """A form with a password in it."""

    action: str
    """Where it is sent to, as the page has it; empty: to the page itself."""
    fixed: Mapping[str, str] = field(repr=False)
    """Hidden fields, such as the token against forged requests."""
    name: str
    """The field of the user's name."""
    password: str
    """The field of the password."""

    def filled(self, name: str, password: str) -> dict[str, str]:
        """Return what a browser sends."""
        return {**self.fixed, self.name: name, self.password: password}


def find_login_form(page: str) -> LoginForm | None:
    """Return the first form of a page that has a field for a name and one for a password; None where there is none."""
    reader = _Reader()
    reader.feed(page)
    for action, inputs in reader.forms:
        names = [one["name"] for one in inputs if one["type"] in _NAMES]
        passwords = [one["name"] for one in inputs if one["type"] == "password"]
        if names and passwords:
            fixed = {one["name"]: one["value"] for one in inputs if one["type"] == "hidden"}
            return LoginForm(action=action, fixed=fixed, name=names[0], password=passwords[0])
    return None


class _Reader(HTMLParser):
    """Collects forms, each with its action and its named inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, list[dict[str, str]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given.get("action", ""), []))
        elif tag == "input" and self.forms and given.get("name"):
            told = {name: given.get(name, "") for name in ("name", "value")}
            self.forms[-1][1].append({**told, "type": given.get("type", "").lower()})
