"""Reads channels_redis pubsub, which keeps everything in the process and is subscribed at the broker."""

from typing import Any

from loadtest.probe.readers.reader import LayerResidue
from loadtest.probe.readers.redis_pool import open_sockets

BACKEND = "channels_redis.pubsub.RedisPubSubChannelLayer"


async def read(layer: Any) -> LayerResidue:
    """Return the groups, queues and subscriptions of this process."""
    loop_layer = layer._get_layer()
    group_prefix = f"{loop_layer.prefix}__group__"
    return LayerResidue(
        groups={name.removeprefix(group_prefix): sorted(members) for name, members in loop_layer.groups.items()},
        queues={channel: queue.qsize() for channel, queue in loop_layer.channels.items()},
        subscriptions=sorted(name for shard in loop_layer._shards for name in shard._subscribed_to),
        sockets=sum(open_sockets(shard._redis.connection_pool) for shard in loop_layer._shards if shard._redis),
    )
