"""One bench at a time on a machine: two would measure each other."""

import contextlib
import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.folders import remove_left_over

LOCK_NAME = "channels-loadtest.lock"


@contextlib.contextmanager
def only_bench(path: Path | None = None) -> Iterator[None]:
    """Hold the machine's lock; the kernel lets go of it when we end, however that happens.

    Folders in the temporary directory that a killed one has left are removed first.

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
        remove_left_over()
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(fd)  # the file stays: were it removed, a third could lock a new one while a second holds this


def _open(path: Path) -> int:
    """Open the file, which any user may have made; not with O_CREAT, which Linux refuses for others' files in /tmp.

    No link is followed, for it is written to: whoever made one there would have us write into any file of ours.
    """
    for _ in range(2):
        try:
            return _require_file(os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK), path)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):  # another was first
                fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_CREAT | os.O_EXCL, 0o666)
                os.fchmod(fd, 0o666)  # whatever the umask says
                return fd
        except OSError as error:
            why = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
            raise EnvironmentFailed(f"cannot open the lock file {path}: {why}; remove it") from error
    raise EnvironmentFailed(f"cannot make the lock file {path}; somebody removes it again and again")


def _require_file(fd: int, path: Path) -> int:
    """Return the descriptor if it is that of a file; a pipe or a device cannot be a lock's."""
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise EnvironmentFailed(f"cannot open the lock file {path}: it is no file, but a pipe or a device; remove it")
