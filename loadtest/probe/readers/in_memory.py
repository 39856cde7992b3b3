"""Reads channels' own in-memory layer."""

from typing import Any

from loadtest.probe.readers.reader import LayerResidue

BACKEND = "channels.layers.InMemoryChannelLayer"


async def read(layer: Any) -> LayerResidue:
    """Return its groups and queues; it talks to no broker."""
    return LayerResidue(
        groups={group: list(members) for group, members in layer.groups.items()},
        queues={channel: queue.qsize() for channel, queue in layer.channels.items()},
    )
