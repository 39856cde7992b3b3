"""The tunnel through an HTTP proxy (CONNECT, RFC 9110 9.3.6)."""

from __future__ import annotations

from base64 import b64encode
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from loadtest.wire.address import Address
from loadtest.wire.connecting import connect
from loadtest.wire.errors import HandshakeInvalid, ProxyFailed
from loadtest.wire.http_head import cut_head, status_of
from loadtest.wire.stream import Stream

OK: Final = 200


def connect_through(proxy: str, address: Address) -> Stream:
    """Connect to http://[user:password@]host:port and have it build a tunnel to the address; raises ProxyFailed."""
    parts = urlsplit(proxy)
    if parts.scheme != "http" or not parts.hostname:
        raise ProxyFailed(f"{proxy!r} is no HTTP proxy; write http://[user:password@]host:port")
    stream = connect(parts.hostname, parts.port or 80)
    try:
        stream.send(_request(parts, address.authority))
        if (status := _status(stream)) != OK:
            raise HandshakeInvalid(f"it answered with HTTP {status}")
    except (OSError, HandshakeInvalid) as error:
        stream.close()
        raise ProxyFailed(f"the proxy {parts.hostname} built no tunnel to {address.authority}: {error}") from error
    except BaseException:
        stream.close()
        raise
    return stream


def _request(proxy: SplitResult, target: str) -> bytes:
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.username:
        login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"  # RFC 7617
        lines.append(f"Proxy-Authorization: Basic {b64encode(login.encode()).decode()}")
    return "\r\n".join([*lines, "", ""]).encode()


def _status(stream: Stream) -> int:
    """Read the answer; nothing follows it, for the server waits for our request."""
    data = b""
    while (cut := cut_head(data)) is None:
        more = stream.receive()
        if not more:
            raise HandshakeInvalid(f"it closed the connection after {data[:80]!r}")
        data += more
    return status_of(cut[0])
