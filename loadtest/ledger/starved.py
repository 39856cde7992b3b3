"""Starved: how long the calling thread was ready to run and had no processor, which is nothing that its program did."""

import os
from collections.abc import Callable
from typing import Final

_SCHEDSTAT: Final = "/proc/thread-self/schedstat"
"""Of a thread: ns on a processor, ns it waited for one while it could have run, and how often it got one (Linux)."""


def starved_ns_of_this_thread() -> Callable[[], int]:
    """Return what tells how long this thread has waited for a processor, in ns; always 0 where the kernel is silent."""
    try:
        fd = os.open(_SCHEDSTAT, os.O_RDONLY)
        int(os.pread(fd, 128, 0).split()[1])
    except (OSError, IndexError, ValueError):
        return lambda: 0
    return lambda: int(os.pread(fd, 128, 0).split()[1])
