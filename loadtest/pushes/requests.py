"""Requests: a push as one HTTP request on a connection of its own, as another service would send it."""

import http.client
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urljoin, urlsplit

from loadtest.load.push import Request
from loadtest.pushes.outcome import Outcome, with_words

ANSWER_S: Final = 10.0
"""As long as a user waits for an answer, and longer than any server is stalled that still serves others."""
LARGEST_ANSWER: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whose certificates are taken behind https://."""

    ca_file: str = ""
    """Empty: those of the system."""
    is_any: bool = False


def base_of(address: str) -> str:
    """Return where the pages are of an app whose WebSocket address is that one."""
    parts = urlsplit(address)
    return f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}/"


def send_request(
    request: Request, base: str, headers: Iterable[tuple[str, str]] = (), trust: Trust = Trust()
) -> Outcome:
    """Send a request, whose path is of the app at `base`; whoever waits in the same thread waits with it."""
    url = urljoin(base, request.url)
    parts = urlsplit(url)
    try:
        connection = _connection(parts.scheme, parts.netloc, trust)
    except (ValueError, http.client.InvalidURL) as error:
        return Outcome(kind="fail", said=f"no address: {error}")
    try:
        connection.connect()
    except OSError as error:
        return Outcome(kind="fail", said=f"cannot connect: {error.strerror or error}")
    try:
        return _answer(connection, request, url, headers)
    except (OSError, http.client.HTTPException) as error:
        return Outcome(kind="unknown", said=f"no answer: {error or type(error).__name__}")
    finally:
        connection.close()


def _connection(scheme: str, netloc: str, trust: Trust) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(netloc, timeout=ANSWER_S, context=_context(trust))
    return http.client.HTTPConnection(netloc, timeout=ANSWER_S)


def _answer(
    connection: http.client.HTTPConnection, request: Request, url: str, headers: Iterable[tuple[str, str]]
) -> Outcome:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    named = {"Connection": "close", "Referer": url, **dict(headers)}  # Django wants a Referer behind https
    if request.content_type:
        named["Content-Type"] = request.content_type
    connection.request(request.method, target, request.body.encode() or None, named)
    response = connection.getresponse()
    said = with_words(
        f"HTTP {response.status} {response.reason}".strip(), response.read(LARGEST_ANSWER).decode(errors="replace")
    )
    return Outcome(kind="fail" if response.status >= http.client.BAD_REQUEST else "ok", said=said)


@lru_cache(maxsize=4)
def _context(trust: Trust) -> ssl.SSLContext:
    """Return the one context of all requests: loading the CAs takes 20 ms."""
    context = ssl.create_default_context(cafile=trust.ca_file or None)
    if trust.is_any:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
