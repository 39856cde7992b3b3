"""Processes that stand still between their turns: SIGSTOP ends a turn, SIGCONT begins it."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

STOPPING_S = 0.001
"""Between two looks whether a process has stopped."""


def go_on(*pids: int) -> None:
    """Let them run, in this order; one that has ended is passed over."""
    for pid in pids:
        _signal(pid, signal.SIGCONT)


def stop(*pids: int) -> None:
    """Stop them, in this order, and return when all stand still.

    Raises:
        RuntimeError: One has ended.
    """
    for pid in pids:
        _signal(pid, signal.SIGSTOP)
    while not all(_is_stopped(pid) for pid in pids):
        time.sleep(STOPPING_S)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _is_stopped(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    if state == "Z":
        raise RuntimeError(f"process {pid} ended before its turns were over")
    return state == "T"
