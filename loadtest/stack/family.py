"""A family: a process and all that it started, and what they use of the machine now."""

from dataclasses import dataclass, field

import psutil

from loadtest.stack.waiting import Waited, WaitingOf

FAMILY_INTERVAL_S = 1.0
"""Finding child processes reads the whole process table (some ms), so it is done less often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What one process uses: CPU seconds since it began, resident bytes, threads and open files now."""

    cpu_s: float
    rss_bytes: int
    threads: int
    fds: int
    fds_left: int | None
    """How many more it may open; None: no limit, or not known."""


@dataclass(slots=True, kw_only=True)
class Family:
    """A process that is watched, and its descendants."""

    root: psutil.Process
    alone: bool = False
    """Without its descendants that live: they are watched in roles of their own. What has ended counts as its own."""
    cpu_s: float = 0.0
    """Used by all of them so far; never falls."""
    _members: list[psutil.Process] = field(default_factory=list)
    _members_until_s: float = 0.0
    _waiting: dict[int, WaitingOf] = field(default_factory=dict)

    def look(self, now_s: float) -> list[Use]:
        """Return what each process uses now, and keep what all have used of the CPU; `now_s` is CLOCK_MONOTONIC."""
        if now_s >= self._members_until_s:
            self._members = [self.root] if self.alone else _with_descendants(self.root)
            self._members_until_s = now_s + FAMILY_INTERVAL_S
        found = [use for use in map(self._use, self._members) if use is not None]
        # A child killed together with its parent takes its CPU time out of the sum
        self.cpu_s = max(self.cpu_s, sum(use.cpu_s for use in found))
        return found

    def look_at_waiting(self) -> Waited:
        """Return what all of them have waited for a CPU so far."""
        for process in self._members:
            self._waiting.setdefault(process.pid, WaitingOf(pid=process.pid)).look()
        waited = [waiting.waited for waiting in self._waiting.values()]
        return Waited(wait_s=sum(one.wait_s for one in waited), involuntary=sum(one.involuntary for one in waited))

    def _use(self, process: psutil.Process) -> Use | None:
        """Return what a process uses; None when it has ended."""
        try:
            with process.oneshot():
                if process.status() == psutil.STATUS_ZOMBIE:
                    return None
                fds = process.num_fds()
                return Use(
                    cpu_s=self._cpu_s(process),
                    rss_bytes=process.memory_info().rss,
                    threads=process.num_threads(),
                    fds=fds,
                    fds_left=_fds_left(process, fds),
                )
        except psutil.Error:
            return None

    def _cpu_s(self, process: psutil.Process) -> float:
        times = process.cpu_times()
        children_s = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
        used_s: float = times.user + times.system + children_s
        return used_s


def _fds_left(process: psutil.Process, fds: int) -> int | None:
    """Return how many more files it may open; asked each time, for a limit can change while it runs."""
    if not hasattr(process, "rlimit"):
        return None
    soft: int = process.rlimit(psutil.RLIMIT_NOFILE)[0]
    return None if soft == psutil.RLIM_INFINITY else soft - fds


def _with_descendants(root: psutil.Process) -> list[psutil.Process]:
    try:
        return list({process.pid: process for process in [root, *root.children(recursive=True)]}.values())
    except psutil.Error:
        return []  # it ended
