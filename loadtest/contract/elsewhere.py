"""What the bench asks the probe of a server that runs elsewhere, over HTTP, and what is answered.

Every request is a POST without a body to ROUTES and the name of a Request, with the token in Authorization. Answers are
JSON, but for a file of the ledger, which is a zlib stream. An answer of the probe has the header MARK. From BEGIN to
FORGET each request has ?ledger=NAME, a name of the bench's choice: it tells that this bench lives.
"""

import dataclasses
import enum
import json
from dataclasses import dataclass, field
from typing import Any, Final

from loadtest.contract.answers import Answer, AnswerError, not_asked_for, read_answer

TOKEN_VARIABLE: Final = "LOADTEST_PROBE_TOKEN"
"""Environment of the server and of the bench: what lets the bench ask; where it is not set, there are no routes."""
SHARED_VARIABLE: Final = "LOADTEST_PROBE_FOLDER"
"""Environment of the server: the folder in which its processes meet; where it is not set, one beside other temporary
files, which the token and the user name."""
LEAST_TOKEN: Final = 16
"""Characters of a token that nobody guesses."""
HOW_TO_MAKE: Final = "make one by python3 -c 'import secrets; print(secrets.token_urlsafe())'"

ROUTES: Final = "/loadtest-probe/"
MARK: Final = "x-loadtest-probe"
VERSION: Final = 1
"""Of all that is said here; both sides have to have the same."""
LEASE_S: Final = 60.0
"""The probe records no longer than this after it was asked last, and then forgets what it has: a bench that died asks
nothing, and one that lives asks each second, but for the while in which it sends its first message."""


class Request(str, enum.Enum):  # noqa: UP042 - a target may run Python 3.10, which has no StrEnum
    """What is asked; the value is the last part of the path."""

    CLOCK = "clock"
    """What time is it, and who are you?"""
    BEGIN = "begin"
    """Record from now on, all processes, into a new ledger of that name."""
    STATUS = "status"
    RESIDUE = "residue"
    IDENTITY = "identity"
    END = "end"
    """Record no longer."""
    LEDGER = "ledger"
    """Which files does it have? With ?file=NAME: what is in one?"""
    FORGET = "forget"
    """Remove it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """What answers, and its clock."""

    version: int
    ledger_version: int
    machine: str
    """Tells one machine, or container, from another: only the processes of one are known to each other."""
    pid: int
    is_watching: bool
    """loadtest.probe is among the installed apps, so that consumers and channel layers are seen."""
    time_ns: int
    """CLOCK_MONOTONIC, when the answer was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheard:
    """A process that did not answer, and why."""

    pid: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFile:
    """A file of the ledger."""

    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What each process of the server answered, as one line of JSON each."""

    lines: list[bytes] = field(default_factory=list)
    silent: list[Unheard] = field(default_factory=list)


def write_heard(heard: Heard) -> bytes:
    """Return the body that carries the answers of all processes."""
    silent = json.dumps([dataclasses.asdict(one) for one in heard.silent]).encode()
    return b'{"answers": [' + b",".join(line.strip() for line in heard.lines) + b'], "silent": ' + silent + b"}"


def read_heard(body: bytes, kind: type[Answer]) -> tuple[list[Answer], list[Unheard]]:
    """Return what a body carries; raises AnswerError where it is none, or an answer in it is of another kind."""
    said = _read(body)
    try:
        answers = [read_answer(json.dumps(one).encode(), kind) for one in said["answers"]]
        return answers, [Unheard(**one) for one in said["silent"]]
    except (KeyError, TypeError) as error:
        raise not_asked_for(body) from error


def write_value(value: Any) -> bytes:
    """Return the body that carries a data class, or a list of them."""
    said = [dataclasses.asdict(one) for one in value] if isinstance(value, list) else dataclasses.asdict(value)
    return json.dumps(said).encode()


def read_hello(body: bytes) -> Hello:
    """Return what a body carries; raises AnswerError. Of another version only that is looked at."""
    said = _read(body)
    if isinstance(said, dict) and said.get("version", VERSION) != VERSION:
        raise AnswerError(
            f"the probe there speaks version {said['version']}, and this bench version {VERSION}; install the same "
            "release of channels-loadtest on both sides"
        )
    try:
        return Hello(**said)
    except TypeError as error:
        raise not_asked_for(body) from error


def read_files(body: bytes) -> list[LedgerFile]:
    """Return what a body carries; raises AnswerError."""
    try:
        return [LedgerFile(**one) for one in _read(body)]
    except TypeError as error:
        raise not_asked_for(body) from error


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise not_asked_for(body) from error
