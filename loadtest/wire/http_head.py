"""Heads of HTTP responses (RFC 9112): cut off from what has arrived, and read; no socket."""

from __future__ import annotations

from typing import Final

from loadtest.wire.errors import HandshakeInvalid

MAX_HEAD_BYTES: Final = 1 << 16
"""Longest HTTP head taken from a server; others give up at 8 to 64 KiB."""


def cut_head(data: bytes) -> tuple[bytes, bytes] | None:
    """Return the head in data and what follows it; None while the head is unfinished.

    The head keeps the line end of each of its lines, without the empty line behind them. Raises HandshakeInvalid when
    the data is not HTTP, or the head does not end.
    """
    if not data.startswith(b"HTTP/1."[: len(data)]):
        raise HandshakeInvalid(f"the server does not speak HTTP/1.1, its answer begins with {data[:80]!r}")
    end = data.find(b"\r\n\r\n")
    if end >= 0:
        return data[: end + 2], data[end + 4 :]
    if len(data) > MAX_HEAD_BYTES:
        raise HandshakeInvalid(f"the server's HTTP head did not end within {MAX_HEAD_BYTES} bytes")
    return None


def status_of(head: bytes) -> int:
    """Return the status of an HTTP head; 0 where there is none."""
    _, _, rest = head.partition(b"\r\n")[0].partition(b" ")
    try:
        return int(rest.partition(b" ")[0])
    except ValueError:
        return 0


def parse_headers(head: bytes) -> dict[str, str]:
    """Return the headers of an HTTP head; names in lower case, repeated ones joined with ", " (RFC 9110 5.3)."""
    headers: dict[str, str] = {}
    for line in head.split(b"\n")[1:]:  # a bare newline ends a line too, as websocket-client reads it
        name, separator, value = line.decode("latin-1").partition(":")
        if separator:
            name, value = name.strip().lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
