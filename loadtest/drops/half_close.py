"""Drop `half-close`: FIN, and the client goes on reading for as long as the server goes on (RFC 9293 3.6).

WebSocket has no half-open state: a server should take the FIN for the end (RFC 6455 7.1.5). Unlike after `fin` we keep
our side open while the trial lasts, so a server that waits for us to close it waits in vain.
"""

from __future__ import annotations

import math

from loadtest.drops.kind import Drop, Droppable


def drop(connection: Droppable) -> None:
    """Send FIN and read on."""
    connection.shutdown_write()
    connection.hold(math.inf)


KIND = Drop(
    name="half-close",
    wire="TCP FIN, no close frame; all that comes is read on to the server's own FIN",
    holds=True,
    drop=drop,
)
