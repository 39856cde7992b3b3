"""Drop `upgrade-half`: half of the HTTP upgrade request, then FIN (RFC 6455 4.1; RFC 9112 8).

An incomplete request never reaches the application; the server's HTTP parser has to let go of it.
"""

from __future__ import annotations

from loadtest.drops.kind import Drop, Droppable


def drop(connection: Droppable) -> None:
    """Send FIN and read whatever the server answers."""
    connection.shutdown_write()
    connection.drain()


KIND = Drop(
    name="upgrade-half",
    wire="half of the HTTP upgrade request, then TCP FIN",
    stage="half-request",
    outcome="other",
    drop=drop,
)
