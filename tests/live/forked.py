"""The command in a process forked from one that has imported it: that takes 0.05 s of CPU, and to import it anew 2 s.

All else is as where a person starts it: a session, an environment, a folder and files for what it prints of its own.
What comes before `start()` is left out: the installed script, and what a signal does while modules are imported
(tests/unit/test_start.py). So tests of a command's first moments, and one whole bench, start it anew.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from loadtest.cli.start import start

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(
    ["loadtest.cli.main", "loadtest.report.html", "loadtest.report.capacity.page", "tests.live.forked"]
)


class Forked:
    """A running command, with the methods of `subprocess.Popen` that tests use."""

    def __init__(
        self, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path | None, out: Path, err: Path
    ) -> None:
        """Start it; what it prints is written to the files `out` and `err`."""
        words = [str(word) for word in command]
        given = (words, dict(env), cwd or Path.cwd(), out, err)
        self._process = _FORKING.Process(target=_become, args=given)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Return its exit code, or minus the number of the signal that ended it; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code once it has ended; subprocess.TimeoutExpired where it still runs."""
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal; nothing happens where it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _become(command: list[str], env: dict[str, str], cwd: Path, out: Path, err: Path) -> None:
    """Turn this process into the command."""
    os.setsid()
    sys.stdout = _into(out, 1)
    sys.stderr = _into(err, 2, buffering=1)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    tempfile.tempdir = None  # it is found anew, by the environment
    sys.argv = command
    start()


def _into(path: Path, number: int, buffering: int = -1) -> TextIO:
    """Have what is written to that file descriptor go to a file; return the stream that does."""
    with path.open("wb") as file:
        os.dup2(file.fileno(), number)
    return open(number, "w", buffering=buffering, encoding="utf-8", closefd=False)
