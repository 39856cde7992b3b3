"""Drop `fin`: FIN at a frame's end, no close frame: what a client's exit looks like (RFC 9293 3.6; RFC 6455 7.1.5).

Only the sending side is shut down at once: a descriptor closed with unread data would send RST instead
(RFC 1122 4.2.2.13). What the server still sends is read and thrown away until its own FIN, or for a few seconds.
"""

from __future__ import annotations

from loadtest.drops.kind import Drop, Droppable


def drop(connection: Droppable) -> None:
    """Send FIN and let the server's answer to it be read in the background."""
    connection.shutdown_write()
    connection.drain()


KIND = Drop(name="fin", wire="TCP FIN, no close frame", default=True, drop=drop)
