"""A dialogue: a process that is asked line by line, and answers each with a line."""

import contextlib
import os
import select
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.process import STOP_GRACE_S, Process

_CHUNK: Final = 1 << 16


class Dialogue(Process):
    """A running program that reads lines and writes lines; what it has to say otherwise is in its log."""

    def __init__(self, command: Sequence[str], *, name: str, log: Path, env: Mapping[str, str], cwd: Path) -> None:
        """Start `command`; `name` is what messages call it. Raises EnvironmentFailed when it cannot be started."""
        super().__init__(command, name=name, log=log, env=env, cwd=cwd, has_pipes=True)
        assert self._popen.stdin is not None and self._popen.stdout is not None
        self._into, self._out_of = self._popen.stdin, self._popen.stdout
        self._heard = b""

    def ask(self, line: str, *, within_s: float) -> str:
        """Say a line and return the one that answers it. Raises EnvironmentFailed when none comes in that time."""
        with contextlib.suppress(BrokenPipeError):  # it has ended, which is told where no answer comes
            self._into.write(line.encode() + b"\n")
            self._into.flush()
        return self.hear(within_s=within_s)

    def hear(self, *, within_s: float) -> str:
        """Return the next line that it says. Raises EnvironmentFailed when none comes in that time."""
        deadline, fileno = time.monotonic() + within_s, self._out_of.fileno()
        while b"\n" not in self._heard:
            if not select.select([fileno], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise EnvironmentFailed(f"{self.name} did not answer within {within_s:.0f} s")
            more = os.read(fileno, _CHUNK)
            if not more:
                raise EnvironmentFailed(f"{self.name} ended by itself; its last lines:\n{self.log_tail()}")
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode()

    def end(self, *, within_s: float) -> None:
        """Close its input, at which it is to end by itself, and wait until it has; not longer than that."""
        with contextlib.suppress(OSError, EnvironmentFailed):
            self._into.close()
            while True:
                self.hear(within_s=within_s)

    def stop(self, grace_s: float = STOP_GRACE_S) -> int:
        """End it and all it started; return its exit code."""
        code = super().stop(grace_s)
        for pipe in (self._into, self._out_of):
            with contextlib.suppress(OSError):  # what it did not take any more
                pipe.close()
        return code
