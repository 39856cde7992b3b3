"""Watching: lets the probe see inside Channels, once a process, whoever asks for it first."""

import functools

from loadtest.probe.recording import is_wanted


@functools.cache
def watch() -> None:
    """Watch consumers and channel layers when the process keeps a ledger, or may be asked for one."""
    if is_wanted():
        from loadtest.probe import layers

        watch_consumers()
        layers.watch()


@functools.cache
def watch_consumers() -> None:
    """Watch consumers alone, once a process."""
    from loadtest.probe import consumers

    consumers.watch()


def is_watching() -> bool:
    """Tell whether that was done."""
    return is_wanted() and watch.cache_info().currsize > 0
