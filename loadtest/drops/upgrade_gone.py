"""Drop `upgrade-gone`: the whole HTTP upgrade request, and gone before the answer (RFC 6455 4.1; RFC 9293 3.10.7.1).

It happens when a user leaves a page that is still connecting: the consumer's connect() runs, and its accept reaches
nobody.
"""

from __future__ import annotations

from loadtest.drops.kind import Drop, Droppable


def drop(connection: Droppable) -> None:
    """Send FIN and close the descriptor, while the server is at work on its answer."""
    connection.shutdown_write()  # closing alone would send RST, not FIN, when the answer is there already
    connection.release()


KIND = Drop(
    name="upgrade-gone",
    wire="the HTTP upgrade request and TCP FIN at once; RST for the answer",
    stage="request",
    outcome="certain",
    drop=drop,
)
