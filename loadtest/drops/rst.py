"""Drop `rst`: the kernel sends RST at once; the server gets no close frame (RFC 9293 3.10.5, ABORT)."""

from __future__ import annotations

from loadtest.drops.kind import Drop, Droppable


def drop(connection: Droppable) -> None:
    """Abort the TCP connection."""
    connection.reset()


KIND = Drop(name="rst", wire="TCP RST, nothing before it", default=True, drop=drop)
