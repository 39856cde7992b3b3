"""Where a WebSocket is: its URL and the cookies kept for its host, both by websocket-client.

parse_url is what websocket-client's own users have their URLs read by, and is in its module's __all__; the jar is the
only way to the cookies that other code of this process was given. Both modules begin with an underscore, as all of
websocket-client's do, and the package itself exports neither. A URL is read once and then taken from a table.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

from websocket._handshake import CookieJar
from websocket._url import parse_url

from loadtest.wire.errors import BadURL

PORTS_LEFT_OUT: Final = (80, 443)
"""The Host header leaves out these ports, under both schemes, as websocket-client does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A WebSocket URL in its parts; resource is path and query."""

    url: str
    host: str
    port: int
    resource: str
    secure: bool
    authority: str
    """Host and port, an IPv6 address in brackets (RFC 3986 3.2)."""
    host_header: str
    """The authority without the port where that goes without saying."""

    @property
    def origin(self) -> str:
        """The origin of a page of this host (RFC 6454)."""
        return f"{'https' if self.secure else 'http'}://{self.host_header}"


@functools.lru_cache(maxsize=1024)
def parse(url: str) -> Address:
    """Read a ws:// or wss:// URL; raises BadURL."""
    try:
        host, port, resource, secure = parse_url(url)
    except ValueError as error:
        raise BadURL(f"{url!r} is no WebSocket address ({error}); write ws://host:port/path") from None
    name = f"[{host}]" if ":" in host else host
    return Address(
        url=url,
        host=host,
        port=port,
        resource=resource,
        secure=secure,
        authority=f"{name}:{port}",
        host_header=name if port in PORTS_LEFT_OUT else f"{name}:{port}",
    )


def cookies_for(host: str) -> str:
    """Return what websocket-client keeps for this host, for other code of the process; mostly nothing."""
    return CookieJar.get(host) if CookieJar.jar else ""
