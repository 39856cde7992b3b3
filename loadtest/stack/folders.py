"""Short temporary folders, for Unix sockets."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from loadtest.contract import CONTROL_SOCKETS

SOCKET_PATH_BYTES = 103
"""The shortest limit on a Unix socket's path there is: 107 on Linux, 103 on macOS."""

LONGEST_NAME = "/" + CONTROL_SOCKETS.format(pid=4194304)
"""The longest socket name we use: with the largest pid of Linux."""


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """Give a new folder, ours alone, in which a socket's path stays within the system's limit; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="loadtest-"))
    if len(str(folder)) + len(LONGEST_NAME) > SOCKET_PATH_BYTES:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="loadtest-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
