"""Drop `zombie`: the socket stays and nothing is read or answered any more: a client that hangs (RFC 6455 5.5.2).

Its kernel still accepts and acknowledges what arrives, until the receive buffer is full.
"""

from __future__ import annotations

from loadtest.drops.kind import Drop, Droppable


def drop(connection: Droppable) -> None:
    """Keep the socket and leave it alone."""
    connection.hold()


KIND = Drop(
    name="zombie",
    wire="nothing: no read, no pong; the kernel acknowledges until its buffer is full",
    outcome="other",
    silent=True,
    holds=True,
    drop=drop,
)
