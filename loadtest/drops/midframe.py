"""Drop `midframe`: half of a text frame, then FIN: what a crash while sending looks like (RFC 6455 5.2, 7.1.5)."""

from __future__ import annotations

from typing import Final

from loadtest.drops.kind import Drop, Droppable

MESSAGE: Final = "cut inside this frame by the load test " * 2
"""Long enough that half of its frame holds the whole header and some payload."""


def drop(connection: Droppable) -> None:
    """Send the first half of a frame, then FIN, and let the server's answer be read in the background."""
    frame = connection.encode(MESSAGE)
    connection.write_raw(frame[: len(frame) // 2])
    connection.shutdown_write()
    connection.drain()


KIND = Drop(name="midframe", wire="half a text frame, then TCP FIN", code=None, privileged=False, drop=drop)
