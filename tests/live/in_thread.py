"""A server of `websockets` that runs in a thread of the test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from websockets.sync.server import Server


@contextmanager
def in_thread(server: Server) -> Iterator[int]:
    """Have it serve, and give its port; it is shut down at the end."""
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.socket.getsockname()[1]
    server.shutdown()
    thread.join()
