"""The address of a Redis server: parsed once, by redis-py, and never repeated where it may have a password in it."""

from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import redis

FORMS: Final = "redis://[user:password@]host:port/db, rediss:// the same, or unix:///path?db=0"
ENCODED: Final = "in a password / ? # @ : and % are written as %2F %3F %23 %40 %3A and %25"
HIDDEN: Final = "***"
"""Stands for what is secret, or may be: the whole of an address that cannot be understood."""


def check_address(url: str) -> str:
    """Return an address of which redis-py can make a connection; raises ValueError, which repeats nothing of it.

    What redis-py would take for something else than was meant is refused too: "redis://:1/2@host" has no password.
    """
    _connection(url)
    return url


def redacted(url: str) -> str:
    """Return where an address leads to: "redis://***@host:6379/0", without user, password and options."""
    try:
        connection = _connection(url)
    except ValueError:
        return HIDDEN
    parts = urlsplit(url)
    hidden = f"{HIDDEN}@" if connection.username or connection.password else ""
    if parts.scheme == "unix":
        return f"unix://{hidden}{connection.path}?db={connection.db}"
    return f"{parts.scheme}://{hidden}{connection.host}:{connection.port}/{connection.db}"


def _connection(url: str) -> Any:
    """Return the connection that redis-py would open, which it does only when it is used."""
    try:
        parts = urlsplit(url)
        options = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
        is_sound = _has_its_parts(url, parts.netloc, parts.scheme, parts.path) and not parts.fragment
    except ValueError:
        is_sound, options = False, {}
    if not is_sound:
        raise ValueError(f"that is no address of a Redis server (it is not repeated here); write {FORMS}; {ENCODED}")
    try:
        return redis.ConnectionPool.from_url(url).make_connection()
    except (ValueError, TypeError, redis.RedisError):
        names = ", ".join(sorted(options)) or "none"
        raise ValueError(f"redis-py makes no connection of that address; its options are: {names}") from None


def _has_its_parts(url: str, host: str, scheme: str, path: str) -> bool:
    if not url.isprintable() or " " in url or "#" in url or url.count("@") > 1 or ("@" in url) != ("@" in host):
        return False
    if scheme == "unix":
        return path.startswith("/") and not host.rpartition("@")[2]
    return scheme in ("redis", "rediss") and (path in ("", "/") or (path[1:].isascii() and path[1:].isdigit()))
