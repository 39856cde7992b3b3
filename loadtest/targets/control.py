"""Questions to the probe: asks each process of a target, over its control socket, what it holds."""

import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from loadtest.contract import CONTROL_SOCKETS, Answer, Identity, ProcessResidue, Question, Status, read_answer

ANSWER_S = 10.0
"""A server busy with a backlog answers late; one that answers later than this is reported as silent."""

ANSWER_BYTES = 256 * 1024 * 1024
"""A residue of a hundred thousand connections is some 20 MB; more than this is not an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A process that gave no answer, and why."""

    pid: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers(Generic[Answer]):
    """What the processes of a target answered, by pid."""

    answered: tuple[Answer, ...]
    silent: tuple[Silent, ...]

    @property
    def unanswered(self) -> str:
        """Why there are fewer answers than processes; "" where every process answered."""
        why = "; ".join(f"process {silent.pid} did not answer: {silent.why}" for silent in self.silent)
        return why or ("" if self.answered else "no process of the server answered")


def ask_status(control: Path, *, answer_s: float = ANSWER_S) -> Answers[Status]:
    """Ask every process with a socket in the folder `control` for its status, each with a deadline."""
    return _ask_all(control, Question.STATUS, Status, answer_s)


def ask_residue(control: Path, *, answer_s: float = ANSWER_S) -> Answers[ProcessResidue]:
    """Ask every process with a socket in the folder `control` what it still holds, each with a deadline."""
    return _ask_all(control, Question.RESIDUE, ProcessResidue, answer_s)


def ask_identity(control: Path, *, answer_s: float = ANSWER_S) -> Answers[Identity]:
    """Ask every process with a socket in the folder `control` what it is made of, each with a deadline."""
    return _ask_all(control, Question.IDENTITY, Identity, answer_s)


def _ask_all(control: Path, question: Question, kind: type[Answer], answer_s: float) -> Answers[Answer]:
    answered: list[Answer] = []
    silent: list[Silent] = []
    for path in sorted(control.glob(CONTROL_SOCKETS.format(pid="*"))):
        try:
            answered.append(read_answer(_ask(path, question, answer_s), kind))
        except (OSError, ValueError) as error:
            silent.append(Silent(pid=int(path.stem.partition("-")[2]), why=str(error) or type(error).__name__))
    return Answers(answered=tuple(answered), silent=tuple(silent))


def _ask(path: Path, question: Question, answer_s: float) -> bytes:
    """Return the one line answered; raises OSError or ValueError."""
    deadline = time.monotonic() + answer_s
    answer = bytearray()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(answer_s)
        sock.connect(str(path))
        sock.sendall(question.value.encode() + b"\n")
        while not answer.endswith(b"\n"):
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            data = sock.recv(1 << 16)
            if not data:
                raise ValueError(f"the answer to {question.value!r} was cut off after {len(answer)} bytes")
            answer += data
            if len(answer) > ANSWER_BYTES:
                raise ValueError(f"the answer to {question.value!r} has more than {ANSWER_BYTES} bytes")
    return bytes(answer)
