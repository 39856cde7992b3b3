"""Short temporary folders, for Unix sockets; what a killed process leaves of them is removed by the next bench."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from loadtest.contract import CONTROL_SOCKETS

SOCKET_PATH_BYTES = 103
"""The shortest limit on a Unix socket's path there is: 107 on Linux, 103 on macOS."""

LONGEST_NAME = "/" + CONTROL_SOCKETS.format(pid=4194304)
"""The longest socket name we use: with the largest pid of Linux."""

PREFIX: Final = "loadtest."
"""Of a folder whose owner holds a lock on it, as long as it lives."""
_UNOWNED: Final = ".loadtest."
"""Of one that is not locked yet, so that no other takes it for one that was left over."""
_SHORT: Final = "/tmp"


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """Give a new folder, ours alone, in which a socket's path stays within the system's limit; removed at the end."""
    folder, lock = _owned_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_left_over(places: Iterable[Path] | None = None) -> list[Path]:
    """Remove the temporary folders whose owners are gone, killed say, and return them; only our own user's."""
    places = places or {Path(tempfile.gettempdir()), Path(_SHORT)}
    found = [folder for place in places for folder in place.glob(f"{PREFIX}*")]
    removed = []
    for folder in found:
        with contextlib.suppress(OSError), _opened(folder) as fd:  # another's, in use, or gone meanwhile
            if os.fstat(fd).st_uid == os.getuid():
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
                removed.append(folder)
    return removed


def _owned_folder() -> tuple[Path, int]:
    """Return a new folder and the descriptor by which we hold the lock on it; the kernel lets go of it when we end."""
    made = Path(tempfile.mkdtemp(prefix=_UNOWNED))
    if len(str(made)) + len(LONGEST_NAME) > SOCKET_PATH_BYTES:
        made.rmdir()
        made = Path(tempfile.mkdtemp(prefix=_UNOWNED, dir=_SHORT))
    lock = os.open(made, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return made.rename(made.with_name(made.name.removeprefix("."))), lock


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)
