"""ASGI servers: one module of this package each, found by its KIND."""

import sys
from collections.abc import Mapping

from loadtest.discovery import kinds_in
from loadtest.servers.kind import HOST, Server, Serving

__all__ = ["HOST", "SERVERS", "Server", "Serving"]

SERVERS: Mapping[str, Server] = kinds_in(sys.modules[__name__], Server)
"""By name; a server that is not installed is among them and says so."""
