"""Drop `never-reader`: reads nothing, and its receive buffer is as small as the kernel lets it be (RFC 9293 3.8.6).

As `zombie`, but the window is shut after some 4 kB instead of some 100: what a busy room sends piles up at the server.
"""

from __future__ import annotations

import socket
from typing import Final

from loadtest.drops.kind import Drop, Droppable

SMALLEST: Final = 1
"""Linux makes the least that it allows of it, 2304 bytes with the kernel's own share (socket(7), SO_RCVBUF)."""


def drop(connection: Droppable) -> None:
    """Shrink the receive buffer and do nothing more."""
    connection.set_option(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALLEST)
    connection.hold()


KIND = Drop(
    name="never-reader",
    wire="nothing: no read, no pong; a receive window of some kB shuts at once",
    silent=True,
    holds=True,
    drop=drop,
)
