"""The options that say with what users open their connections; no message repeats a value, which may be secret."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from loadtest.bench.plan import PlanError
from loadtest.load import flag_of
from loadtest.load.entry import Entry
from loadtest.load.given_file import GivenFileError, lines_of
from loadtest.load.handshake import check_header, check_origin, check_subprotocol, header_pair
from loadtest.targets.login import Account, Login
from loadtest.targets.project import SCRATCH

_COOKIE: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+=[^\s;,]*")
"""RFC 6265 4.1.1, but for the few characters that servers take all the same."""


def entry_of(given: Mapping[str, Any]) -> Entry:
    """Return with what users open their connections; PlanError with all problems, which do not repeat a value."""
    lines = [
        *(_read_lines(given["header_file"], "--header-file") if "header_file" in given else ()),
        *given.get("header", ()),
    ]
    problems = []
    for check, option, values in (
        (check_header, "header", lines),
        (check_origin, "origin", filter(None, [given.get("origin", "")])),
        (check_subprotocol, "subprotocol", given.get("subprotocol", ())),
    ):
        problems += [f"{flag_of(option)}: {problem}" for value in values if (problem := _problem(check, value))]
    if any(header_pair(line)[0].lower() == "cookie" for line in lines) and {"cookie", "login_url"} & given.keys():
        problems.append("--header: there are cookies besides the header Cookie; give them all by --cookie")
    if wrong := [text for text in given.get("cookie", ()) if not _COOKIE.fullmatch(text)]:
        problems.append(
            f"--cookie: write NAME=VALUE, got {', '.join(repr(redacted_value(text, '=')) for text in wrong)}"
        )
    if problems:
        raise PlanError("\n".join(problems))
    return Entry(
        headers=tuple(lines),
        cookies=dict(text.split("=", 1) for text in given.get("cookie", ())),
        origin=given.get("origin", ""),
        subprotocols=tuple(given.get("subprotocol", ())),
    )


def login_of(given: Mapping[str, Any]) -> Login | None:
    """Return how users sign in, None where they do not; PlanError, which repeats no line of the file."""
    page, file = given.get("login_url"), given.get("users_file")
    if page is None and file is None:
        return None
    if page is None:
        raise PlanError("--users-file is for signing in; give --login-url, the page with the form, too")
    if file is not None:
        return Login(page=page, accounts=accounts_in(Path(file)))
    if given.get("database", SCRATCH) != SCRATCH:
        raise PlanError(
            "--login-url needs --users-file where the database is the app's own; "
            "`channels-loadtest users create` makes users, and the file"
        )
    return Login(page=page)


def accounts_in(file: Path) -> tuple[Account, ...]:
    """Return the accounts of a file; PlanError, which repeats no line of it."""
    lines = _read_lines(file, "--users-file")
    if wrong := [str(number) for number, line in enumerate(lines, 1) if not all(line.partition(":"))]:
        raise PlanError(f"--users-file {file}: not NAME:PASSWORD in entry {', '.join(wrong)}")
    if not lines:
        raise PlanError(f"--users-file {file} has nobody in it; write NAME:PASSWORD in each line")
    pairs = [line.partition(":") for line in lines]
    return tuple(Account(name=name, password=password) for name, _, password in pairs)


def _problem(check: Callable[[str], str], value: str) -> str:
    try:
        check(value)
    except ValueError as error:
        return str(error)
    return ""


def _read_lines(file: Path, option: str) -> list[str]:
    try:
        return lines_of(file)
    except GivenFileError as error:
        raise PlanError(f"{option} {file} cannot be read: {error}") from None


def redacted_value(value: str, separator: str) -> str:
    """Return what stands before a separator, without what follows it."""
    name, there, _ = value.partition(separator)
    return f"{name}{there}..." if there else "..."
