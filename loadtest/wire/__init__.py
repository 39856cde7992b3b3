"""The wire: WebSocket connections of a load generator, on gevent's hub; the only door to gevent's sockets."""

from loadtest.wire.connection import Closure, Connection
from loadtest.wire.errors import (
    BadURL,
    CloseTimeout,
    ConnectionClosed,
    ConnectionLost,
    HandshakeInvalid,
    HandshakeRefused,
    MessageTooBig,
    OpenFailed,
    OpenTimeout,
    OutOfDescriptors,
    ProtocolError,
    ProxyFailed,
    ReceiveTimeout,
    TLSFailed,
    Unreachable,
    WireError,
    WriteQueueFull,
)
from loadtest.wire.opening import open_connection

__all__ = [
    "BadURL",
    "CloseTimeout",
    "Closure",
    "Connection",
    "ConnectionClosed",
    "ConnectionLost",
    "HandshakeInvalid",
    "HandshakeRefused",
    "MessageTooBig",
    "OpenFailed",
    "OpenTimeout",
    "OutOfDescriptors",
    "ProtocolError",
    "ProxyFailed",
    "ReceiveTimeout",
    "TLSFailed",
    "Unreachable",
    "WireError",
    "WriteQueueFull",
    "open_connection",
]
