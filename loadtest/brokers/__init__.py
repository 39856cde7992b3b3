"""Message brokers that channel layers talk to: one module of this package each, found by its KIND."""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from loadtest.brokers.kind import Broker, RunningBroker
from loadtest.discovery import kinds_in
from loadtest.layers import Layer

__all__ = ["BROKERS", "Broker", "RunningBroker", "broker_of"]

BROKERS: Mapping[str, Broker] = kinds_in(sys.modules[__name__], Broker)
"""By name."""


@contextlib.contextmanager
def broker_of(layer: Layer, addresses: Mapping[str, str], folder: Path) -> Iterator[RunningBroker | None]:
    """Give the broker that a layer needs, up and ready, and end it; None for a layer that needs none.

    `addresses` are those of the user's own brokers, by name: where there is one, nothing is started. Logs go to
    `folder`. Raises EnvironmentFailed when the broker does not answer or does not start.
    """
    if layer.broker is None:
        yield None
        return
    broker = BROKERS[layer.broker]
    with broker.run(addresses.get(broker.name), folder / f"{broker.name}.log") as running:
        yield running
