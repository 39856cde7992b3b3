"""How many connections a pool of redis-py keeps open."""

from typing import Any


def open_sockets(pool: Any) -> int:
    """Count the open connections of a redis-py pool: it grows with what is done at a time, and never shrinks."""
    return sum(connection.is_connected for connection in (*pool._available_connections, *pool._in_use_connections))
