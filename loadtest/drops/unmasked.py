"""Drop `unmasked`: a text frame without a mask; a server must close on it, with 1002 if at all (RFC 6455 5.1)."""

from __future__ import annotations

from loadtest.drops.handmade import CHAT_MESSAGE, TEXT, frame
from loadtest.drops.kind import Drop, Droppable


def drop(connection: Droppable) -> None:
    """Send the frame and let the server end the connection."""
    connection.write_raw(frame(TEXT, (CHAT_MESSAGE % "without a mask").encode(), masked=False))
    connection.drain()


KIND = Drop(name="unmasked", wire="a text frame without a mask; the end is left to the server", drop=drop)
