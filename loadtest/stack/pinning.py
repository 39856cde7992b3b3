"""Pinning: which CPUs the server gets and which the load, so that neither takes the other's, and both stay there.

The load is what makes and carries it: generators, broker, and the bench itself. A process inherits the CPUs of the
thread that starts it (sched_setaffinity(2)), so nothing that is started needs to know of this.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

Cpus = frozenset[int]

SERVER: str = "server"
LOAD_ROLES = ("generator", "broker", "bench")

CORES_FOR_THREADS = 4
"""From so many cores on, each worker gets CORES_A_WORKER, and the siblings of a core's first thread stay idle."""
CORES_A_WORKER = 2
"""An event loop, and the thread that sync consumers share and async ones hop through before each message."""
LEAST_LOAD_CORES = 2
"""Generator and broker, where there are CORES_FOR_THREADS; with fewer they share one."""
MOST_LOAD_CORES = 3
"""Generator, broker and bench; what is left is for everything else that runs."""
TOPOLOGY = Path("/sys/devices/system/cpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Which CPUs each side may use; not pinned: both have all of them."""

    server: Cpus
    load: Cpus
    is_pinned: bool
    note: str = ""
    """What must be known of it; "" if nothing."""

    @property
    def by_role(self) -> dict[str, Cpus]:
        """The CPUs that each role may use."""
        return {SERVER: self.server, **dict.fromkeys(LOAD_ROLES, self.load)}

    @property
    def spoken(self) -> dict[str, str]:
        """The same for a manifest: {"server": "2-3", ...}."""
        return {role: listed(cpus) for role, cpus in self.by_role.items()}


def place(cpus: Cpus, siblings: Mapping[int, Cpus], *, workers: int = 1) -> Placement:
    """Divide the CPUs between a server of so many workers and the load.

    `siblings` gives the threads of a CPU's core, itself included; a CPU that is not in it is a core of its own. The
    load gets the first cores, for the first one serves most interrupts.
    """
    cores = _cores(cpus, siblings)
    if len(cpus) < 2:
        return floating(cpus, "nothing is pinned: there is one CPU for server, generator and broker")
    if len(cores) == 1:
        first, *others = sorted(cpus)
        note = "server and load run on two threads of one core, which slow each other down"
        return Placement(server=frozenset(others), load=frozenset({first}), is_pinned=True, note=note)
    if len(cores) >= CORES_FOR_THREADS:
        cores = [frozenset({min(core)}) for core in cores]
    server = _server_cores(len(cores), workers)
    load = min(len(cores) - server, MOST_LOAD_CORES)
    return Placement(
        load=frozenset().union(*cores[:load]), server=frozenset().union(*cores[load : load + server]), is_pinned=True
    )


def floating(cpus: Cpus, note: str = "") -> Placement:
    """Let both sides use all CPUs."""
    return Placement(server=cpus, load=cpus, is_pinned=False, note=note)


def _cores(cpus: Cpus, siblings: Mapping[int, Cpus]) -> list[Cpus]:
    """Return the cores that have a CPU of ours, each as those CPUs, in order of their first."""
    return sorted({(siblings.get(cpu, frozenset({cpu})) & cpus) | {cpu} for cpu in cpus}, key=min)


def _server_cores(cores: int, workers: int) -> int:
    if cores < CORES_FOR_THREADS:
        return 1
    return min(workers * CORES_A_WORKER, cores - LEAST_LOAD_CORES)


def placement_here(*, pin: bool, workers: int = 1) -> Placement:
    """Return the placement for this machine and the CPUs that this process may use."""
    cpus = usable_cpus()
    if cpus is None:
        return floating(frozenset(), "nothing is pinned: this system cannot do it")
    return place(cpus, siblings_of(cpus), workers=workers) if pin else floating(cpus)


def usable_cpus() -> Cpus | None:
    """Return the CPUs that this thread may use; None where the system does not tell."""
    return frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def siblings_of(cpus: Cpus, topology: Path = TOPOLOGY) -> dict[int, Cpus]:
    """Return the threads of each CPU's core, as Linux tells them; without the CPUs of which it does not."""
    found = {}
    for cpu in cpus:
        with contextlib.suppress(OSError, ValueError):
            found[cpu] = cpus_in((topology / f"cpu{cpu}/topology/thread_siblings_list").read_text())
    return found


def cpus_in(text: str) -> Cpus:
    """Return the CPUs of a list as Linux writes it, "0-2,5"; raises ValueError."""
    ends = [part.partition("-") for part in text.strip().split(",")]
    return frozenset(cpu for first, _, last in ends for cpu in range(int(first), int(last or first) + 1))


def listed(cpus: Cpus) -> str:
    """Write CPUs as Linux does: "0-2,5"; "any" for none, which stands for all."""
    parts: list[tuple[int, int]] = []
    for cpu in sorted(cpus):
        if parts and parts[-1][1] == cpu - 1:
            parts[-1] = (parts[-1][0], cpu)
        else:
            parts.append((cpu, cpu))
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in parts) or "any"


@contextlib.contextmanager
def on_cpus(cpus: Cpus) -> Iterator[None]:
    """Keep the calling thread, and all that it starts meanwhile, on these CPUs; no CPUs: it stays as it is."""
    before = usable_cpus()
    if not cpus or before is None:
        yield
        return
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
