"""What the machine must allow: open files and disk space."""

import resource
import shutil
from pathlib import Path

from loadtest.stack.errors import EnvironmentFailed

MEBIBYTE = 1024 * 1024


def need_open_files(count: int) -> None:
    """Let this process and those it starts from now on have `count` open files each.

    Raises EnvironmentFailed, saying how to raise the limit, when the system does not let us.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _covers(soft, count):
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard if _covers(hard, count) else count))
    except (OSError, ValueError) as error:
        raise EnvironmentFailed(
            f"{count} open files are needed, and this process may have {hard} (hard limit RLIMIT_NOFILE); "
            f"raise it (as root: `ulimit -n {count}` before the command, or nofile in /etc/security/limits.conf), "
            "or use fewer --users"
        ) from error


def need_disk(path: Path, size_bytes: int) -> None:
    """Make sure that `size_bytes` are free on the disk of `path` (or of the nearest folder above it that exists).

    Raises EnvironmentFailed when they are not.
    """
    folder = next(place for place in [path.absolute(), *path.absolute().parents] if place.exists())
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < size_bytes:
        raise EnvironmentFailed(
            f"{size_bytes / MEBIBYTE:,.0f} MiB are needed in {path} and {free_bytes / MEBIBYTE:,.0f} MiB are free; "
            "make room, or pass --out with a folder on another disk"
        )


def _covers(limit: int, count: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= count
