"""Drop `never-reader`: reads nothing, and its receive buffer is as small as the kernel lets it be (RFC 9293 3.8.6).

Like `zombie`, but the window shuts after about 4 kB instead of 100: what a busy room sends piles up at the server.
"""

from __future__ import annotations

import socket
from typing import Final

from loadtest.drops.kind import Drop, Droppable

SMALLEST: Final = 1
"""Linux raises it to the least that it allows: 2304 bytes, its own overhead included (socket(7), SO_RCVBUF)."""


def drop(connection: Droppable) -> None:
    """Shrink the receive buffer and keep the socket."""
    connection.set_option(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALLEST)
    connection.hold()


KIND = Drop(
    name="never-reader",
    wire="nothing: no read, no pong; a receive window of some kB shuts at once",
    outcome="other",
    silent=True,
    holds=True,
    drop=drop,
)
