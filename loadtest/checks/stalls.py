"""Stalls: how often and for how long a server's event loop served nobody, from what its probe noted."""

from loadtest.checks.records import NS_A_MS, TrialRecords, Window
from loadtest.ledger.record import Event


def stalls_ms(trial: TrialRecords, window: Window) -> list[float] | None:
    """Return the length of each stall that ended in the window, in ms; None when no probe told."""
    if trial.server.is_empty():
        return None
    stalls = trial.server_events(Event.STALLED)
    inside = stalls.filter(stalls["time_ns"].is_between(window.start_ns, window.closing_ns))
    return [value / NS_A_MS for value in inside["value"]]
