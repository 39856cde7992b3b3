"""What pinning does: echo on the reference app with server and load on CPUs of their own, and floating, in turns."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from loadtest.stack.pinning import placement_here
from loadtest.stats.interval import Interval
from loadtest.targets.reference import ReferenceApp
from tests.perf.in_turns import Measured, Way, in_turns, ratio

PAIRS = 8
"""Of processes, of both consumers: six minutes."""
TURNS = 16
TURN_S = 0.5
"""Messages that take longer than the rest of their turn have no latency here, so it is many times the longest."""
WAYS = (
    Way(placement=placement_here(pin=False)),
    Way(placement=placement_here(pin=True)),
)


def main() -> dict[str, dict[str, list[float]]]:
    """Measure PAIRS pairs for each consumer, print the ratios and return them: low, estimate, high."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        app = ReferenceApp().prepare(Path(name))
        for consumer in ("async", "sync"):
            pairs = [in_turns(consumer, app, WAYS, TURNS, TURN_S) for _ in range(PAIRS)]
            carried = _pinned_beside_floating(pairs, lambda one: one.messages_per_s)
            p99 = _pinned_beside_floating(pairs, lambda one: one.p99_ms)
            print(
                f"pinned beside floating, echo, {consumer}: {_spoken(carried)} times the messages, "
                f"{_spoken(p99)} times the p99; {PAIRS} pairs"
            )
            found[consumer] = {"carried": _listed(carried), "p99": _listed(p99)}
    return found


def _pinned_beside_floating(pairs: list[list[Measured]], figure: Callable[[Measured], float]) -> Interval:
    return ratio([figure(pinned) for _, pinned in pairs], [figure(floating) for floating, _ in pairs])


def _spoken(interval: Interval) -> str:
    return f"{interval.estimate:.2f} ({interval.low:.2f} to {interval.high:.2f})"


def _listed(interval: Interval) -> list[float]:
    return [interval.low, interval.estimate, interval.high]
