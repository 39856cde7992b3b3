"""Drop `oversized`: a text frame that promises more than any server takes, and begins (RFC 6455 5.2, 7.4.1: 1009)."""

from __future__ import annotations

from typing import Final

from loadtest.drops.handmade import TEXT, frame
from loadtest.drops.kind import Drop, Droppable

PROMISED_BYTES: Final = 1 << 40
"""1 TiB. uvicorn's limit is 16 MiB; a server that accepts 1 TiB has none."""
SENT_BYTES: Final = 1024


def drop(connection: Droppable) -> None:
    """Send the beginning of the frame and let the server end the connection."""
    connection.write_raw(frame(TEXT, b"x" * SENT_BYTES, length=PROMISED_BYTES))
    connection.drain()


KIND = Drop(
    name="oversized", wire="a text frame's header for 1 TiB and 1 KiB of it; the end is left to the server", drop=drop
)
