"""When data reached this machine, by the kernel's own stamp: latency without the delay of a busy reader.

Linux stamps TCP data with the wall clock as it arrives (SO_TIMESTAMPNS, socket(7)) and recvmsg returns the stamp of the
newest byte, for 0.6 µs a call. The age of the stamp is taken on the wall clock and put on CLOCK_MONOTONIC
from there: a step of the wall clock can only spoil what arrived before the step and was read after it.
"""

from __future__ import annotations

import socket as names
import struct
import sys
import time
from typing import Any, Final

SO_TIMESTAMPNS: Final = 35
"""From asm-generic/socket.h; Python has no name for it. Where the number differs, no stamps come (lag_ns is -1)."""
STAMP: Final = struct.Struct("@ll")  # struct timespec: seconds and nanoseconds
STAMP_SPACE: Final = names.CMSG_SPACE(STAMP.size)
MAX_AGE_NS: Final = 600 * 10**9
"""An older stamp, or one from the future, means that the wall clock was set meanwhile."""

_wall_ns = time.time_ns
_monotonic_ns = time.monotonic_ns
_unpack = STAMP.unpack


def has_stamps(socket: Any) -> bool:
    """Ask the kernel to stamp what this TCP socket receives; False where it cannot."""
    if sys.platform != "linux":
        return False
    try:
        socket.setsockopt(names.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    except OSError:
        return False
    return True


def lag_ns(ancillary: list[tuple[int, int, bytes]]) -> int:
    """How long ago, in nanoseconds, the newest byte arrived; -1 when the kernel did not tell."""
    try:
        seconds, nanoseconds = _unpack(ancillary[0][2])
    except (IndexError, struct.error):
        return -1
    age_ns = _wall_ns() - seconds * 1_000_000_000 - nanoseconds
    return age_ns if 0 <= age_ns < MAX_AGE_NS else -1
