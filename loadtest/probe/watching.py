"""Watching: lets the probe see inside Channels, once a process, whoever asks for it first."""

import functools

from loadtest.probe.recording import is_recording


@functools.cache
def watch() -> None:
    """Watch consumers and channel layers when the process keeps a ledger."""
    if is_recording():
        from loadtest.probe import consumers, layers

        consumers.watch()
        layers.watch()
