"""Channel layers, a row each: what to write into Django's CHANNEL_LAYERS, and what a reader of results must know."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from types import MappingProxyType
from typing import Any, Final

from loadtest.installed import HERE, Installed

KEY_PREFIX = "loadtest-"
"""All that we write on a message broker begins so, and nothing else on it is ever touched."""

NEEDS_SOCKET_TIMEOUT = {"address": "{broker_url}", "socket_timeout": None}
"""redis-py 8 gives up a read after 5 s, just as long as the layer's own blocking pop waits: without this, consumers
that wait for a message die one by one."""

SHORT_EXPIRY_S = 3
"""Long enough to be seen in a trial, short enough to be over in it; an app would take hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One channel layer as it is measured; in `config`, {broker_url} and {prefix} stand for what the trial gives."""

    name: str
    summary: str
    package: str
    backend: str
    config: Mapping[str, Any] = field(default_factory=dict)
    broker: str | None = None
    """The name of the message broker that it talks to; None: it needs none."""
    crosses_processes: bool
    subscribes: bool = False
    """It subscribes at its broker: to each consumer's channel, and to each group that has a member."""
    at_capacity: str
    expires_s: float = 0.0
    """Members drop out of their groups by themselves: so long after the last one has joined all have; 0: they stay."""
    ends_connections: str = ""
    """Why connections are known to end by themselves with it; empty: they are not."""
    default: bool

    @property
    def version(self) -> str:
        """The installed version of the package that holds the layer."""
        return version(self.package)

    def unavailable(self, installed: Installed = HERE) -> str | None:
        """Say why an interpreter cannot use it, in plain words; None where it can."""
        return installed.lacks(self.package) if self.package else None

    def setting(self, *, broker_url: str | None = None, prefix: str = KEY_PREFIX) -> dict[str, Any]:
        """Return Django's CHANNEL_LAYERS; raises ValueError when the layer needs a broker and no URL is given."""
        if self.broker is not None and broker_url is None:
            raise ValueError(f"the layer {self.name} needs the URL of its broker, {self.broker}")
        config = _filled(self.config, {"{broker_url}": broker_url or "", "{prefix}": prefix})
        return {"default": {"BACKEND": self.backend, "CONFIG": config}}


def new_prefix() -> str:
    """Return a key prefix that no other run uses; truly random, for two benches may share a user's Redis."""
    return f"{KEY_PREFIX}{secrets.token_hex(4)}."  # of the characters that every layer takes in a channel's name


LAYERS: Mapping[str, Layer] = MappingProxyType(
    {
        layer.name: layer
        for layer in (
            Layer(
                name="inmemory",
                summary="channels' own, inside one process",
                package="channels",
                backend="channels.layers.InMemoryChannelLayer",
                crosses_processes=False,
                at_capacity="drops at 100 messages a channel, without a log line",
                default=True,
            ),
            Layer(
                name="redis",
                summary="channels_redis core: groups and queues kept in Redis or Valkey",
                package="channels_redis",
                broker="redis",
                backend="channels_redis.core.RedisChannelLayer",
                config={"hosts": [NEEDS_SOCKET_TIMEOUT], "prefix": "{prefix}"},
                crosses_processes=True,
                at_capacity="drops at 100 messages a process, logged at INFO",
                default=True,
            ),
            Layer(
                name="redis-pubsub",
                summary="channels_redis pubsub: Redis or Valkey passes messages on and keeps nothing",
                package="channels_redis",
                broker="redis",
                backend="channels_redis.pubsub.RedisPubSubChannelLayer",
                config={"hosts": [NEEDS_SOCKET_TIMEOUT], "prefix": "{prefix}"},
                crosses_processes=True,
                subscribes=True,
                at_capacity="never drops; memory grows",
                default=True,
            ),
            Layer(
                name="redis-stock",
                summary="channels_redis core set as the tutorials do: with redis-py 8, idle consumers die after 5 s",
                package="channels_redis",
                broker="redis",
                backend="channels_redis.core.RedisChannelLayer",
                config={"hosts": ["{broker_url}"], "prefix": "{prefix}"},
                crosses_processes=True,
                at_capacity="drops at 100 messages a process, logged at INFO",
                ends_connections="redis-py 8 gives up a read after 5 s, just as long as this layer's own blocking pop "
                'waits, and the consumer that waited ends; hosts: [{"address": url, "socket_timeout": None}] cures it',
                default=False,
            ),
            Layer(
                name="redis-short-expiry",
                summary=f"channels_redis core with a group_expiry of {SHORT_EXPIRY_S} s, not a day: members drop out "
                "of their groups, also those that are still there",
                package="channels_redis",
                broker="redis",
                backend="channels_redis.core.RedisChannelLayer",
                config={"hosts": [NEEDS_SOCKET_TIMEOUT], "prefix": "{prefix}", "group_expiry": SHORT_EXPIRY_S},
                crosses_processes=True,
                at_capacity="drops at 100 messages a process, logged at INFO",
                expires_s=SHORT_EXPIRY_S,
                default=False,
            ),
        )
    }
)


CONFIGURED: Final = Layer(
    name="configured",
    summary="the one that the app's own settings name",
    package="",
    backend="",
    crosses_processes=True,  # or its target's offer says that it does not
    at_capacity="as that one does",
    default=False,
)
"""Stands for whatever an app of the user's own is set to; nothing is written into its settings."""


CONFIGURED_PRIVATE: Final = replace(
    CONFIGURED,
    name="configured-private",
    summary="the one that the app's own settings name, at a private broker in the place of its own",
    broker="redis",
)
"""The same, with nothing changed but where it finds its broker."""

_BY_NAME: Final = {**LAYERS, CONFIGURED.name: CONFIGURED, CONFIGURED_PRIVATE.name: CONFIGURED_PRIVATE}


def find_layer(name: str) -> Layer:
    """Return the layer of that name, those of an app's own settings among them; KeyError where there is none."""
    return _BY_NAME[name]


def _filled(value: Any, words: Mapping[str, str]) -> Any:
    """Return `value` with each text that is one of `words` replaced by what it stands for, at any depth."""
    match value:
        case str():
            return words.get(value, value)
        case Mapping():
            return {key: _filled(inner, words) for key, inner in value.items()}
        case list() | tuple():
            return [_filled(inner, words) for inner in value]
        case _:
            return value
