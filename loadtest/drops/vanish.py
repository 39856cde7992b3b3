"""Drop `vanish`: closed in TCP_REPAIR mode, so no packet leaves: power cut (RFC 9293 3.5.1, half-open connections).

The server's next packet, a ping at the latest, reaches a machine that is up again, knows nothing of the connection and
answers with RST. For a machine that stays away, see `blackhole`.
"""

from __future__ import annotations

import socket
import sys
from typing import Final

from loadtest.drops.kind import Drop, Droppable

TCP_REPAIR: Final = 19  # of linux/tcp.h; Python has no name for it


def drop(connection: Droppable) -> None:
    """Have the kernel forget the connection."""
    connection.set_option(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    connection.release()


def _unavailable() -> str | None:
    """Try it on an unconnected socket."""
    if sys.platform != "linux":
        return "only Linux can close a socket in TCP_REPAIR mode"
    with socket.socket() as tried:
        try:
            tried.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        except PermissionError:
            return "needs CAP_NET_ADMIN, to close a socket in TCP_REPAIR mode; run as root, or leave it out"
        except OSError as error:
            return f"this kernel has no TCP_REPAIR ({error.strerror})"
    return None


KIND = Drop(
    name="vanish",
    wire="nothing: no packet leaves; RST for the next one that comes",
    outcome="other",
    silent=True,
    privileged=True,
    unavailable=_unavailable,
    drop=drop,
)
