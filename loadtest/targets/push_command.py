"""Push commands: run as the app's own processes are, one after the other or beside each other, and ended for sure."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from loadtest.load.push import Command
from loadtest.pushes import Outcome
from loadtest.pushes.commands import COMMAND_S
from loadtest.pushes.outcome import with_words
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.process import Process, describe_exit, indented_tail

_LOOK_S: Final = 0.1
_LINES: Final = 2
"""Of what it printed last, without tracebacks: what was raised, or what is wrong and where there is help."""


StartCommand = Callable[[str, Path], Process]
"""Starts a command line as the app's own processes are run, with a file for what it prints; EnvironmentFailed."""


@runtime_checkable
class RunsCommands(Protocol):
    """A target in whose surroundings a command can be run."""

    def start_command(self, line: str, log: Path) -> Process:
        """Start a command line in the app's folder, with its environment. Raises EnvironmentFailed."""


def run_command_of(
    start: StartCommand, command: Command, log: Path, is_over: Callable[[], bool] = lambda: False
) -> Outcome:
    """Run a push command to its end, or until `is_over`; what it prints goes to `log`, which is removed."""
    deadline = time.monotonic() + COMMAND_S
    try:
        with start(command.line, log) as process:
            while process.wait(_LOOK_S) is None and time.monotonic() < deadline and not is_over():
                pass
            code = process.exited
        if code is None:
            return Outcome(kind="unknown", said=f"it had not ended after {COMMAND_S:.0f} s")
        told = indented_tail(log.read_text(errors="replace"), _LINES)
        return Outcome(kind="fail" if code else "ok", said=with_words(describe_exit(code), told))
    except EnvironmentFailed as error:
        return Outcome(kind="fail", said=str(error))
    finally:
        log.unlink(missing_ok=True)
