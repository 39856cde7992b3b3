"""One bench at a time on a machine: two would measure each other."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from loadtest.stack.errors import EnvironmentFailed

LOCK_NAME = "channels-loadtest.lock"


@contextlib.contextmanager
def only_bench(path: Path | None = None) -> Iterator[None]:
    """Hold the machine's lock; the kernel lets go of it when we end, however that happens.

    Raises EnvironmentFailed, naming the other's pid, when another bench holds it.
    """
    path = path or Path(tempfile.gettempdir()) / LOCK_NAME
    fd = _open(path)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = os.pread(fd, 20, 0).decode(errors="replace").strip() or "unknown"
            raise EnvironmentFailed(
                f"another bench is running on this machine (pid {pid}); two at once would measure each other. "
                "Wait until it has ended"
            ) from error
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(fd)  # the file stays: were it removed, a third could lock a new one while a second holds this


def _open(path: Path) -> int:
    """Open the file, which any user may have made; not with O_CREAT, which Linux refuses for others' files in /tmp."""
    for _ in range(2):
        try:
            return os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):  # another was first
                fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_CREAT | os.O_EXCL, 0o666)
                os.fchmod(fd, 0o666)  # whatever the umask says
                return fd
        except OSError as error:
            raise EnvironmentFailed(f"cannot open the lock file {path}: {error.strerror}; remove it") from error
    raise EnvironmentFailed(f"cannot make the lock file {path}; somebody removes it again and again")
