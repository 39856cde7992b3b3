"""What a process of a target answers, and how that is written: one line of JSON, the fields of one data class."""

import dataclasses
import json
import re
from dataclasses import dataclass, field
from typing import Any, TypeVar


class AnswerError(ValueError):
    """What came is not the answer that was asked for; the message quotes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a server process says of itself: how many WebSocket scopes are open now."""

    pid: int
    open: int
    ours: int = 0
    """Of these, those that a load generator named."""
    ledger: str = ""
    """The name of the folder that it records into; "" where it does not record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a server process is made of: all that its figures can depend on."""

    pid: int
    python: str
    packages: dict[str, str]
    """The installed version by the name of each package, in its normal form (PEP 503): "channels-redis"."""
    layer: str
    """The full name of the channel layer's class; "" where there is none."""
    database: str
    """Vendor and version of the default database, "sqlite 3.40.1"; "" where there is none."""

    def version_of(self, package: str) -> str:
        """Return the installed version of a package, whichever way its name is written; or that it is not known."""
        return self.packages.get(normal_name(package), "of unknown version")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessResidue:
    """What one server process held at one moment; None: not known, or the app does not tell (presence)."""

    pid: int
    groups: dict[str, list[str]] | None = None
    """Members (channel names) by group."""
    queues: dict[str, int] | None = None
    """Messages waiting by channel; an empty queue that is still kept counts, with 0."""
    subscriptions: list[str] | None = None
    """What the process is subscribed to at the message broker."""
    tasks: dict[str, int] | None = None
    """Unfinished asyncio tasks by what they run."""
    threads: list[str] | None = None
    fds: dict[str, int] | None = None
    """By what they are: "file", "socket", "layer socket" (of the channel layer), "pipe", "anon_inode"."""
    presence: list[int | str] | int | None = None
    """Who the app's own records still call online: ids of connections, names of channels, or anything else; or how
    many there are."""
    memory_kb: int | None = None
    """Memory of the process's own that is resident, in units of 1000 bytes."""
    busy: dict[int, str] | None = None
    """For each connection whose task has not ended: the type of the message its consumer is handling, "" if none."""
    unknown: dict[str, str] = field(default_factory=dict)
    """Why a field is not known, by the field's name."""


Answer = TypeVar("Answer", Status, Identity, ProcessResidue)


def normal_name(package: str) -> str:
    """Return a package's name in its normal form: "channels-redis" for "channels_redis" (PEP 503)."""
    return re.sub(r"[-_.]+", "-", package).lower()


def write_answer(answer: Any) -> bytes:
    """Return the line that carries an answer."""
    return json.dumps(dataclasses.asdict(answer)).encode() + b"\n"


def write_refusal(why: str) -> bytes:
    """Return the line that says why there is no answer."""
    return json.dumps({"error": why}).encode() + b"\n"


def read_answer(line: bytes, kind: type[Answer]) -> Answer:
    """Return the answer of that kind in a line; raises AnswerError when there is none in it, or a refusal.

    Fields that this side does not know are left out, so that a newer probe can be asked.
    """
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if isinstance(said, dict) and said.keys() == {"error"}:
        raise AnswerError(f"not answered: {said['error']}")
    names = {field.name for field in dataclasses.fields(kind)}
    if not isinstance(said, dict) or not names <= said.keys():
        raise not_asked_for(line)
    fields = {name: said[name] for name in names}
    if fields.get("busy"):  # JSON has no whole numbers for keys
        fields["busy"] = {int(connection): message for connection, message in fields["busy"].items()}
    return kind(**fields)


def not_asked_for(came: bytes) -> AnswerError:
    """Return the error that quotes what came."""
    return AnswerError(f"not the answer asked for: {came[:200]!r}")
