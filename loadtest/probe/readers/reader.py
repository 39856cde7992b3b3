"""What a reader is, and what it returns.

A reader's module has BACKEND, the full name of the layer's class, and `read`; it imports nothing of the layer's
package, which may not be installed.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(slots=True, kw_only=True)
class LayerResidue:
    """What a channel layer holds."""

    groups: dict[str, list[str]] = field(default_factory=dict)
    """Members (channel names) by group."""
    queues: dict[str, int] = field(default_factory=dict)
    """Messages waiting by channel; an empty queue that is still kept counts, with 0."""
    subscriptions: list[str] = field(default_factory=list)
    """What the process is subscribed to at the message broker."""
    sockets: int = 0
    """Connections to the message broker that the layer keeps open, used or not."""


class LayerReader(Protocol):
    """Reads the layers of one class."""

    async def __call__(self, layer: Any) -> LayerResidue:
        """Return what the layer holds; whatever it raises, the residue is then not known, with that reason."""
