"""Drop `close`: a close frame with code 1000, then the server ends the TCP connection (RFC 6455 7.1.1, 7.1.2).

As a browser does it: the client answers no more messages and leaves the first FIN to the server. What the server
still sends is read and thrown away in the background, for a descriptor closed with unread data would send RST.
"""

from __future__ import annotations

from loadtest.drops.kind import Drop, Droppable


def drop(connection: Droppable) -> None:
    """Send the close frame and let the rest of the handshake happen in the background."""
    connection.send_close_frame(1000)
    connection.drain()


KIND = Drop(
    name="close",
    wire="close frame 1000, then the server's close frame and FIN",
    code=1000,
    privileged=False,
    drop=drop,
)
