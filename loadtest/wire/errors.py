"""What can go wrong on the wire, each with the short name it is counted under in statistics.

WireError                        everything this package raises on purpose
├── OpenFailed                   the WebSocket could not be opened
│   ├── BadURL                   (also a ValueError) not a ws:// or wss:// address
│   ├── OpenTimeout              not open within timeout_s, whatever it was waiting for
│   ├── Unreachable              no TCP connection: refused, no route, name not found
│   ├── OutOfPorts               this machine has no local port left for another connection to that address
│   ├── OutOfDescriptors         this process may open no more files
│   ├── ProxyFailed              the HTTP proxy would not build the tunnel
│   ├── TLSFailed                no TLS session: unknown CA, wrong host name, not TLS at all
│   ├── HandshakeClosed          FIN or RST before the HTTP answer was whole: the server died, or takes no one now
│   ├── HandshakeRefused         an HTTP answer, but not 101; has .status
│   └── HandshakeInvalid         not HTTP, endless headers, wrong accept key, subprotocol or extension not asked for
├── ConnectionClosed             the WebSocket has ended with a close frame; has .code and .reason
│   └── ConnectionLost           ... without one: FIN or RST from the peer (code 1006)
├── ProtocolError                the peer broke RFC 6455; has .code, the close code it deserves
│   └── MessageTooBig            a message above max_message_bytes (code 1009)
├── WriteQueueFull               the peer reads more slowly than we send
├── ReceiveTimeout               recv() waited timeout_s for nothing
└── CloseTimeout                 the peer did not answer our close frame within timeout_s
"""

from __future__ import annotations


class WireError(Exception):
    """Any failure of the wire; `name` is the short, stable name for statistics."""

    name: str = "wire error"


class OpenFailed(WireError):
    """The WebSocket could not be opened."""

    name = "open failed"


class BadURL(OpenFailed, ValueError):
    """The address is not a ws:// or wss:// URL."""

    name = "bad url"


class OpenTimeout(OpenFailed):
    """The WebSocket was not open within timeout_s."""

    name = "open timeout"


class Unreachable(OpenFailed):
    """No TCP connection to the target."""

    name = "unreachable"


class OutOfDescriptors(OpenFailed):
    """The process has reached its limit of open files."""

    name = "out of file descriptors"


class OutOfPorts(OpenFailed):
    """All local ports from which the target could be reached are taken."""

    name = "out of local ports"


class ProxyFailed(OpenFailed):
    """The HTTP proxy would not build the tunnel."""

    name = "proxy failed"


class TLSFailed(OpenFailed):
    """No TLS session could be agreed on."""

    name = "tls failed"


class HandshakeClosed(OpenFailed):
    """The peer ended the TCP connection before its answer to the upgrade was whole."""

    name = "closed in the handshake"


class HandshakeRefused(OpenFailed):
    """The server answered the upgrade with an HTTP status other than 101; 0 for one that is none (RFC 9110 15)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status if 100 <= status <= 999 else 0
        self.name = f"refused {self.status}" if self.status else "refused"


class HandshakeInvalid(OpenFailed):
    """The server's answer to the upgrade breaks RFC 6455 section 4.1, or is not HTTP."""

    name = "invalid handshake"


class ConnectionClosed(WireError):
    """The WebSocket has ended; `code` and `reason` are the close frame's (1005 without code, RFC 6455 7.1.5)."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.name = f"closed {code}"


class ConnectionLost(ConnectionClosed):
    """The TCP connection ended without a close frame."""

    def __init__(self, message: str) -> None:
        super().__init__(1006, "", message)
        self.name = "connection lost"


class ProtocolError(WireError):
    """The peer broke RFC 6455; `code` is the close code that tells it so (1002 or 1007)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.name = f"protocol error {code}"


class MessageTooBig(ProtocolError):
    """A message above the limit (RFC 6455 section 7.4.1, code 1009)."""

    def __init__(self, message: str) -> None:
        super().__init__(1009, message)
        self.name = "message too big"


class WriteQueueFull(WireError):
    """The peer reads more slowly than we send, and the queue of what waits is full."""

    name = "write queue full"


class ReceiveTimeout(WireError):
    """Nothing arrived within timeout_s."""

    name = "receive timeout"


class CloseTimeout(WireError):
    """The peer did not finish the closing handshake within timeout_s."""

    name = "close timeout"
