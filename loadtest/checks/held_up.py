"""Held up: how long the generator's hub kept what was due waiting, by its own doing and for want of a processor."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from loadtest.checks.records import NS_A_MS, NS_A_US, TrialRecords, Window
from loadtest.ledger.record import Event

SHARE = 0.99
"""As of latency: what is told is kept by 99 of 100 moments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldUp:
    """What a message that was due at a random moment of the window had to wait for the hub, in ms."""

    own_ms: float
    """p99 of the moments, without the time in which the hub's thread waited for a processor."""
    longest_own_ms: float
    starved_ms: float
    """p99 of the moments, counting only the time in which the hub's thread waited for a processor."""


def held_up(trial: TrialRecords, window: Window) -> HeldUp:
    """Return how the worst of the trial's generators was held up in the window."""
    pauses = trial.client_events(Event.HELD_UP).filter(pl.col("time_ns").is_between(window.start_ns, window.end_ns))
    starved_ms = pl.col("argument").cast(pl.Float64) * NS_A_US / NS_A_MS
    timed = pauses.select("pid", starved=starved_ms, own=pl.col("value").cast(pl.Float64) / NS_A_MS - starved_ms)
    generators = [
        _of_one(pauses["own"].to_list(), pauses["starved"].to_list(), window) for pauses in timed.partition_by("pid")
    ]
    return HeldUp(
        own_ms=max((one.own_ms for one in generators), default=0.0),
        longest_own_ms=max((one.longest_own_ms for one in generators), default=0.0),
        starved_ms=max((one.starved_ms for one in generators), default=0.0),
    )


def wait_of_moments(pauses: Iterable[float], whole: float, share: float) -> float:
    """Return the wait that so large a share of all moments does not exceed, if a pause keeps each moment to its end.

    The moments of a pause of length p wait from p down to 0, so sum(max(0, p - x)) is the time in which one waits
    longer than x: it is to be (1 - share) of the whole. Any unit, that of the result too; 0 where hardly any waits.
    """
    beyond = (1 - share) * whole
    together, wait = 0.0, 0.0
    for count, pause in enumerate(sorted(pauses, reverse=True), start=1):
        if pause <= wait:
            break
        together += pause
        wait = (together - beyond) / count
    return max(wait, 0.0)


def _of_one(own_ms: list[float], starved_ms: list[float], window: Window) -> HeldUp:
    whole_ms = window.duration_s * 1000
    return HeldUp(
        own_ms=wait_of_moments(own_ms, whole_ms, SHARE),
        longest_own_ms=max(own_ms, default=0.0),
        starved_ms=wait_of_moments(starved_ms, whole_ms, SHARE),
    )
