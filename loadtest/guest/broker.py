"""Broker: where a channel layer of channels_redis has its Redis, and how it gets another one, all else as it is."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

OF_REDIS = "channels_redis."
"""So begins the BACKEND of a layer whose configuration is known."""
DEFAULT = "redis://localhost:6379"
"""What channels_redis takes where no hosts are named."""
_KEPT = ("socket_", "health_check_")
"""Beginnings of a host's options that do not say where it is."""

Layer = Mapping[str, Any]


def addresses(layer: Layer) -> list[str]:
    """Return where the Redis of a layer listens, each "host:port" or "/path"; none where that is not known."""
    if not layer.get("BACKEND", "").startswith(OF_REDIS):
        return []
    return [address for host in _hosts(layer) for address in _addresses(host)]


def at_broker(layer: Layer, url: str) -> Layer:
    """Return a layer of channels_redis at the broker of that URL; another one as it is."""
    if not layer.get("BACKEND", "").startswith(OF_REDIS):
        return layer
    first = _hosts(layer)[0]
    named = first.items() if isinstance(first, Mapping) else ()
    kept = {name: value for name, value in named if name.startswith(_KEPT)}
    return {**layer, "CONFIG": {**layer.get("CONFIG", {}), "hosts": [{"address": url, **kept}]}}


def _hosts(layer: Layer) -> list[Any]:
    return list(layer.get("CONFIG", {}).get("hosts") or [DEFAULT])


def _addresses(host: Any) -> Iterator[str]:
    """Give the addresses of what channels_redis takes for a host; nothing that could be a password."""
    if isinstance(host, Mapping):
        if "address" in host or "url" in host:
            yield from _addresses(host.get("address") or host.get("url"))
        elif "path" in host or "unix_socket_path" in host:
            yield str(host.get("path") or host["unix_socket_path"])
        elif "sentinels" not in host:  # of those, one has to be there, and it knows where Redis is
            yield f"{host.get('host', 'localhost')}:{host.get('port', 6379)}"
    elif isinstance(host, str):
        parts = urlsplit(host)
        yield parts.path if parts.scheme == "unix" else f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
    elif isinstance(host, (tuple, list)):
        yield f"{host[0]}:{host[1]}"
