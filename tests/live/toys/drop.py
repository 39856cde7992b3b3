"""Drop `toy-drop`: a close frame with code 4900, then FIN at once (RFC 6455 7.4.2)."""

from loadtest.drops.kind import Drop, Droppable


def drop(connection: Droppable) -> None:
    """Send both, and read what the server still says in the background."""
    connection.send_close_frame(4900)
    connection.shutdown_write()
    connection.drain()


KIND = Drop(name="toy-drop", wire="close frame 4900, then TCP FIN", code=4900, drop=drop)
