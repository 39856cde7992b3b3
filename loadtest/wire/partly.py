"""Bring a connection only so far on its way to being open: for drops that act on the way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gevent import Timeout
from websocket._handshake import _get_handshake_headers

from loadtest.drops import Stage
from loadtest.wire.connection import Connection
from loadtest.wire.errors import HandshakeInvalid, OpenTimeout
from loadtest.wire.opening import OPEN_TIMEOUT_S, _connect, _parse, _start_tls, open_connection

HALF: Final = 0.5


def open_until(
    stage: Stage,
    url: str,
    *,
    connection_id: int = 0,
    headers: Iterable[tuple[str, str]] = (),
    timeout_s: float = OPEN_TIMEOUT_S,
) -> Connection:
    """Open a connection up to the stage and give it, to be dropped at once: what arrives on it goes to nobody.

    Only the calling greenlet waits: for the TCP connection, and for the answer where the stage is behind it. Raises
    OpenFailed in one of its forms (see errors.py).
    """
    match stage:
        case "half-request":
            return _send_request(HALF, url, connection_id, headers, timeout_s)
        case "request":
            return _send_request(1.0, url, connection_id, headers, timeout_s)
        case "accepted" | "open" | "process":
            return open_connection(
                url, connection_id=connection_id, headers=headers, timeout_s=timeout_s, on_message=_ignore
            )


def _send_request(
    share: float, url: str, connection_id: int, headers: Iterable[tuple[str, str]], timeout_s: float
) -> Connection:
    """Connect and send the first part of the HTTP upgrade request, as open_connection would."""
    host, port, resource, secure = _parse(url)
    with Timeout(timeout_s, OpenTimeout(f"{url} could not be reached within {timeout_s} s")):
        stream = _connect(host, port)
        try:
            if secure:
                _start_tls(stream, host, port, None, False)
            lines, _ = _get_handshake_headers(
                resource, url, host, port, {"header": [f"{name}: {value}" for name, value in headers]}
            )
            request = "\r\n".join(lines).encode()
            stream.send(request[: round(len(request) * share)])
        except OSError as error:
            stream.close()
            raise HandshakeInvalid(f"the connection to {url} broke in the handshake: {error}") from error
        except BaseException:
            stream.close()
            raise
    return Connection(stream.socket, connection_id=connection_id, on_message=_ignore)


def _ignore(connection: Connection, message: str | bytes, arrival_ns: int) -> None:
    pass
