"""What the bench and a process that has loaded a locustfile say to each other: each a line of JSON.

The bench itself cannot load one, for that brings in Locust, which patches the process. So it asks another process what
the users of the file send and which frames they know, before anything is measured.
"""

import base64
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

Frame = str | bytes

What = Literal["begin", "address", "joining", "is_joined", "encode", "find"]
"""`begin` makes the users of a class, with a job; the others are about one of them: where it connects, and what its
methods of that name return."""


class _Line:
    """A line of JSON; frames in it may be binary."""

    def line(self) -> str:
        """Return the line."""
        return json.dumps(asdict(self), default=_packed)  # type: ignore[call-overload]  # dataclasses all

    @classmethod
    def read(cls, line: str) -> Self:
        """Return what a line says; raises ValueError or TypeError where it says nothing of this kind."""
        return cls(**json.loads(line, object_hook=_unpacked))


@dataclass(frozen=True, kw_only=True)
class Question(_Line):
    """What the bench asks."""

    what: What
    user: int = 0
    """The user's number."""
    marker: str = ""
    frame: Frame = ""
    cls: str = ""
    """Of `begin`: the name of the class."""
    job: str = ""
    """Of `begin`: the job, as its file has it."""


@dataclass(frozen=True, kw_only=True)
class Answer(_Line):
    """What the file's process answers."""

    problem: str = ""
    """What was raised, and in which line of the file; the rest is then not known."""
    said: str | None = None
    """An address, or a marker; None: there is none in the frame."""
    frames: list[Frame] = field(default_factory=list)
    """What is sent."""
    is_joined: bool = False


@dataclass(frozen=True, kw_only=True)
class FoundClass:
    """A user class of a locustfile."""

    name: str
    is_ours: bool
    """It is a WebSocketUser."""
    row: str = ""
    is_droppable: bool = False
    """It is a ChurnUser."""
    is_paced: bool = False
    """It waits for its planned messages."""
    waits_to_join: bool = False
    """A method of its own tells whether it has joined."""


@dataclass(frozen=True, kw_only=True)
class Found(_Line):
    """What a locustfile was found to be when it was loaded: the first thing that its process says."""

    problem: str = ""
    classes: list[FoundClass] = field(default_factory=list)

    @classmethod
    def read(cls, line: str) -> Self:
        """Return what a line says; raises ValueError or TypeError where it says nothing of this kind."""
        said = json.loads(line)
        return cls(**{**said, "classes": [FoundClass(**one) for one in said["classes"]]})


def _packed(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()}


def _unpacked(said: dict[str, Any]) -> Any:
    return base64.b64decode(said["base64"]) if set(said) == {"base64"} else said
