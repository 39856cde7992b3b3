"""Samples what processes use, by role, and what goes on at the machine beside them, on a schedule."""

import contextlib
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

import polars as pl
import psutil

from loadtest.stack.family import Family, Use
from loadtest.stack.host import clocks, cpu_times, quotas, throttled_s
from loadtest.stack.pinning import Cpus
from loadtest.stack.waiting import tells_waiting

INTERVAL_S = 0.1
WAITING_EVERY = 5
"""Of so many samples one tells of waiting: it takes 20 µs a thread, as much as all else of a process together."""

SCHEMA: dict[str, pl.DataType] = {
    "time_ns": pl.Int64(),
    "role": pl.String(),
    "cpu_s": pl.Float64(),
    "rss_bytes": pl.Int64(),
    "threads": pl.Int32(),
    "fds": pl.Int32(),
    "processes": pl.Int32(),
    "wait_s": pl.Float64(),
    "involuntary": pl.Int64(),
    "fds_left": pl.Int64(),
}
CPUS_SCHEMA: dict[str, pl.DataType] = {
    "time_ns": pl.Int64(),
    "roles": pl.String(),
    "busy_s": pl.Float64(),
    "steal_s": pl.Float64(),
}
HOST_SCHEMA: dict[str, pl.DataType] = {
    "time_ns": pl.Int64(),
    "throttled_s": pl.Float64(),
    "wall_ns": pl.Int64(),
    "boot_ns": pl.Int64(),
}


class Sampler:
    """Takes a sample of every role each `interval_s` in a thread of its own, between entering and leaving `with`.

    A row says for one role at one moment: CPU seconds used since its processes began (user and system, those of ended
    children included; never falls), resident bytes, threads and open file descriptors now, how many processes it was
    summed over, how long their threads have waited for a CPU and how often one was taken from them (in one of
    WAITING_EVERY rows, else null), and how many more files the process may open that is nearest to its limit. What the
    system does not tell is null. `time_ns` is CLOCK_MONOTONIC. A role whose processes have all ended gets no more rows.
    """

    def __init__(
        self,
        roles: Mapping[str, Sequence[int]] | None = None,
        *,
        cpus: Mapping[str, Cpus] | None = None,
        interval_s: float = INTERVAL_S,
    ) -> None:
        """Watch the pids by role ("server", "generator", "broker"); no pids: it is not ours.

        `cpus` says which CPUs the roles may use; roles have the same ones, or none in common.
        """
        self._interval_s = interval_s
        self._families: dict[str, list[Family]] = {}
        self._sharing = _sharing(cpus or {})
        self._rows: list[tuple[object, ...]] = []
        self._cpus_rows: list[tuple[object, ...]] = []
        self._host_rows: list[tuple[object, ...]] = []
        self._tells_waiting = tells_waiting()
        self._quotas = quotas()
        self._changing = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        for role, pids in (roles or {}).items():
            for pid in pids:
                self.watch(role, pid)

    def watch(self, role: str, pid: int, *, alone: bool = False) -> None:
        """Add a process, and what it starts unless it is to be `alone`, to a role; one that is gone is left out."""
        with self._changing:
            families = self._families.setdefault(role, [])
            with contextlib.suppress(psutil.Error):
                families.append(Family(root=psutil.Process(pid), alone=alone))

    def frame(self) -> pl.DataFrame:
        """Return the samples so far, by time: columns as in SCHEMA."""
        with self._changing:
            return pl.DataFrame(self._rows, schema=SCHEMA, orient="row")

    def cpus_frame(self) -> pl.DataFrame:
        """Return what all processes of the machine used of the CPUs that some roles share, columns as in CPUS_SCHEMA.

        `roles` are the names of these roles, sorted, by comma. No rows where the system does not tell.
        """
        with self._changing:
            return pl.DataFrame(self._cpus_rows, schema=CPUS_SCHEMA, orient="row")

    def host_frame(self) -> pl.DataFrame:
        """Return how long quotas held us back, and how far the other clocks were ahead: columns as in HOST_SCHEMA."""
        with self._changing:
            return pl.DataFrame(self._host_rows, schema=HOST_SCHEMA, orient="row")

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
        ticks = samples = 0
        while True:
            self._sample(with_waiting=samples % WAITING_EVERY == 0)
            samples += 1
            late = (time.monotonic() - start) / self._interval_s
            ticks = max(ticks + 1, int(late) + 1)  # a tick that was missed is not made up for
            if self._ending.wait(start + ticks * self._interval_s - time.monotonic()):
                break
        self._sample(with_waiting=True)  # the end of what was measured belongs to it

    def _sample(self, *, with_waiting: bool) -> None:
        with self._changing:
            self._sample_host()
            for role, families in self._families.items():
                self._sample_role(role, families, with_waiting=with_waiting and self._tells_waiting)

    def _sample_host(self) -> None:
        for roles, cpus in self._sharing.items():
            if times := cpu_times(cpus):
                self._cpus_rows.append((time.monotonic_ns(), roles, times.busy_s, times.steal_s))
        ahead = clocks()
        self._host_rows.append((time.monotonic_ns(), throttled_s(self._quotas), ahead.wall_ns, ahead.boot_ns))

    def _sample_role(self, role: str, families: list[Family], *, with_waiting: bool) -> None:
        now_s = time.monotonic()
        uses = [use for family in families for use in family.look(now_s)]
        if not uses:
            return
        cpu_s = sum(family.cpu_s for family in families)  # of those that have ended too: what was used stays used
        waited = _waited(families) if with_waiting else (None, None)
        self._rows.append((time.monotonic_ns(), role, cpu_s, *_summed(uses), *waited, _fds_left(uses)))


def _sharing(cpus: Mapping[str, Cpus]) -> dict[str, Cpus]:
    """Return each set of CPUs by the roles that have it, sorted and by comma."""
    roles_by_cpus: dict[Cpus, list[str]] = {}
    for role, its in sorted(cpus.items()):
        roles_by_cpus.setdefault(its, []).append(role)
    return {",".join(roles): its for its, roles in roles_by_cpus.items() if its}


def _waited(families: Iterable[Family]) -> tuple[float, int]:
    waited = [family.look_at_waiting() for family in families]
    return sum(one.wait_s for one in waited), sum(one.involuntary for one in waited)


def _summed(uses: Sequence[Use]) -> tuple[int, int, int, int]:
    """Return resident bytes, threads, file descriptors, and the number of processes."""
    return sum(use.rss_bytes for use in uses), sum(use.threads for use in uses), sum(use.fds for use in uses), len(uses)


def _fds_left(uses: Iterable[Use]) -> int | None:
    return min((use.fds_left for use in uses if use.fds_left is not None), default=None)
