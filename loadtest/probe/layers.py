"""Channel layers: records which channel a connection was given and which groups it is added to and leaves."""

from collections.abc import Awaitable, Callable
from typing import Any

from channels.layers import ChannelLayerManager, channel_layers

from loadtest.ledger import Event
from loadtest.probe.channels import channel_owner, own_channel
from loadtest.probe.handling import current_handling

_Change = Callable[[str, str], Awaitable[None]]


def watch() -> None:
    """Watch every channel layer that the process has or makes."""
    make_backend = ChannelLayerManager._make_backend

    def make_watched(self: Any, name: str, config: Any) -> Any:
        return _watched(make_backend(self, name, config))

    ChannelLayerManager._make_backend = make_watched
    for layer in channel_layers.backends.values():
        _watched(layer)


def _watched(layer: Any) -> Any:
    """Return the layer with three of its methods recorded, on the instance: its class stays as it is."""
    layer.new_channel = _recorded_new_channel(layer.new_channel)
    layer.group_add = _recorded_change(Event.GROUP_ADDED, layer.group_add)
    layer.group_discard = _recorded_change(Event.GROUP_DISCARDED, layer.group_discard)
    return layer


def _recorded_new_channel(new_channel: Callable[..., Awaitable[str]]) -> Callable[..., Awaitable[str]]:
    async def recorded(*arguments: Any, **named: Any) -> str:
        channel = await new_channel(*arguments, **named)
        handling = current_handling.get()
        if handling is not None:
            own_channel(handling, channel)
            handling.ledger.record_text(Event.CHANNEL, handling.connection, channel)
        return channel

    return recorded


def _recorded_change(event: Event, change: _Change) -> _Change:
    async def recorded(group: str, channel: str) -> None:
        await change(group, channel)
        owner = channel_owner(channel)
        if owner is not None:
            owner.ledger.record_text(event, owner.connection, group)

    return recorded
