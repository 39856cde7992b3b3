"""Contention: what other processes and virtual machines took of the CPUs that ours may use, and what it cost ours."""

from collections.abc import Iterator
from dataclasses import dataclass

from loadtest.checks.records import TrialRecords, Window
from loadtest.checks.usage import cpu_s, grown, waited_s

BENCH = "bench"
"""The role of the bench itself: its waiting delays no message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Some CPUs, and what happened there in the window; seconds, summed over the CPUs. None: not known."""

    roles: tuple[str, ...]
    """Whose processes may run there."""
    foreign_s: float | None
    """CPU time of processes that are none of ours."""
    steal_s: float | None
    """CPU time that was wanted and went to other virtual machines."""


def shared_cpus(trial: TrialRecords, window: Window) -> list[Shared]:
    """Return each set of CPUs that was sampled; one for all roles where nothing is pinned."""
    return list(_shared(trial, window))


def _shared(trial: TrialRecords, window: Window) -> Iterator[Shared]:
    if trial.cpus is None:
        return
    for (names,), samples in trial.cpus.group_by(["roles"], maintain_order=True):
        roles = tuple(str(names).split(","))
        ours = [cpu_s(trial, role, window.start_ns, window.end_ns) for role in roles]
        busy_s = grown(samples, "busy_s", window)
        # A role without processes, such as the broker where there is none, is not sampled and uses nothing
        foreign_s = None if busy_s is None else max(0.0, busy_s - sum(used or 0.0 for used in ours))
        yield Shared(roles=roles, foreign_s=foreign_s, steal_s=grown(samples, "steal_s", window))


def foreign_cpu(trial: TrialRecords, window: Window) -> float | None:
    """Return the CPU that others used of the CPUs that ours may use, as a share of one core."""
    return _share([cpus.foreign_s for cpus in shared_cpus(trial, window)], window)


def steal(trial: TrialRecords, window: Window) -> float | None:
    """Return the CPU that went to other virtual machines, as a share of one core."""
    return _share([cpus.steal_s for cpus in shared_cpus(trial, window)], window)


def contention(trial: TrialRecords, window: Window) -> float | None:
    """Return for which share of the window a role of ours waited for a CPU because of others, at most.

    A role waited no longer for others than its threads waited in all, and no longer than others used its CPUs; of the
    roles, the one for which that is most. None where neither is known of any.
    """
    shares = [
        min(waiting_s, cpus.foreign_s) / window.duration_s
        for cpus in shared_cpus(trial, window)
        for role in cpus.roles
        if role != BENCH
        if cpus.foreign_s is not None and (waiting_s := waited_s(trial, role, window)) is not None
    ]
    return max(shares, default=None)


def _share(seconds: list[float | None], window: Window) -> float | None:
    known = [one for one in seconds if one is not None]
    return sum(known) / window.duration_s if known else None
