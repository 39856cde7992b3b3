"""Waiting: how long the threads of a process were ready to run and had no CPU, and how often one was taken from them.

Linux keeps both for each thread: /proc/PID/task/TID/schedstat (time on a CPU, time on a run queue, in ns) and
.../status (nonvoluntary_ctxt_switches). The files of the process itself tell of its first thread only.
"""

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
_SWITCHES = b"nonvoluntary_ctxt_switches:"
_NS_A_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """What the threads of some processes have waited since they began."""

    wait_s: float
    """Ready to run and on no CPU, summed over the threads."""
    involuntary: int
    """How often the kernel took the CPU from one that could have gone on."""


@dataclass(slots=True, kw_only=True)
class WaitingOf:
    """Follows the threads of one process; what a thread waited still counts when it has ended."""

    pid: int
    _threads: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Wait in ns and involuntary switches by thread."""
    _ended: tuple[int, int] = (0, 0)
    """Of threads whose number another one has got since."""

    def look(self, proc: Path = PROC) -> None:
        """Read what its threads have waited until now; nothing changes when the process is gone."""
        folder = f"{proc}/{self.pid}/task"
        with contextlib.suppress(OSError):
            for thread in os.listdir(folder):  # noqa: PTH208 - as below
                self._look_at(thread, f"{folder}/{thread}")

    def _look_at(self, thread: str, folder: str) -> None:
        with contextlib.suppress(OSError, ValueError, IndexError):  # it ended meanwhile
            now = int(_content(f"{folder}/schedstat").split()[1]), _switches(_content(f"{folder}/status"))
            before = self._threads.get(thread, (0, 0))
            if now[0] < before[0]:
                self._ended = self._ended[0] + before[0], self._ended[1] + before[1]
            self._threads[thread] = now

    @property
    def waited(self) -> Waited:
        """What its threads have waited, as far as was seen."""
        waits, switches = zip(self._ended, *self._threads.values(), strict=True)
        return Waited(wait_s=sum(waits) / _NS_A_S, involuntary=sum(switches))


def tells_waiting(proc: Path = PROC) -> bool:
    """Tell whether this kernel keeps it: one that does not has no such file, or zeros in it for a thread that runs."""
    try:
        return int(_content(f"{proc}/thread-self/schedstat").split()[2]) > 0
    except (OSError, ValueError, IndexError):
        return False


def _switches(status: bytes) -> int:
    return int(status[status.index(_SWITCHES) + len(_SWITCHES) :].split(maxsplit=1)[0])


def _content(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - some hundred times a second
        return file.read()
