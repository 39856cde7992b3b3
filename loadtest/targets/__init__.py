"""Targets: what is measured, as values behind one protocol; the bench, the self-test and `ui` use the same ones."""

from loadtest.targets.offer import Offer
from loadtest.targets.target import (
    CollectedLedger,
    PreparedTarget,
    Reading,
    RunningTarget,
    Setting,
    Target,
)
from loadtest.targets.with_broker import Running, running

__all__ = [
    "CollectedLedger",
    "Offer",
    "PreparedTarget",
    "Reading",
    "Running",
    "RunningTarget",
    "Setting",
    "Target",
    "running",
]
