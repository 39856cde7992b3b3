"""Stalls: notes when the event loop of this process was held up, so that nobody was served meanwhile.

A callback is due every TICK_S; when it comes later than that by STALL_S or more, something has kept the loop for
itself: a handler that blocks, or more work at a time than fits. A callback and no task: it is not to be residue.
What the thread waited for a processor in that time is left out: that the machine was busy is nothing the app did.
"""

import asyncio

from loadtest.ledger import Event
from loadtest.ledger.starved import starved_ns_of_this_thread
from loadtest.probe.busy import Stop
from loadtest.probe.recording import NO_CONNECTION, Ledger

TICK_S = 0.05
"""20 a second cost some 0.01 % of a core, and time a stall to within this much."""

STALL_S = 0.1
"""What a person notices; an event loop that is merely busy comes round much sooner."""

_NS = 1_000_000_000


def watch_for_stalls(loop: asyncio.AbstractEventLoop, ledger: Ledger) -> Stop:
    """Record each stall (its length in ns, at its end) until the returned function is called, or as long as the loop
    runs; to be called in its thread."""
    starved_ns = starved_ns_of_this_thread()
    next_tick: asyncio.TimerHandle | None = None

    def tick(due: float, starved_before_ns: int) -> None:
        nonlocal next_tick
        starved_now_ns = starved_ns()
        stalled_ns = round((loop.time() - due) * _NS) - (starved_now_ns - starved_before_ns)
        if stalled_ns >= STALL_S * _NS:
            ledger.record(Event.STALLED, NO_CONNECTION, value=stalled_ns)
        next_due = loop.time() + TICK_S
        next_tick = loop.call_at(next_due, tick, next_due, starved_now_ns)

    def stop() -> None:
        if next_tick is not None:
            next_tick.cancel()

    tick(loop.time(), starved_ns())
    return stop
