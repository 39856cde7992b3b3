"""Drop `blackhole`: a packet filter discards all that arrives for the connection; nothing is acknowledged any more.

It looks like a cut cable, or a firewall that forgot the connection: the server's packets time out (RFC 9293 3.8.3).
The filter is a BPF program on this one socket (socket(7), SO_ATTACH_FILTER), which the kernel runs before TCP sees a
packet. Unlike a rule of the machine's packet filter it needs no tool, touches no other connection, and disappears with
the socket, however this process ends. Most kernels let every user attach one, some ask for CAP_NET_ADMIN. What we sent
before and was not acknowledged is still retransmitted.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
import sys
from typing import Final

from loadtest.drops.kind import Drop, Droppable

SO_ATTACH_FILTER: Final = 26  # of asm-generic/socket.h; Python has no name for it
KEEP_NOTHING: Final = struct.pack("HBBI", 0x06, 0, 0, 0)
"""One instruction, struct sock_filter of linux/filter.h: BPF_RET of 0, keep 0 bytes of the packet."""

_program: Final = ctypes.create_string_buffer(KEEP_NOTHING, len(KEEP_NOTHING))
FILTER: Final = struct.pack("@HP", 1, ctypes.addressof(_program))
"""struct sock_fprog: one instruction, and where it is."""


def drop(connection: Droppable) -> None:
    """Discard everything that arrives from now on, and keep the socket."""
    connection.set_option(socket.SOL_SOCKET, SO_ATTACH_FILTER, FILTER)
    connection.hold()


def _unavailable() -> str | None:
    """Try it on an unconnected socket."""
    if sys.platform != "linux":
        return "only Linux has packet filters on a socket"
    with socket.socket() as tried:
        try:
            tried.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, FILTER)
        except OSError as error:
            right = "; run as root, or leave it out" if error.errno == errno.EPERM else ""
            return f"this kernel takes no packet filter on a socket of ours ({error.strerror}{right})"
    return None


KIND = Drop(
    name="blackhole",
    wire="nothing: what comes is thrown away and not acknowledged",
    outcome="other",
    silent=True,
    holds=True,
    unavailable=_unavailable,
    drop=drop,
)
