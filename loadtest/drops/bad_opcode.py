"""Drop `bad-opcode`: a frame with the reserved opcode 0x3; a server must fail the connection (RFC 6455 5.2)."""

from __future__ import annotations

from typing import Final

from loadtest.drops.handmade import CHAT_MESSAGE, frame
from loadtest.drops.kind import Drop, Droppable

RESERVED: Final = 0x3


def drop(connection: Droppable) -> None:
    """Send the frame and let the server end the connection."""
    connection.write_raw(frame(RESERVED, (CHAT_MESSAGE % "of no known kind").encode()))
    connection.drain()


KIND = Drop(name="bad-opcode", wire="a frame with the reserved opcode 0x3; the end is left to the server", drop=drop)
