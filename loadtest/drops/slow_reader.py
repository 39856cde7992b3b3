"""Drop `slow-reader`: reads a few bytes a second from a small receive buffer, and answers nothing (RFC 9293 3.8.6).

It sends no pong either: with pongs it would be slow, not gone, and a server would be right to keep it. The window opens
a little from time to time, so the server's sends never stall for good. 100 bytes a second, unless
another rate is given: `slow-reader:1000`.
"""

from __future__ import annotations

import socket
from dataclasses import replace
from functools import partial
from typing import Final

from loadtest.drops.kind import Drop, Droppable, Parameter, whole_number
from loadtest.drops.never_reader import SMALLEST

BYTES_PER_S: Final = 100
"""About one chat message a second."""
MOST_BYTES_PER_S: Final = 1_000_000


def drop(connection: Droppable, bytes_per_s: int = BYTES_PER_S) -> None:
    """Shrink the receive buffer and read slowly from now on."""
    connection.set_option(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALLEST)
    connection.hold(bytes_per_s)


def _at_rate(text: str) -> Drop:
    bytes_per_s = whole_number(text, least=1, most=MOST_BYTES_PER_S)
    return replace(
        KIND, name=f"slow-reader:{text}", wire=_wire(bytes_per_s), drop=partial(drop, bytes_per_s=bytes_per_s)
    )


def _wire(bytes_per_s: int) -> str:
    return f"reads {bytes_per_s} bytes a second through a small receive window; no pong"


KIND = Drop(
    name="slow-reader",
    wire=_wire(BYTES_PER_S),
    outcome="other",
    silent=True,
    holds=True,
    drop=drop,
    parameter=Parameter(form="BYTES_PER_S", make=_at_rate),
)
