"""A process of ours: in a group of its own, logging to a file, on a leash, and ended for sure."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from loadtest.stack.errors import EnvironmentFailed

LEASH = Path(__file__).with_name("leash.py")

STOP_GRACE_S = 5.0
"""From SIGTERM to SIGKILL. Servers are told to give up on their connections sooner."""

POLL_S = 0.01
TAIL_LINES = 20


class Process:
    """A running program; `with` ends it, and the kernel does when the bench is killed (see leash.py)."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        name: str,
        log: Path,
        env: Mapping[str, str],
        cwd: Path,
        has_pipes: bool = False,
    ) -> None:
        """Start `command`, appending what it prints to `log`; `name` is what messages call it.

        With pipes, its input and its output are ours, and only its errors go to the log. Raises EnvironmentFailed when
        it cannot be started at all.
        """
        self.name = name
        self.log = log
        self._stopped = False
        try:
            with log.open("ab") as out:
                self._popen = subprocess.Popen(
                    leashed(command),
                    stdin=subprocess.PIPE if has_pipes else subprocess.DEVNULL,
                    stdout=subprocess.PIPE if has_pipes else out,
                    stderr=out,
                    env=dict(env),
                    cwd=cwd,
                    start_new_session=True,
                )
        except OSError as error:
            raise EnvironmentFailed(f"cannot start {name} (log file {log}): {error}") from error

    @property
    def pid(self) -> int:
        """Its pid, which is also that of its process group."""
        return self._popen.pid

    @property
    def exited(self) -> int | None:
        """Its exit code, or minus the number of the signal that ended it; None while it runs."""
        if self._popen.returncode is not None or not hasattr(os, "waitid"):  # macOS has it from Python 3.13 on
            return self._popen.poll()
        # Left unreaped until stop(): so long its pid, and with it the group's number, cannot become another's
        status = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if status is None:
            return None
        return status.si_status if status.si_code == os.CLD_EXITED else -status.si_status

    @property
    def alive(self) -> bool:
        """Tell whether it runs."""
        return self.exited is None

    def wait(self, timeout_s: float) -> int | None:
        """Return its exit code, or None when it still runs after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while self.alive and time.monotonic() < deadline:
            time.sleep(POLL_S)
        return self.exited

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and all it started; nothing happens when all of them are gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
            if not self._stopped:
                os.killpg(self.pid, number)

    def stop(self, grace_s: float = STOP_GRACE_S) -> int:
        """End it and all it started: SIGTERM, after `grace_s` SIGKILL. Return its exit code; may be called again."""
        try:
            if self.alive:
                self.signal(signal.SIGTERM)
                self.wait(grace_s)
        finally:  # also on Ctrl-C while waiting
            self.signal(signal.SIGKILL)
            self._popen.wait()
            self._stopped = True
        return self._popen.returncode

    def log_tail(self, lines: int = TAIL_LINES) -> str:
        """Return the last lines that it printed."""
        return log_tail(self.log, lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended that was waited for."""

    code: int
    errors: str
    """What it printed to its standard error."""


def run_command(command: Sequence[str], *, env: Mapping[str, str], timeout_s: float, cwd: Path | None = None) -> Ended:
    """Run a command to its end; raises TimeoutError when it takes longer, EnvironmentFailed when it cannot start."""
    try:
        done = subprocess.run(
            leashed(command), env=dict(env), timeout=timeout_s, capture_output=True, text=True, cwd=cwd
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"{command[0]} took longer than {timeout_s:.0f} s") from error
    except OSError as error:
        raise EnvironmentFailed(f"cannot start {command[0]}: {error}") from error
    return Ended(code=done.returncode, errors=done.stderr)


def leashed(command: Sequence[str]) -> list[str]:
    """Return the command line that runs `command` so that it dies with this process."""
    return [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *command]


def log_tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log file, indented; says so when there are none."""
    try:
        text = log.read_text(errors="replace")
    except OSError as error:
        return f"  (no log: {error.strerror})"
    return indented_tail(text, lines) or "  (it printed nothing)"


def indented_tail(text: str, lines: int = TAIL_LINES) -> str:
    """Return the last lines of what a program printed, indented; of Python's tracebacks only what was raised."""
    kept: list[str] = []
    in_traceback = False
    for line in text.splitlines():
        in_traceback = line.startswith("Traceback (") or (in_traceback and line.startswith(" "))
        if not in_traceback and line:
            kept.append(f"  {line}")
    return "\n".join(kept[-lines:])


def describe_exit(code: int) -> str:
    """Say how a process ended: "exit code 3" or "SIGKILL"."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
