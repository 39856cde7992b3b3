"""Questions to the probe: asks each process of a target, over its control socket, what it holds."""

import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from loadtest.checks.records import ProcessResidue

ANSWER_S = 10.0
"""A server busy with a backlog answers late; one that answers later than this is reported as silent."""

ANSWER_BYTES = 256 * 1024 * 1024
"""A residue of a hundred thousand connections is some 20 MB; more than this is not an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a server process says of itself: how many WebSocket scopes are open now."""

    pid: int
    open: int
    ledger: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A process that gave no answer, and why."""

    pid: int
    why: str


Answer = TypeVar("Answer", Status, ProcessResidue)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers(Generic[Answer]):
    """What the processes of a target answered, by pid."""

    answered: tuple[Answer, ...]
    silent: tuple[Silent, ...]


def ask_status(control: Path, *, answer_s: float = ANSWER_S) -> Answers[Status]:
    """Ask every process with a socket in the folder `control` for its status, each with a deadline."""
    return _ask_all(control, "status", Status, answer_s)


def ask_residue(control: Path, *, answer_s: float = ANSWER_S) -> Answers[ProcessResidue]:
    """Ask every process with a socket in the folder `control` what it still holds, each with a deadline."""
    return _ask_all(control, "residue", ProcessResidue, answer_s)


def parse_residue(answer: Any) -> ProcessResidue:
    """Return what a probe's answer says; raises ValueError when it is none."""
    return _parsed(answer, ProcessResidue)


def _ask_all(control: Path, question: str, kind: Callable[..., Answer], answer_s: float) -> Answers[Answer]:
    answered: list[Answer] = []
    silent: list[Silent] = []
    for path in sorted(control.glob("control-*.sock")):
        try:
            answered.append(_parsed(_ask(path, question, answer_s), kind))
        except (OSError, ValueError) as error:
            silent.append(Silent(pid=int(path.stem.partition("-")[2]), why=str(error) or type(error).__name__))
    return Answers(answered=tuple(answered), silent=tuple(silent))


def _ask(path: Path, question: str, answer_s: float) -> Any:
    """Return the JSON of the one line answered; raises OSError or ValueError."""
    deadline = time.monotonic() + answer_s
    answer = bytearray()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(answer_s)
        sock.connect(str(path))
        sock.sendall(question.encode() + b"\n")
        while not answer.endswith(b"\n"):
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            data = sock.recv(1 << 16)
            if not data:
                raise ValueError(f"the answer to {question!r} was cut off after {len(answer)} bytes")
            answer += data
            if len(answer) > ANSWER_BYTES:
                raise ValueError(f"the answer to {question!r} has more than {ANSWER_BYTES} bytes")
    return json.loads(answer)


def _parsed(answer: Any, kind: Callable[..., Answer]) -> Answer:
    """Make the data class of the answer; what it does not know is left out, what is missing is an error."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if not isinstance(answer, dict) or not names <= answer.keys():
        raise ValueError(f"not the answer asked for: {str(answer)[:200]}")
    fields_given = {name: answer[name] for name in names}
    if fields_given.get("busy"):  # JSON has no whole numbers for keys
        fields_given["busy"] = {int(connection): message for connection, message in fields_given["busy"].items()}
    return kind(**fields_given)
