"""Channels: which of the channel layer's channels were made for which connection."""

from loadtest.probe.handling import Handling

_owners: dict[str, Handling] = {}
_channels: dict[Handling, list[str]] = {}


def own_channel(owner: Handling, channel: str) -> None:
    """Remember for which connection a channel was made."""
    _owners[channel] = owner
    _channels.setdefault(owner, []).append(channel)


def channel_owner(channel: str) -> Handling | None:
    """Return the connection that a channel was made for, while that connection's task runs."""
    return _owners.get(channel)


def forget_channels(owner: Handling) -> None:
    """Forget the channels of a connection whose task has ended."""
    for channel in _channels.pop(owner, ()):
        del _owners[channel]
