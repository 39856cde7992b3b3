"""Samples what processes use: CPU, memory, threads, file descriptors, by role, on a schedule."""

import contextlib
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import polars as pl
import psutil

INTERVAL_S = 0.1
FAMILY_INTERVAL_S = 1.0
"""Finding child processes reads the whole process table (some ms), so it is done less often."""

SCHEMA: dict[str, pl.DataType] = {
    "time_ns": pl.Int64(),
    "role": pl.String(),
    "cpu_s": pl.Float64(),
    "rss_bytes": pl.Int64(),
    "threads": pl.Int32(),
    "fds": pl.Int32(),
    "processes": pl.Int32(),
}


@dataclass(slots=True, kw_only=True)
class _Family:
    """A process that is watched, and its descendants."""

    root: psutil.Process
    members: list[psutil.Process] = field(default_factory=list)
    members_until: float = 0.0
    cpu_s: float = 0.0


class Sampler:
    """Takes a sample of every role each `interval_s` in a thread of its own, between entering and leaving `with`.

    A row says for one role at one moment: CPU seconds used since its processes began (user and system, those of ended
    children included; never falls), resident bytes, threads and open file descriptors now, and how many processes it
    was summed over. `time_ns` is CLOCK_MONOTONIC. A role whose processes have all ended gets no more rows.
    """

    def __init__(self, roles: Mapping[str, Sequence[int]] | None = None, *, interval_s: float = INTERVAL_S) -> None:
        """Watch the pids by role ("server", "generator", "broker"); no pids: it is not ours."""
        self._interval_s = interval_s
        self._families: dict[str, list[_Family]] = {}
        self._rows: list[tuple[int, str, float, int, int, int, int]] = []
        self._changing = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        for role, pids in (roles or {}).items():
            for pid in pids:
                self.watch(role, pid)

    def watch(self, role: str, pid: int) -> None:
        """Add a process, and what it starts, to a role; one that is gone already is left out."""
        with self._changing:
            families = self._families.setdefault(role, [])
            with contextlib.suppress(psutil.Error):
                families.append(_Family(root=psutil.Process(pid)))

    def frame(self) -> pl.DataFrame:
        """Return the samples so far, by time: columns as in SCHEMA."""
        with self._changing:
            return pl.DataFrame(self._rows, schema=SCHEMA, orient="row")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        start = time.monotonic()
        ticks = 0
        while True:
            self._sample()
            late = (time.monotonic() - start) / self._interval_s
            ticks = max(ticks + 1, int(late) + 1)  # a tick that was missed is not made up for
            if self._ending.wait(start + ticks * self._interval_s - time.monotonic()):
                break
        self._sample()  # the end of what was measured belongs to it

    def _sample(self) -> None:
        with self._changing:
            for role, families in self._families.items():
                self._sample_role(role, families)

    def _sample_role(self, role: str, families: list[_Family]) -> None:
        samples = [sample for family in families for sample in _sample_family(family)]
        if not samples:
            return
        _, rss_bytes, threads, fds = (sum(column) for column in zip(*samples, strict=True))
        cpu_s = sum(family.cpu_s for family in families)  # of those that have ended too: what was used stays used
        self._rows.append((time.monotonic_ns(), role, cpu_s, int(rss_bytes), int(threads), int(fds), len(samples)))


def _sample_family(family: _Family) -> list[tuple[float, int, int, int]]:
    """Return what each process of a family uses now, and keep what all of them have used of the CPU."""
    now_s = time.monotonic()
    if now_s >= family.members_until:
        family.members = _with_descendants(family.root)
        family.members_until = now_s + FAMILY_INTERVAL_S
    samples = [sample for sample in map(_use, family.members) if sample is not None]
    # A child killed together with its parent takes its CPU time out of the sum
    family.cpu_s = max(family.cpu_s, sum(cpu_s for cpu_s, *_ in samples))
    return samples


def _with_descendants(root: psutil.Process) -> list[psutil.Process]:
    try:
        return list({process.pid: process for process in [root, *root.children(recursive=True)]}.values())
    except psutil.Error:
        return []  # it ended


def _use(process: psutil.Process) -> tuple[float, int, int, int] | None:
    """Return CPU seconds, resident bytes, threads and file descriptors; None when the process has ended."""
    try:
        with process.oneshot():
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            times = process.cpu_times()
            children_s = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
            return (
                times.user + times.system + children_s,
                process.memory_info().rss,
                process.num_threads(),
                process.num_fds(),
            )
    except psutil.Error:
        return None
