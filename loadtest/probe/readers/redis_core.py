"""Reads channels_redis core, which keeps groups and queues at the broker."""

from typing import Any

from loadtest.probe.readers.reader import LayerResidue
from loadtest.probe.readers.redis_pool import open_sockets

BACKEND = "channels_redis.core.RedisChannelLayer"


async def read(layer: Any) -> LayerResidue:
    """Groups and queues at the server (of our prefix), and the queues that the process keeps for its own channels."""
    found = LayerResidue(queues={channel: queue.qsize() for channel, queue in layer.receive_buffer.items()})
    group_prefix = f"{layer.prefix}:group:"
    for index in range(layer.ring_size):
        connection = layer.connection(index)
        async for raw in connection.scan_iter(match=f"{layer.prefix}*", count=1000):
            key = raw.decode()
            if key.startswith(group_prefix):
                members = await connection.zrange(raw, 0, -1)
                found.groups[key.removeprefix(group_prefix)] = [member.decode() for member in members]
            else:
                found.queues[key.removeprefix(layer.prefix)] = await connection.zcard(raw)
    found.sockets = sum(
        open_sockets(connection.connection_pool)
        for loop_layer in layer._layers.values()
        for connection in loop_layer._connections.values()
    )
    return found
