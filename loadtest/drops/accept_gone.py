"""Drop `accept-gone`: RST as soon as the server's 101 has come, before any frame (RFC 6455 4.2.2; RFC 9293 3.10.5)."""

from __future__ import annotations

from loadtest.drops.kind import Drop, Droppable


def drop(connection: Droppable) -> None:
    """Abort the TCP connection."""
    connection.reset()


KIND = Drop(
    name="accept-gone",
    wire="the opening handshake, then TCP RST at once",
    stage="accepted",
    outcome="other",
    drop=drop,
)
