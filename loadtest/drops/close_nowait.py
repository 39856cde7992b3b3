"""Drop `close-nowait`: a close frame, FIN and gone at once, without the server's answer (RFC 6455 7.1.4; 5.5.1).

An app does so that calls close() as its process ends. What the server sends after that, first its own close frame, is
answered by RST: nobody holds the socket any more (RFC 9293 3.10.7.1).
"""

from __future__ import annotations

from loadtest.drops.kind import Drop, Droppable


def drop(connection: Droppable) -> None:
    """Send the close frame and FIN, and close the descriptor."""
    connection.send_close_frame(1000)
    connection.shutdown_write()
    connection.release()


KIND = Drop(
    name="close-nowait",
    wire="close frame 1000 and FIN at once; RST for whatever still comes",
    code=1000,
    drop=drop,
)
