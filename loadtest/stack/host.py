"""The host: what all processes together use of some CPUs, what is withheld from us, whether its clocks run evenly."""

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from loadtest.stack.pinning import Cpus

STAT = Path("/proc/stat")
CGROUPS = Path("/sys/fs/cgroup")
CLOCK_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")

_READINGS = 3
"""Two clocks cannot be read in one moment; of some tries the quickest is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTimes:
    """What has been used of some CPUs since the machine started, in seconds summed over them."""

    busy_s: float
    """User and system time of all processes. Without the time of interrupts: kernels differ in whether they charge it
    to the process that was interrupted too, and then that of our own messages would look like another's."""
    steal_s: float
    """Wanted, and given to another virtual machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """How far other clocks are ahead of CLOCK_MONOTONIC, in ns; both stay the same while nothing is wrong."""

    wall_ns: int
    """CLOCK_REALTIME: changes when the wall clock is set. Slewing (NTP) moves both clocks alike."""
    boot_ns: int | None
    """CLOCK_BOOTTIME: grows while the machine sleeps; None where there is no such clock."""


def cpu_times(cpus: Cpus, stat: Path = STAT) -> CpuTimes | None:
    """Return what has been used of these CPUs; None where the system does not tell of each of them."""
    try:
        return _cpu_times_in(stat.read_text(), cpus)
    except (OSError, ValueError, IndexError):
        return None


def _cpu_times_in(stat: str, cpus: Cpus) -> CpuTimes | None:
    """Sum the lines `cpuN user nice system idle iowait irq softirq steal ...` (proc_stat(5)), in clock ticks."""
    names = {f"cpu{cpu}" for cpu in cpus}
    lines = [line.split() for line in stat.splitlines() if line.startswith("cpu")]
    ticks = [[int(field) for field in fields[:8]] for name, *fields in lines if name in names]
    if not names or len(ticks) != len(names):
        return None
    a_second = os.sysconf("SC_CLK_TCK")
    return CpuTimes(
        busy_s=sum(sum(fields[:3]) for fields in ticks) / a_second,
        steal_s=sum(fields[7] for fields in ticks) / a_second,
    )


def quotas(of: Path = Path("/proc/self/cgroup"), cgroups: Path = CGROUPS) -> tuple[Path, ...]:
    """Return the files that tell how the CPU quotas of our control group and of those above it held us back."""
    try:
        files = [folder / "cpu.stat" for folder in _groups(of.read_text(), cgroups)]
    except (OSError, ValueError):
        return ()
    return tuple(file for file in files if _throttled_s(file) is not None)


def throttled_s(files: Iterable[Path]) -> float | None:
    """Return how long these quotas have held us back, summed; None where there is none."""
    known = [one for one in map(_throttled_s, files) if one is not None]
    return sum(known) if known else None


def _groups(told: str, cgroups: Path) -> Iterator[Path]:
    """Give the folders of our group and all above it: lines `0::/path` (version 2) and `1:cpu,cpuacct:/path` (1)."""
    for line in told.splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            root = cgroups / "cpu" if controllers else cgroups
            folder = root / path.lstrip("/")
            yield folder
            yield from (above for above in folder.parents if above.is_relative_to(root))


def _throttled_s(path: Path) -> float | None:
    try:
        fields = dict(line.split() for line in path.read_text().splitlines())
    except (OSError, ValueError):
        return None
    if "throttled_usec" in fields:  # version 2
        return int(fields["throttled_usec"]) / 1e6
    return int(fields["throttled_time"]) / 1e9 if "throttled_time" in fields else None


def clocks() -> Clocks:
    """Return how far the other clocks are ahead of CLOCK_MONOTONIC now."""
    return Clocks(
        wall_ns=_ahead_ns(time.CLOCK_REALTIME),
        boot_ns=_ahead_ns(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else None,
    )


def _ahead_ns(clock: int) -> int:
    tries = []
    for _ in range(_READINGS):
        before_ns, other_ns, after_ns = time.monotonic_ns(), time.clock_gettime_ns(clock), time.monotonic_ns()
        tries.append((after_ns - before_ns, other_ns - (before_ns + after_ns) // 2))
    return min(tries)[1]


def clock_source(path: Path = CLOCK_SOURCE) -> str:
    """Return what the kernel reads the time from, "tsc" or "kvm-clock"; "unknown" where it does not say."""
    try:
        return path.read_text().strip() or "unknown"
    except OSError:
        return "unknown"
