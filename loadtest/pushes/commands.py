"""Commands: a generator asks the bench, over a Unix socket, to run a push command, and is told what came of it.

One line of JSON each way on a connection of its own. A generator runs none itself: it neither has the app's
environment, which may hold secrets, nor is it to be copied for each command.
"""

import json
import socket
from dataclasses import asdict
from pathlib import Path
from typing import Final

from loadtest.load.push import Command
from loadtest.pushes.outcome import Outcome

COMMAND_S: Final = 30.0
"""Django starts within a second; a command that takes longer than this hangs."""
TOLD_S: Final = 5.0
"""Besides, for the bench to tell it."""


def run_at(address: Path, command: Command) -> Outcome:
    """Have a command run where somebody listens at that socket."""
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(COMMAND_S + TOLD_S)
            sock.connect(str(address))
            sock.sendall(json.dumps(command.line).encode() + b"\n")
            with sock.makefile("rb") as answer:
                return Outcome(**json.loads(answer.readline()))
    except (OSError, ValueError, TypeError) as error:
        return Outcome(kind="unknown", said=f"no answer: {error}")


def read_command(line: bytes) -> Command:
    """Return the command that a line asks for; raises ValueError."""
    return Command(line=str(json.loads(line)))


def write_outcome(outcome: Outcome) -> bytes:
    """Return the line that tells it."""
    return json.dumps(asdict(outcome)).encode() + b"\n"
