"""Entry: with what users open their connections, besides what every handshake has; it may hold secrets.

It goes to a generator in a file that nobody else may read, never by a command line and not in the job.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from loadtest.load.handshake import header_pair

OURS_ALONE: Final = 0o600
"""The mode of the file."""
TOKEN_COOKIE: Final = "csrftoken"
TOKEN_HEADER: Final = "X-CSRFToken"
"""CSRF_COOKIE_NAME and CSRF_HEADER_NAME where a project's settings have no others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What opening requests have."""

    headers: tuple[str, ...] = field(default=(), repr=False)
    """Each "Name: value"; no Cookie."""
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Those that every user has."""
    sessions: tuple[Mapping[str, str], ...] = field(default=(), repr=False)
    """The cookies of each user by its number, where users are signed in; with more users they begin anew."""
    origin: str = ""
    """Empty: the target's own address."""
    subprotocols: tuple[str, ...] = ()
    """Those to ask for; the server has to choose one."""
    ca_file: str = ""
    """The PEM file of the only CA to trust behind wss://; empty: those of the system."""
    insecure: bool = False
    """Take any certificate."""

    def of_user(self, user: int) -> list[tuple[str, str]]:
        """Return the names and values of one user's headers."""
        return list(self._of_user(user))

    def of_request(self, user: int) -> list[tuple[str, str]]:
        """Return the names and values of the headers of a request in a user's name.

        Where Django has given the user a token against forged requests, it is sent back.
        """
        token = self._cookies_of(user).get(TOKEN_COOKIE)
        return [*self._of_user(user), *([(TOKEN_HEADER, token)] if token else [])]

    def _of_user(self, user: int) -> Iterator[tuple[str, str]]:
        yield from map(header_pair, self.headers)
        if cookies := self._cookies_of(user):
            yield "Cookie", "; ".join(f"{name}={value}" for name, value in cookies.items())

    def _cookies_of(self, user: int) -> dict[str, str]:
        own = self.sessions[user % len(self.sessions)] if self.sessions else {}
        return {**self.cookies, **own}


def write_entry(entry: Entry, path: Path) -> None:
    """Write a new file that its owner alone may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OURS_ALONE), "w", encoding="utf-8") as file:
        json.dump(asdict(entry), file)


def read_entry(path: Path) -> Entry:
    """Return what `write_entry` wrote; raises OSError."""
    said = json.loads(path.read_text(encoding="utf-8"))
    lists = {name: tuple(value) for name, value in said.items() if isinstance(value, list)}
    return Entry(**{**said, **lists})
