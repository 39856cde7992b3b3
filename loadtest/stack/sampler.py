"""Samples what processes use: CPU, memory, threads, file descriptors, by role, on a schedule."""

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
    """The processes of one role: those named, and their descendants."""

    roots: list[psutil.Process] = field(default_factory=list)
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
        self._families: dict[str, _Family] = {}
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
            family = self._families.setdefault(role, _Family())
            try:
                family.roots.append(psutil.Process(pid))
            except psutil.Error:
                return
            family.members_until = 0.0

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
            for role, family in self._families.items():
                self._sample_family(role, family)

    def _sample_family(self, role: str, family: _Family) -> None:
        now_s = time.monotonic()
        if now_s >= family.members_until:
            family.members = _with_descendants(family.roots)
            family.members_until = now_s + FAMILY_INTERVAL_S
        samples = [sample for sample in map(_use, family.members) if sample is not None]
        if not samples:
            return
        cpu_s, rss_bytes, threads, fds = (sum(column) for column in zip(*samples, strict=True))
        # A child killed together with its parent takes its CPU time out of the sum; what was used stays used
        family.cpu_s = max(family.cpu_s, cpu_s)
        self._rows.append(
            (time.monotonic_ns(), role, family.cpu_s, int(rss_bytes), int(threads), int(fds), len(samples))
        )  # fmt: skip


def _with_descendants(roots: list[psutil.Process]) -> list[psutil.Process]:
    members: dict[int, psutil.Process] = {}
    for root in roots:
        try:
            members |= {process.pid: process for process in [root, *root.children(recursive=True)]}
        except psutil.Error:
            continue  # it ended
    return list(members.values())


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
