"""Drop `bad-utf8`: a text frame that is not UTF-8; a server must fail the connection, with 1007 (RFC 6455 8.1)."""

from __future__ import annotations

from typing import Final

from loadtest.drops.handmade import TEXT, frame
from loadtest.drops.kind import Drop, Droppable

PAYLOAD: Final = b'{"message": "\xc3\x28"}'
"""0xC3 begins a character of two bytes, and 0x28 cannot be the second."""


def drop(connection: Droppable) -> None:
    """Send the frame and let the server end the connection."""
    connection.write_raw(frame(TEXT, PAYLOAD))
    connection.drain()


KIND = Drop(name="bad-utf8", wire="a text frame that is not UTF-8; the end is left to the server", drop=drop)
